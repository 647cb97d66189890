#include "aitqe/engine/generated_text.h"

#include <gtest/gtest.h>

#include "support/reference.h"

namespace aitqe {
namespace {

class GeneratedTextTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Tokenizer> tokenizer_ = std::make_shared<const Tokenizer>(
      Tokenizer::load(aitqe::test::reference_dir() / "grouped-bf16-sharded"));
  GeneratedText text_{*tokenizer_};

  void say(const std::string& what) {
    for (const std::int32_t id : tokenizer_->encode(what, SpecialTokens::AsText)) text_.push(id);
  }
};

TEST_F(GeneratedTextTest, NoticesTheTokenThatCompletesTheStopText) {
  say("{\"Overall Score\": \"2<Overall");
  EXPECT_FALSE(text_.just_completed("<Overall>"));
  text_.push(*tokenizer_->token_id(">"));
  EXPECT_TRUE(text_.just_completed("<Overall>"));
  say(" a");
  EXPECT_FALSE(text_.just_completed("<Overall>"));
}

TEST_F(GeneratedTextTest, LeavesOutSpecialTokensAndKeepsTheirIds) {
  say("ab");
  const std::size_t count = text_.ids().size();
  text_.push(*tokenizer_->token_id("<|endoftext|>"));
  EXPECT_EQ(text_.text(), "ab");
  EXPECT_EQ(text_.ids().size(), count + 1);
}

TEST_F(GeneratedTextTest, ShowsAnIncompleteCharacterAsOneReplacement) {
  const auto ids = tokenizer_->encode("\xF0\x9F\x98\x80", SpecialTokens::AsText);
  ASSERT_GT(ids.size(), 1U);
  text_.push(ids.front());
  EXPECT_EQ(text_.text(), "\xEF\xBF\xBD");
  text_.clear();
  for (const std::int32_t id : ids) text_.push(id);
  EXPECT_EQ(text_.text(), "\xF0\x9F\x98\x80");
}

}  // namespace
}  // namespace aitqe
