#include "aitqe/quality/prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "aitqe/base/error.h"
#include "aitqe/text/bpe.h"
#include "aitqe/text/tokenizer.h"

namespace aitqe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int32_t kTwoNewlines = 256;
constexpr std::int32_t kSpaceA = 257;
constexpr std::int32_t kEndOfText = 258;
constexpr std::int32_t kImStart = 259;

/// Writes a Qwen2 tokenizer folder whose ids are the bytes themselves, with the two merges and the
/// two special tokens named above.
std::filesystem::path make_tokenizer_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "aitqe_prompt_XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  const std::filesystem::path folder = name;
  nlohmann::json vocab;
  for (int byte = 0; byte < 256; ++byte) {
    vocab[to_byte_alphabet(std::string(1, static_cast<char>(byte)))] = byte;
  }
  const std::string newline = to_byte_alphabet("\n");
  const std::string space = to_byte_alphabet(" ");
  vocab[newline + newline] = kTwoNewlines;
  vocab[space + "a"] = kSpaceA;
  std::ofstream(folder / "vocab.json") << vocab.dump();
  std::ofstream(folder / "merges.txt") << "#version: 0.2\n"
                                       << newline << " " << newline << "\n"
                                       << space << " a\n";
  const auto added = [](const char* content) {
    return nlohmann::json{{"content", content}, {"special", true},     {"lstrip", false},
                          {"rstrip", false},    {"normalized", false}, {"single_word", false}};
  };
  const nlohmann::json config = {{"tokenizer_class", "Qwen2Tokenizer"},
                                 {"added_tokens_decoder",
                                  {{std::to_string(kEndOfText), added("<|endoftext|>")},
                                   {std::to_string(kImStart), added("<|im_start|>")}}}};
  std::ofstream(folder / "tokenizer_config.json") << config.dump();
  return folder;
}

class PromptBuilderTest : public testing::Test {
 protected:
  ~PromptBuilderTest() override { std::filesystem::remove_all(folder_); }

  Prompt build(std::string_view caption, CaptionSpecials specials = CaptionSpecials::AsText) const {
    return PromptBuilder(template_, tokenizer_, {3, {kEndOfText}}).build(caption, specials);
  }

  std::filesystem::path folder_ = make_tokenizer_folder();
  std::shared_ptr<const Tokenizer> tokenizer_ =
      std::make_shared<const Tokenizer>(Tokenizer::load(folder_));
  PromptTemplate template_ = {"\n(", ")", "\n", AnswerKeys()};
};

TEST_F(PromptBuilderTest, PutsImageSlotsThenANewlineThenTheQuestion) {
  // The two newlines are tokens of their own: 10, 10 and never 256.
  EXPECT_THAT(build("b").ids, ElementsAre(-1, -1, -1, 10, 10, '(', 'b', ')'));
  EXPECT_FALSE(build("b").special_token_in_caption);
}

TEST_F(PromptBuilderTest, EncodesTheQuestionAsOneText) {
  template_.before_caption = "x: ";
  EXPECT_THAT(build("a").ids, ElementsAre(-1, -1, -1, 10, 'x', ':', kSpaceA, ')'));
}

TEST_F(PromptBuilderTest, StripsNothing) {
  EXPECT_THAT(build("").ids, ElementsAre(-1, -1, -1, 10, 10, '(', ')'));
  EXPECT_THAT(build(" \n").ids, ElementsAre(-1, -1, -1, 10, 10, '(', ' ', 10, ')'));
}

TEST_F(PromptBuilderTest, RepairsInvalidUtf8) {
  EXPECT_EQ(build("b\xFF").ids, build("b\uFFFD").ids);
  EXPECT_EQ(build("b\xFF", CaptionSpecials::Reference).ids, build("b\uFFFD").ids);
}

TEST_F(PromptBuilderTest, KeepsSpecialTokensOfACaptionAsTextAndSaysSo) {
  const Prompt prompt = build("<|im_start|>");
  EXPECT_TRUE(prompt.special_token_in_caption);
  EXPECT_EQ(prompt.ids.size(), 3 + 1 + 2 + 12 + 1u);
  EXPECT_THAT(prompt.ids, testing::Each(testing::Lt(kEndOfText)));
  EXPECT_EQ(build("<img_start>{}<img_end>").ids.size(), 3 + 1 + 2 + 22 + 1u);
}

TEST_F(PromptBuilderTest, ParsesThemAsTheReferenceDoesWhenAsked) {
  EXPECT_THAT(build("<|im_start|>", CaptionSpecials::Reference).ids,
              ElementsAre(-1, -1, -1, 10, 10, '(', kImStart, ')'));
  EXPECT_THAT(build("b<img_end> c", CaptionSpecials::Reference).ids.size(), 3 + 1 + 2 + 12 + 1u);
}

TEST_F(PromptBuilderTest, RefusesWhatTheReferenceRefusesOnlyWhenAsked) {
  for (const std::string_view caption :
       {"a<|endoftext|>", "<noloss_start>\n<noloss_end>", "<img_start>{}<img_end>"}) {
    EXPECT_NO_THROW(build(caption));
    try {
      build(caption, CaptionSpecials::Reference);
      FAIL() << caption;
    } catch (const SampleError& error) {
      EXPECT_THAT(error.what(), HasSubstr("the reference refuses"));
    }
  }
}

TEST_F(PromptBuilderTest, RefusesAModelWithoutImageSlots) {
  EXPECT_THROW(PromptBuilder(template_, tokenizer_, {0, {}}), Error);
}

struct RuleCase {
  std::string_view caption;
  std::optional<std::string_view> expected;  // none: the reference raises
};

// Expected values: Python's own `re` and `json`, run as Note [Reference caption rules] says.
constexpr RuleCase kRuleCases[] = {
    {"a dog", "a dog"},
    {"<img_end>", "<img_end>"},
    {"<img_end> a", "<img_end>\na"},
    {"<img_end>   \n a", "<img_end>\n a"},
    {"a<img_end>b<img_end>  <img_end>", "a<img_end>\nb<img_end>\n<img_end>"},
    {"<img_start>x<img_end>", ""},
    {"a <img_start>x<img_end> b", "a \nb"},
    {"<img_start>x\ny<img_end>z", "<img_start>x\ny<img_end>\nz"},
    {"<img_start>\n<img_start>y<img_end>z", "<img_start>\n\nz"},
    {"<img_start>a<img_start>b<img_end>c", "\nc"},
    {"<img_start>b<img_end>1<img_start>a<img_start>b<img_end>2", "\n1<img_start>a\n2"},
    {"<img_start><img_start><img_end><img_end>", "\n<img_end>"},
    {"<img_start>5<img_end>", std::nullopt},
    {"<img_start>{\"file_type\": \"I\"}<img_end>", std::nullopt},
    {"<img_start>NaN<img_end>", std::nullopt},
    {"<img_start>{'a': 1}<img_end>", ""},
    {"<noloss_start>a<noloss_end>", std::nullopt},
    {"<noloss_start>a\nb<noloss_end>", std::nullopt},
    {"<noloss_end>a<noloss_start>", "<noloss_end>a<noloss_start>"},
    {"<noloss_start>", "<noloss_start>"},
    {"<noloss_<img_start>x<img_end>start><noloss_end>", "<noloss_\nstart><noloss_end>"},
    {"<img_end>\t<img_start> <img_end>", "<img_end>\n\t"},
    {"<img_start>x<img_start>1<img_end>", ""},
    {"\"q\"<img_end><noloss_end><img_start><noloss_end>x",
     "\"q\"<img_end>\n<noloss_end><img_start><noloss_end>x"},
    {"<img_start>\n<img_end> \n 1", "<img_start>\n<img_end>\n 1"},
    {"<img_start><noloss_start><noloss_end><img_end><noloss_end>1", "\n<noloss_end>1"},
    {"<img_start><img_end>\"q\"x", "\n\"q\"x"},
    {"\n<img_end>\n<img_start> \n\"q\"", "\n<img_end>\n<img_start> \n\"q\""},
    {"<img_start>1<noloss_end><noloss_start><img_start><noloss_start><img_end>\n", "\n"},
    {"\n<img_start>\nx x<img_end>\"q\"", "\n<img_start>\nx x<img_end>\n\"q\""},
    {"<img_start>\"q\" <img_end> ", std::nullopt},
    {"<noloss_start><img_end>\n<img_start>", "<noloss_start><img_end>\n<img_start>"},
    {"<noloss_start>1<img_start><img_end>1", "<noloss_start>1\n1"},
    {"<img_end><img_start><noloss_start>  \"q\"\n",
     "<img_end>\n<img_start><noloss_start>  \"q\"\n"},
    {"<img_end>\"q\"<noloss_end><img_start>xx", "<img_end>\n\"q\"<noloss_end><img_start>xx"},
    {"x<noloss_start><noloss_start><img_start>\n<img_end>",
     "x<noloss_start><noloss_start><img_start>\n<img_end>"},
    {"<img_start><img_end><img_end>\"q\"1<noloss_end>x", "\n<img_end>\n\"q\"1<noloss_end>x"},
    {"1\n<img_end>\"q\"<img_start>\"q\"", "1\n<img_end>\n\"q\"<img_start>\"q\""},
    {"x<img_start><noloss_start>x<noloss_end><img_end><img_end>1", "x\n<img_end>\n1"},
    {"<img_end><img_end><img_start><img_start><noloss_start><noloss_end>", std::nullopt},
    {"<img_start>11<noloss_start><img_end>\n 1", "\n 1"},
    {"<noloss_end><noloss_start><img_start><noloss_end><img_start><noloss_end><img_end>x",
     "<noloss_end><noloss_start>\nx"},
    {"<noloss_start><img_end><noloss_end><img_start>1\"q\"\n", std::nullopt},
    {"<img_start>x <img_end>x\"q\"<noloss_start>\n", "\nx\"q\"<noloss_start>\n"},
    {"1\n <img_start><img_end>", "1\n "},
    {"\"q\"<img_start><img_start><img_end><img_start><noloss_start>\n",
     "\"q\"\n<img_start><noloss_start>\n"},
    {"1<img_start><img_end><noloss_start>x<img_start>", "1\n<noloss_start>x<img_start>"},
    {"<img_start><img_end><noloss_start>x<img_end> ", "\n<noloss_start>x<img_end>"},
};

TEST(ReferenceCaptionRules, EqualTheReferenceOnMarkedCaptions) {
  const std::string before = "\nEvaluate the caption: ";
  const std::string after = "\nif score is low";
  for (const RuleCase& test : kRuleCases) {
    const std::string question = before + std::string(test.caption) + after;
    if (test.expected) {
      EXPECT_EQ(apply_reference_caption_rules(question),
                before + std::string(*test.expected) + after)
          << test.caption;
    } else {
      EXPECT_THROW(apply_reference_caption_rules(question), SampleError) << test.caption;
    }
  }
}

TEST(ReferenceCaptionRules, TakeLinearTimeOnMarkersThatNeverClose) {
  std::string caption;
  while (caption.size() < (std::size_t{1} << 20)) caption += "<img_start>\n";
  EXPECT_EQ(apply_reference_caption_rules(caption + "<img_end>"), caption + "<img_end>\n");
}

}  // namespace
}  // namespace aitqe
