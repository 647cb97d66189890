// Tokenizer folders that are broken, hostile or of a kind we do not read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "aitqe/base/error.h"
#include "aitqe/text/bpe.h"
#include "aitqe/text/tokenizer.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

using aitqe::test::TemporaryFolder;

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

/// Every single byte at its own id, then "ab" 256 and "abc" 257.
json small_vocabulary() {
  json vocabulary = json::object();
  for (int byte = 0; byte < 256; ++byte) {
    const char character = static_cast<char>(byte);
    vocabulary[to_byte_alphabet({&character, 1})] = byte;
  }
  vocabulary["ab"] = 256;
  vocabulary["abc"] = 257;
  return vocabulary;
}

/// The files of a good folder; tests break one thing.
struct Files {
  json vocabulary = small_vocabulary();
  std::string merges = "#version: 0.2\na b\nab c\n";
  json config = {{"tokenizer_class", "Qwen2Tokenizer"},
                 {"eos_token", "<end>"},
                 {"added_tokens_decoder",
                  {{"258", {{"content", "<end>"}, {"special", true}, {"normalized", false}}}}}};
};

json small_tokenizer_json() {
  return {
      {"normalizer", nullptr},
      {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
      {"decoder", {{"type", "ByteLevel"}}},
      {"added_tokens", {{{"id", 258}, {"content", "<end>"}, {"special", true}}}},
      {"model", {{"type", "BPE"}, {"vocab", small_vocabulary()}, {"merges", {"a b", "ab c"}}}}};
}

/// "" when the folder loads, else the Error's message.
std::string complaint(const TemporaryFolder& folder) {
  try {
    Tokenizer::load(folder.path());
  } catch (const Error& failure) {
    EXPECT_EQ(failure.category(), ErrorCategory::Model);
    return failure.what();
  }
  return "";
}

std::string complaint(const Files& files) {
  const TemporaryFolder folder;
  folder.write("vocab.json", files.vocabulary.dump());
  folder.write("merges.txt", files.merges);
  folder.write("tokenizer_config.json", files.config.dump());
  return complaint(folder);
}

std::string complaint(const json& tokenizer_json) {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", tokenizer_json.dump());
  return complaint(folder);
}

std::string vocabulary_complaint(const std::string& token, const json& id) {
  Files files;
  files.vocabulary[token] = id;
  return complaint(files);
}

std::string merges_complaint(const std::string& merges) {
  Files files;
  files.merges = merges;
  return complaint(files);
}

std::string changed(const char* pointer, const json& value) {
  json file = small_tokenizer_json();
  file[json::json_pointer(pointer)] = value;
  return complaint(file);
}

TEST(TokenizerFolder, LoadsWhenNothingIsWrong) {
  EXPECT_EQ(complaint(Files()), "");
  EXPECT_EQ(complaint(small_tokenizer_json()), "");
}

TEST(TokenizerFolder, NamesTheFileThatIsMissing) {
  const TemporaryFolder folder;
  EXPECT_THAT(complaint(folder), HasSubstr("tokenizer_config.json: no such file"));
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "Qwen2Tokenizer"})");
  EXPECT_THAT(complaint(folder), HasSubstr("vocab.json: no such file"));
  folder.write("vocab.json", small_vocabulary().dump());
  EXPECT_THAT(complaint(folder), HasSubstr("merges.txt: no such file"));
}

TEST(TokenizerFolder, RefusesWhatIsNotAJsonObject) {
  const TemporaryFolder folder;
  for (const char* text : {"", "{", "[1]", "\xFF", "{\"a\": \xC3}", "nul"}) {
    folder.write("tokenizer.json", text);
    EXPECT_THAT(complaint(folder), HasSubstr("tokenizer.json: ")) << text;
  }
  folder.write("tokenizer.json", "{\"normalizer\":" + std::string(200000, '['));
  EXPECT_THAT(complaint(folder), HasSubstr("nested too deeply"));
}

TEST(TokenizerFolder, RefusesBadIds) {
  EXPECT_THAT(vocabulary_complaint("x y", "7"), HasSubstr("token \"x y\": id is \"7\""));
  EXPECT_THAT(vocabulary_complaint("xy", -1), HasSubstr("id is -1, expected"));
  EXPECT_THAT(vocabulary_complaint("xy", 10'000'001), HasSubstr("expected a whole number"));
  EXPECT_THAT(vocabulary_complaint("xy", 1ULL << 63), HasSubstr("expected a whole number"));
  EXPECT_THAT(vocabulary_complaint("xy", 3.0), HasSubstr("expected a whole number"));
  EXPECT_THAT(vocabulary_complaint("xy", nullptr), HasSubstr("expected a whole number"));
  EXPECT_THAT(vocabulary_complaint("xy", 65), HasSubstr("id 65 is also that of another token"));
  EXPECT_EQ(vocabulary_complaint("xy", 9'999'999), "");
  Files files;
  files.vocabulary = json::object();
  EXPECT_THAT(complaint(files), HasSubstr("vocabulary is empty"));
}

TEST(TokenizerFolder, RefusesMergesThatLeadNowhere) {
  EXPECT_THAT(merges_complaint("a b\nq ab\n"),
              AllOf(HasSubstr("merges.txt"), HasSubstr("\"qab\" is not in the vocabulary")));
  EXPECT_THAT(merges_complaint("zz b\n"), HasSubstr("\"zz\" is not in the vocabulary"));
  EXPECT_THAT(merges_complaint("a zz\n"), HasSubstr("\"zz\" is not in the vocabulary"));
  EXPECT_THAT(merges_complaint("a b c\n"), HasSubstr("line 1 is \"a b c\", expected two tokens"));
  EXPECT_THAT(merges_complaint("a b\nab\n"), HasSubstr("line 2"));
  EXPECT_EQ(merges_complaint("a b\r\n\r\nab c\r\n"), "");
  EXPECT_EQ(merges_complaint(""), "");
}

TEST(TokenizerFolder, RefusesMergesThatGiveASpecialToken) {
  Files files;
  files.config["added_tokens_decoder"]["257"] = {{"content", "abc"}, {"special", true}};
  EXPECT_THAT(complaint(files), HasSubstr("gives the special token \"abc\""));
  Files bytes;
  bytes.config["pad_token"] = "a";
  EXPECT_THAT(complaint(bytes), HasSubstr("byte 97 gives the special token \"a\""));
}

TEST(TokenizerFolder, RefusesTokenizersItDoesNotKnow) {
  Files files;
  files.config["tokenizer_class"] = "LlamaTokenizer";
  EXPECT_THAT(complaint(files), HasSubstr("\"tokenizer_class\" is \"LlamaTokenizer\", expected"));
  files.config.erase("tokenizer_class");
  EXPECT_THAT(complaint(files), HasSubstr("\"tokenizer_class\" is null"));
  Files prefix;
  prefix.config["add_prefix_space"] = true;
  EXPECT_THAT(complaint(prefix), HasSubstr("add_prefix_space"));
}

TEST(TokenizerFolder, RefusesBadAddedTokens) {
  const auto with = [](const char* id, const json& token) {
    Files files;
    files.config["added_tokens_decoder"][id] = token;
    return complaint(files);
  };
  EXPECT_THAT(with("x", {{"content", "<x>"}}), HasSubstr("id is \"x\""));
  EXPECT_THAT(with("-3", {{"content", "<x>"}}), HasSubstr("id is -3"));
  EXPECT_THAT(with("999999999999", {{"content", "<x>"}}), HasSubstr("id is 999999999999"));
  EXPECT_THAT(with("259", "<x>"), HasSubstr("expected an object with \"content\""));
  EXPECT_THAT(with("259", {{"content", ""}}), HasSubstr("empty"));
  EXPECT_THAT(with("259", {{"content", "<x>"}, {"special", 1}}), HasSubstr("\"special\" is 1"));
  EXPECT_THAT(with("259", {{"content", "<end>"}}), HasSubstr("listed twice"));
  EXPECT_THAT(with("65", {{"content", "<x>"}}), HasSubstr("is taken"));
  EXPECT_THAT(with("259", {{"content", "ab"}}), HasSubstr("the vocabulary has it as 256"));
}

TEST(TokenizerFolder, RefusesANamedSpecialTokenWithoutId) {
  Files files;
  files.config["additional_special_tokens"] = {"<nowhere>"};
  EXPECT_THAT(complaint(files), HasSubstr("special token \"<nowhere>\""));
  files.config["additional_special_tokens"] = 3;
  EXPECT_THAT(complaint(files), HasSubstr("\"additional_special_tokens\" is not a list"));
  Files typed;
  typed.config["eos_token"] = json::array({1});
  EXPECT_THAT(complaint(typed), HasSubstr("\"eos_token\" is [1], expected a token"));
}

TEST(TokenizerFolder, TakesNamedTokensOfTheVocabularyForSpecial) {
  const TemporaryFolder folder;
  Files files;
  files.vocabulary["<pad>"] = 259;
  files.config["pad_token"] = {{"content", "<pad>"}};
  folder.write("vocab.json", files.vocabulary.dump());
  folder.write("merges.txt", files.merges);
  folder.write("tokenizer_config.json", files.config.dump());
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_TRUE(tokenizer.is_special(259));
  EXPECT_THAT(tokenizer.encode("<pad>", SpecialTokens::Parse), testing::ElementsAre(259));
}

TEST(TokenizerJson, RefusesWhatItDoesNotUnderstand) {
  EXPECT_THAT(changed("/model/type", "Unigram"), HasSubstr("model.type is \"Unigram\""));
  EXPECT_THAT(changed("/model/byte_fallback", true), HasSubstr("model.byte_fallback"));
  EXPECT_THAT(changed("/model/ignore_merges", true), HasSubstr("model.ignore_merges"));
  EXPECT_THAT(changed("/model/dropout", 0.1), HasSubstr("model.dropout"));
  EXPECT_THAT(changed("/model/continuing_subword_prefix", "##"), HasSubstr("not understood"));
  EXPECT_THAT(changed("/model/vocab", {1}), HasSubstr("expected an object"));
  EXPECT_THAT(changed("/model/merges", "a b"), HasSubstr("model.merges"));
  EXPECT_THAT(changed("/model/merges/0", "ab"), HasSubstr("a merge is \"ab\""));
  EXPECT_THAT(changed("/model/merges/0", {"a", 1}), HasSubstr("a merge is"));
  EXPECT_THAT(changed("/normalizer", {{"type", "NFKC"}}), HasSubstr("normalizer is"));
  EXPECT_THAT(changed("/pre_tokenizer", nullptr), HasSubstr("pre_tokenizer is null"));
  EXPECT_THAT(changed("/pre_tokenizer/type", "Metaspace"), HasSubstr("not understood"));
  EXPECT_THAT(changed("/pre_tokenizer", {{"type", "Digits"}}), HasSubstr("no ByteLevel step"));
  EXPECT_THAT(changed("/decoder", nullptr), HasSubstr("decoder is null"));
  EXPECT_THAT(changed("/added_tokens/0/id", "x"), HasSubstr("id is \"x\""));
  EXPECT_THAT(changed("/model", nullptr), HasSubstr("model.type is null"));
}

TEST(TokenizerJson, RefusesPatternsItDoesNotUnderstand) {
  const auto with = [](const json& split) {
    const json bytes = {{"type", "ByteLevel"}, {"use_regex", false}};
    return changed("/pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {split, bytes}}});
  };
  const json split = {
      {"type", "Split"}, {"pattern", {{"Regex", R"(\s+)"}}}, {"behavior", "Isolated"}};
  EXPECT_EQ(with(split), "");
  json other = split;
  other["behavior"] = "Removed";
  EXPECT_THAT(with(other), HasSubstr("pre_tokenizer is"));
  other = split;
  other["pattern"] = {{"String", " "}};
  EXPECT_THAT(with(other), HasSubstr("pre_tokenizer is"));
  other = split;
  other["pattern"]["Regex"] = R"(\w+)";
  EXPECT_THAT(with(other), AllOf(HasSubstr("tokenizer.json"), HasSubstr("\\w is not understood")));
}

TEST(TokenizerJson, RefusesAnUnknownTokenThatBytesCouldBecome) {
  json file = small_tokenizer_json();
  file["model"]["unk_token"] = "<end>";
  EXPECT_EQ(complaint(file), "");
  file["model"]["vocab"].erase("z");
  EXPECT_THAT(complaint(file), HasSubstr("unknown token"));
}

}  // namespace
}  // namespace aitqe
