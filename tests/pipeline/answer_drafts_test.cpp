#include "aitqe/pipeline/answer_drafts.h"

#include <gtest/gtest.h>

#include "support/reference.h"

namespace aitqe {
namespace {

class AnswerDraftsTest : public ::testing::Test {
 protected:
  /// The text of what is guessed behind `said`.
  std::string guess(const std::string& said, bool rewrites = false, bool has_scored = false) const {
    GeneratedText text(tokenizer_);
    for (const std::int32_t id : tokenizer_.encode(said, SpecialTokens::AsText)) text.push(id);
    std::string guessed;
    for (const std::int32_t id : drafts_.after(text, rewrites, has_scored)) {
      guessed += tokenizer_.token_bytes(id);
    }
    return guessed;
  }

  Tokenizer tokenizer_ = Tokenizer::load(test::reference_dir() / "grouped-bf16-sharded");
  AnswerDrafts drafts_ = AnswerDrafts(tokenizer_, AnswerKeys());
};

TEST_F(AnswerDraftsTest, BeginsAsItLooks) {
  EXPECT_EQ("{\"" + guess("{\"", /*rewrites=*/true), R"({"Recaption": ")");
  EXPECT_EQ("{\"" + guess("{\"", /*rewrites=*/false), R"({"Overall Score": ")");
  EXPECT_EQ(guess(R"({"Recaption": ")", /*rewrites=*/true), "");
  EXPECT_EQ(guess("a score"), "");
}

TEST_F(AnswerDraftsTest, LeavesTheLastTokenOfTheScoresEndToTheModel) {
  const std::string end = guess(R"({"Overall Score": "8)", false, /*has_scored=*/true);
  EXPECT_TRUE(AnswerKeys().score_end.starts_with(end)) << end;
  EXPECT_FALSE(end.empty());
}

TEST_F(AnswerDraftsTest, GoesOnFromARecaptionToTheScore) {
  EXPECT_EQ(guess(R"({"Recaption": "A cat", )", true), R"("Overall Score": ")");
  EXPECT_EQ(guess(R"({"Recaption": "A cat",)", true), R"( "Overall Score": ")");
  EXPECT_EQ(guess(R"({"Recaption": "A cat)", true), "");
  EXPECT_EQ(guess(R"({"Recaption": "the sign \")", true), "");  // a quote within the caption
  EXPECT_EQ(guess(R"({"Recaption": "A cat", "Overall Score": ")", true), "");
}

TEST_F(AnswerDraftsTest, GuessesNothingWithoutKeys) {
  GeneratedText text(tokenizer_);
  EXPECT_TRUE(AnswerDrafts().after(text, true, false).empty());
}

}  // namespace
}  // namespace aitqe
