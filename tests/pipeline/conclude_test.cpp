#include "aitqe/pipeline/conclude.h"

#include <gtest/gtest.h>

#include "aitqe/base/hash.h"

namespace aitqe {
namespace {

AssessedSample assessed(const std::string& caption, const std::string& answer) {
  AssessedSample sample;
  sample.prepared.sample.key = "000007";
  sample.prepared.sample.index = 7;
  for (const auto& [suffix, bytes] : std::vector<std::pair<std::string, std::string>>{
           {"jpg", "pixels"}, {"json", R"({"uid": "u7", "url": "u://7"})"}, {"txt", caption}}) {
    Member member;
    member.name = "000007." + suffix;
    member.suffix = suffix;
    member.bytes = bytes;
    sample.prepared.sample.members.push_back(member);
  }
  sample.prepared.caption = caption;
  sample.prepared.caption_present = true;
  sample.answer.text = answer;
  sample.answer.score_expected = 2.5;
  sample.answer.p_rewrite = 0.75;
  return sample;
}

constexpr const char* kRewrite = R"({"Recaption": "A red bird.", "Overall Score": "2<Overall>",)";
constexpr const char* kKeep = R"({"Overall Score": "9<Overall>",)";

TEST(Conclude, ReplacesTheCaptionMemberAndNothingElse) {
  const EnhancedSample enhanced = conclude(assessed("gramastar\n", kRewrite), "00000", false, {});
  EXPECT_EQ(find_member(enhanced.sample, "txt")->bytes, "A red bird.\n");
  EXPECT_EQ(find_member(enhanced.sample, "jpg")->bytes, "pixels");
  EXPECT_EQ(enhanced.row.decision, Decision::Rewrite);
  EXPECT_EQ(enhanced.row.caption, "gramastar\n");
  EXPECT_EQ(enhanced.row.caption_sha256, sha256_hex("gramastar\n"));
  EXPECT_EQ(enhanced.row.recaption, "A red bird.");
  EXPECT_EQ(enhanced.row.scores.overall, 2.0);
  EXPECT_EQ(enhanced.row.score_expected, 2.5);
  EXPECT_EQ(enhanced.row.p_rewrite, 0.75);
  EXPECT_EQ(enhanced.row.uid, "u7");
  EXPECT_EQ(enhanced.row.url, "u://7");
  EXPECT_EQ(enhanced.row.shard, "00000");
  EXPECT_EQ(enhanced.row.index, 7);
}

TEST(Conclude, KeepsAGoodCaptionByteForByte) {
  const EnhancedSample enhanced =
      conclude(assessed(" odd \xFF bytes\r\n", kKeep), "00000", false, {});
  EXPECT_EQ(find_member(enhanced.sample, "txt")->bytes, " odd \xFF bytes\r\n");
  EXPECT_EQ(enhanced.row.decision, Decision::Keep);
  EXPECT_EQ(enhanced.row.caption_out, " odd \xFF bytes\r\n");
}

TEST(Conclude, FailsAPairWhoseAnswerCannotBeReadAndShowsTheAnswer) {
  const EnhancedSample enhanced = conclude(assessed("a dog", "no idea"), "00000", false, {});
  EXPECT_EQ(enhanced.row.decision, Decision::Failed);
  EXPECT_EQ(enhanced.row.failure.stage, "answer");
  EXPECT_TRUE(enhanced.row.failure.reason.starts_with("answer_unreadable: "))
      << enhanced.row.failure.reason;
  EXPECT_EQ(enhanced.row.answer, "no idea");
  EXPECT_EQ(find_member(enhanced.sample, "txt")->bytes, "a dog");
}

TEST(Conclude, PassesAnEarlierFailureOn) {
  AssessedSample sample = assessed("a dog", "");
  sample.prepared.failure = RowFailure{"image", "no_image: members are txt"};
  const EnhancedSample enhanced = conclude(std::move(sample), "00000", false, {});
  EXPECT_EQ(enhanced.row.decision, Decision::Failed);
  EXPECT_EQ(enhanced.row.failure.stage, "image");
  EXPECT_EQ(enhanced.row.score_expected, kNoScore);
}

TEST(Conclude, TakesTheRewriteOfASecondAnswer) {
  AssessedSample sample = assessed("gramastar", kKeep);
  sample.answer.asked_recaption = kRewrite;
  ConcludeOptions options;
  options.rule = RewriteRule::parse("score<4");
  const EnhancedSample enhanced = conclude(std::move(sample), "00000", false, options);
  EXPECT_EQ(enhanced.row.decision, Decision::Rewrite);
  EXPECT_EQ(enhanced.row.caption_out, "A red bird.");
  EXPECT_EQ(enhanced.row.scores.overall, 9.0);
}

TEST(Conclude, ComparesTheForcedScoreWhereThereIsOne) {
  ConcludeOptions options;
  options.rule = RewriteRule::parse("score<4");
  AssessedSample sample = assessed("gramastar", kRewrite);
  sample.answer.score_forced = 6.0;
  EXPECT_EQ(conclude(std::move(sample), "00000", false, options).row.decision, Decision::Keep);
}

TEST(Conclude, SplicesACaptionThatLivesInJson) {
  AssessedSample sample = assessed("old", kRewrite);
  find_member(sample.prepared.sample, "json")->bytes = R"({"a": 1,  "caption":"old", "b": [2]})";
  ConcludeOptions options;
  options.caption_source = CaptionSource::parse("json:caption");
  const EnhancedSample enhanced = conclude(std::move(sample), "00000", false, options);
  EXPECT_EQ(find_member(enhanced.sample, "json")->bytes,
            R"({"a": 1,  "caption":"A red bird.", "b": [2]})");
  EXPECT_EQ(find_member(enhanced.sample, "txt")->bytes, "old");
}

}  // namespace
}  // namespace aitqe
