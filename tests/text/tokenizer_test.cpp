#include "aitqe/text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "aitqe/base/error.h"
#include "aitqe/text/incremental_decoder.h"
#include "aitqe/text/split.h"
#include "aitqe/text/unicode.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

using aitqe::test::TemporaryFolder;

using nlohmann::json;
using testing::ElementsAre;
using Ids = std::vector<std::int32_t>;

// Made by scripts/make_tokenizer_vectors.py; SOURCES.json there has the versions.
const std::filesystem::path kData = AITQE_SOURCE_DIR "/tests/data/text";

const Tokenizer& qwen2() {
  static const Tokenizer tokenizer = Tokenizer::load(kData / "qwen2-cut");
  return tokenizer;
}

const Tokenizer& smollm2() {
  static const Tokenizer tokenizer = Tokenizer::load(kData / "smollm2-cut");
  return tokenizer;
}

std::vector<json> read_lines(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::vector<json> rows;
  for (std::string line; std::getline(stream, line);) rows.push_back(json::parse(line));
  return rows;
}

std::string decode(const Tokenizer& tokenizer, const Ids& ids) {
  IncrementalDecoder decoder(tokenizer, SkipSpecials::No);
  std::string text;
  for (const std::int32_t id : ids) text += decoder.push(id);
  return text + decoder.finish();
}

/// Rows of [text, ids as text, ids parsed]; the last is left out where it is the same.
void expect_parity(const Tokenizer& tokenizer, const std::string& vectors, std::size_t at_least) {
  const std::vector<json> rows = read_lines(kData / vectors);
  ASSERT_GE(rows.size(), at_least);
  for (const json& row : rows) {
    const auto text = row[0].get<std::string>();
    ASSERT_EQ(tokenizer.encode(text, SpecialTokens::AsText), row[1].get<Ids>()) << row[0];
    ASSERT_EQ(tokenizer.encode(text, SpecialTokens::Parse), row.back().get<Ids>()) << row[0];
  }
}

/// The cut Qwen2 vocabulary as a tokenizer.json, to be changed by a test.
json qwen2_json() {
  const json split = {{"type", "Split"},
                      {"pattern", {{"Regex", qwen2_split_steps().front().pattern}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  const json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  json merges = json::array();
  std::ifstream stream(kData / "qwen2-cut" / "merges.txt");
  std::string left;
  std::string right;
  std::getline(stream, left);  // the version
  while (stream >> left >> right) merges.push_back({left, right});
  std::ifstream vocabulary(kData / "qwen2-cut" / "vocab.json");
  return {{"normalizer", {{"type", "NFC"}}},
          {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {split, bytes}}}},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model", {{"type", "BPE"}, {"vocab", json::parse(vocabulary)}, {"merges", merges}}}};
}

TEST(Tokenizer, GivesTheIdsOfHfTokenizersWithQwen2) {
  expect_parity(qwen2(), "qwen2-cut.vectors.jsonl", 3000);
}

TEST(Tokenizer, GivesTheIdsOfHfTokenizersWithSmollm2) {
  expect_parity(smollm2(), "smollm2-cut.vectors.jsonl", 2000);
}

TEST(Tokenizer, ReadsTheSameFromBothKindsOfFolder) {
  const TemporaryFolder folder;
  json file = qwen2_json();
  file["added_tokens"] = json::array();
  for (const char* token : {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}) {
    file["added_tokens"].push_back(
        {{"id", qwen2().token_id(token).value()}, {"content", token}, {"special", true}});
  }
  folder.write("tokenizer.json", file.dump());
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_EQ(tokenizer.size(), qwen2().size());
  expect_parity(tokenizer, "qwen2-cut.vectors.jsonl", 3000);
}

TEST(Tokenizer, HonoursTheFlagsOfAddedTokensAsHfDoes) {
  const TemporaryFolder folder;
  json file = qwen2_json();
  std::ifstream added(kData / "flagged-added-tokens.json");
  file["added_tokens"] = json::parse(added);
  folder.write("tokenizer.json", file.dump());
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  const std::vector<json> rows = read_lines(kData / "flagged.vectors.jsonl");
  ASSERT_EQ(rows.size(), 400U);
  for (const json& row : rows) {
    const auto text = row[0].get<std::string>();
    EXPECT_EQ(tokenizer.encode(text, SpecialTokens::Parse), row[1].get<Ids>()) << row[0];
  }
}

TEST(Tokenizer, AnswersForTokens) {
  const std::int32_t start = qwen2().token_id("<|im_start|>").value();
  EXPECT_EQ(qwen2().size(), start + 2);
  EXPECT_TRUE(qwen2().is_special(start));
  EXPECT_EQ(qwen2().token_bytes(start), "<|im_start|>");
  const std::int32_t the = qwen2().token_id(" the").value();
  EXPECT_FALSE(qwen2().is_special(the));
  EXPECT_EQ(qwen2().token_bytes(the), " the");
  EXPECT_EQ(qwen2().token_id("\u0120the"), std::nullopt);
  EXPECT_EQ(qwen2().token_bytes(-1), "");
  EXPECT_EQ(qwen2().token_bytes(qwen2().size()), "");
  EXPECT_FALSE(qwen2().is_special(-1));
  EXPECT_THAT(qwen2().special_tokens(), ElementsAre("<|endoftext|>", "<|im_start|>", "<|im_end|>"));
  EXPECT_EQ(smollm2().special_tokens().size(), 17U);
}

TEST(Tokenizer, ParsesSpecialTokensOnlyWhenAsked) {
  const std::int32_t end = qwen2().token_id("<|im_end|>").value();
  EXPECT_THAT(qwen2().encode("<|im_end|>", SpecialTokens::Parse), ElementsAre(end));
  EXPECT_GT(qwen2().encode("<|im_end|>", SpecialTokens::AsText).size(), 1U);
}

TEST(Tokenizer, NormalizesBeforeItLooksForSpecialTokens) {
  // The closing > and U+0338 become one character, so there is no token: as in Qwen2Tokenizer.
  const Ids ids = qwen2().encode("<|im_end|>\u0338", SpecialTokens::Parse);
  for (const std::int32_t id : ids) EXPECT_FALSE(qwen2().is_special(id));
}

TEST(Tokenizer, NeverMakesASpecialTokenOutOfText) {
  const std::vector<std::string> wraps = {"", " ", "\n", "a", "<", ">", "|", "\u00E9", "\u3000"};
  for (const Tokenizer* tokenizer : {&qwen2(), &smollm2()}) {
    std::vector<std::string> markers = tokenizer->special_tokens();
    markers.insert(markers.end(), {"<img_start>", "<img_end>", "<noloss_start>", "<noloss_end>",
                                   "<img_start>{\"file_type\": \"I\"}<img_end>", "<Overall>"});
    for (const std::string& marker : markers) {
      for (const std::string& wrap : wraps) {
        const std::string text = wrap + marker + wrap + marker;
        const Ids ids = tokenizer->encode(text, SpecialTokens::AsText);
        for (const std::int32_t id : ids) EXPECT_FALSE(tokenizer->is_special(id)) << text;
        EXPECT_EQ(decode(*tokenizer, ids), text);
      }
    }
  }
}

TEST(Tokenizer, GivesBackEveryTextInFormC) {
  std::mt19937 random(5);
  const std::string bytes("az 1\n<|\xC3\xA9\xCC\x81\xE4\xB8\xAD\xF0\x9F\x98\x80\xFF\0", 21);
  for (int round = 0; round < 3000; ++round) {
    std::string raw;
    for (int i = 0; i < 20; ++i) raw.push_back(bytes[random() % bytes.size()]);
    const std::string text = repair_utf8(raw);
    const Ids ids = qwen2().encode(text, SpecialTokens::AsText);
    ASSERT_EQ(decode(qwen2(), ids), nfc(text)) << testing::PrintToString(raw);
  }
}

TEST(Tokenizer, RefusesTextThatIsNotUtf8) {
  EXPECT_THROW(qwen2().encode("\xFF", SpecialTokens::AsText), Error);
}

TEST(Tokenizer, TakesAMegabyteOfAnything) {
  for (const char* unit : {"a", " ", "word ", "<|im_", "\u0301\u0323"}) {
    std::string text;
    while (text.size() < (1U << 20)) text += unit;
    const std::clock_t begin = std::clock();
    const Ids ids = qwen2().encode(text, SpecialTokens::Parse);
    const double taken_s = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    EXPECT_FALSE(ids.empty());
    // Processor time, which a busy machine does not stretch: far above what a debug build with
    // sanitizers needs, far below anything quadratic.
    EXPECT_LT(taken_s, 60) << testing::PrintToString(unit);
  }
}

TEST(Tokenizer, IsOneForManyThreads) {
  const std::string text = "A caption with <|im_end|> and caf\u00E9s, 1234 times";
  const Ids expected = qwen2().encode(text, SpecialTokens::Parse);
  std::vector<Ids> found(4);
  {
    std::vector<std::thread> threads;
    for (Ids& ids : found) {
      threads.emplace_back([&ids, &text, tokenizer = qwen2()] {
        for (int i = 0; i < 200; ++i) ids = tokenizer.encode(text, SpecialTokens::Parse);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  for (const Ids& ids : found) EXPECT_EQ(ids, expected);
}

}  // namespace
}  // namespace aitqe
