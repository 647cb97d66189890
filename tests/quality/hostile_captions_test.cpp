// What tests/data/hostile/captions.jsonl may and may not do to a prompt.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "aitqe/quality/injection.h"
#include "aitqe/quality/prompt.h"
#include "aitqe/text/tokenizer.h"
#include "aitqe/text/unicode.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;

struct HostileCaption {
  std::string id;
  std::string kind;
  std::string plain;
  std::string hostile;
};

const std::vector<HostileCaption>& hostile_captions() {
  static const std::vector<HostileCaption> kCaptions = [] {
    std::vector<HostileCaption> captions;
    std::ifstream file(AITQE_SOURCE_DIR "/tests/data/hostile/captions.jsonl");
    for (std::string line; std::getline(file, line);) {
      const auto json = nlohmann::json::parse(line);
      captions.push_back({json.at("id"), json.at("class"), json.at("plain"), json.at("hostile")});
    }
    return captions;
  }();
  return kCaptions;
}

/// Every folder of the repository with a tokenizer in it.
std::vector<fs::path> tokenizer_folders() {
  std::vector<fs::path> folders;
  for (const char* root : {"models", "tests/data/text", "tests/data/reference"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(AITQE_SOURCE_DIR) / root)) {
      const bool has_one =
          fs::exists(entry.path() / "tokenizer.json") || fs::exists(entry.path() / "vocab.json");
      if (entry.is_directory() && has_one) folders.push_back(entry.path());
    }
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

TEST(HostileCaptions, AreManyOfManyClasses) {
  std::map<std::string, int> classes;
  for (const HostileCaption& caption : hostile_captions()) ++classes[caption.kind];
  EXPECT_GE(hostile_captions().size(), 200U);
  EXPECT_GE(classes.size(), 14U);
  for (const auto& [kind, count] : classes) EXPECT_GE(count, 10) << kind;
}

/// Without the control characters that a vocabulary has no token for.
std::string without_unknown_bytes(std::string text, const Tokenizer& tokenizer) {
  std::erase_if(text, [&](char c) {
    return c >= 0 && c < ' ' && !tokenizer.token_id(std::string_view(&c, 1));
  });
  return text;
}

class HostilePrompt : public ::testing::TestWithParam<fs::path> {};

TEST_P(HostilePrompt, HasNoIdThatItsCaptionSpelt) {
  constexpr int kImageTokens = 4;
  const auto tokenizer = std::make_shared<const Tokenizer>(Tokenizer::load(GetParam()));
  const PromptBuilder prompts(PromptTemplate(), tokenizer, {kImageTokens, {}});
  const PromptTemplate& parts = prompts.prompt_template();
  int num_parsed = 0;  // captions that would escape if they were parsed
  for (const HostileCaption& caption : hostile_captions()) {
    const auto ids = prompts.build(caption.hostile, CaptionSpecials::AsText).ids;
    const auto question = ids.begin() + prompts.num_image_ids();
    EXPECT_EQ(std::count(ids.begin(), ids.end(), kImageSlot), kImageTokens) << caption.id;
    std::string bytes;
    for (auto id = question; id != ids.end(); ++id) {
      EXPECT_FALSE(tokenizer->is_special(*id)) << caption.id << ": " << tokenizer->token_bytes(*id);
      bytes += tokenizer->token_bytes(*id);
    }
    const std::string text = without_unknown_bytes(
        parts.before_caption + caption.hostile + parts.after_caption, *tokenizer);
    EXPECT_TRUE(bytes == text || bytes == nfc(text)) << caption.id;
    const auto parsed = tokenizer->encode(caption.hostile, SpecialTokens::Parse);
    num_parsed += std::any_of(parsed.begin(), parsed.end(),
                              [&](std::int32_t id) { return tokenizer->is_special(id); });
  }
  EXPECT_GT(num_parsed, 3) << "the captions hold no special token of this tokenizer";
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, HostilePrompt, ::testing::ValuesIn(tokenizer_folders()),
                         [](const auto& tested) {
                           std::string name = tested.param.filename().string();
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(HostileCaptions, AreMostlySuspectAndTheirPlainTwinsNever) {
  std::map<std::string, std::pair<int, int>> hits;  // of a class: suspect, all
  for (const HostileCaption& caption : hostile_captions()) {
    EXPECT_FALSE(find_injection_sign(caption.plain, AnswerKeys())) << caption.plain;
    auto& [suspect, all] = hits[caption.kind];
    suspect += find_injection_sign(caption.hostile, AnswerKeys()).has_value();
    ++all;
  }
  int num_suspect = 0;
  int num_all = 0;
  for (const auto& [kind, counts] : hits) {
    num_suspect += counts.first;
    num_all += counts.second;
  }
  EXPECT_GT(num_suspect, num_all * 3 / 4);
  EXPECT_EQ(hits.at("special_tokens").first, hits.at("special_tokens").second);
  EXPECT_EQ(hits.at("reference_markers").first, hits.at("reference_markers").second);
}

}  // namespace
}  // namespace aitqe
