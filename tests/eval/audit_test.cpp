#include "aitqe/eval/audit.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "support/errors.h"

namespace aitqe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TrialRun own_captions() {
  TrialRun run;
  for (int i = 0; i < 100; ++i) {
    TrialResult result;
    result.key = std::to_string(i);
    result.kind = i % 2 == 0 ? kGoodTrial : kShippedTrial;
    result.caption = i < 60 ? "two words" : "this caption has quite a few more words";
    if (i >= 90) result.caption = "\xE7\x8C\xAB\xE3\x81\xAE\xE5\x86\x99\xE7\x9C\x9F";
    result.score = 1 + 0.08 * i;
    result.p_rewrite = 0.5;
    result.rewrites = i < 20;
    result.image_width_px = i < 50 ? 100 : 600;
    result.image_height_px = 700;
    run.results.push_back(result);
  }
  return run;
}

TrialOptions no_flaws() {
  TrialOptions options;
  for (std::size_t i = 0; i < kNumFlaws; ++i) options.flaws.set(static_cast<Flaw>(i), 0);
  return options;
}

TEST(Audit, GroupsCaptionsAndFindsTheThresholdForAWantedRate) {
  const Audit report = audit(own_captions(), 0.25, no_flaws());
  EXPECT_NEAR(report.threshold, 1 + 0.08 * 25, 1e-9);
  int below = 0;
  for (const TrialResult& result : own_captions().results) {
    below += result.score < report.threshold ? 1 : 0;
  }
  EXPECT_EQ(below, 25);
  EXPECT_NEAR(report.rewritten_below_threshold, 0.25, 1e-9);

  EXPECT_EQ(report.by_words[0].num_captions, 70);  // 60 of two words, 10 without spaces
  EXPECT_EQ(report.by_words[2].num_captions, 30);
  EXPECT_NEAR(report.by_words[2].mean_score, 1 + 0.08 * 74.5, 1e-9);
  EXPECT_EQ(report.by_script[1].num_captions, 10);
  EXPECT_EQ(report.by_image_side[0].num_captions, 50);
  EXPECT_NEAR(report.by_image_side[0].rewritten, 0.4, 1e-9);
  EXPECT_EQ(report.by_image_side[3].num_captions, 50);
}

TEST(Audit, SaysItInWordsAndAsJson) {
  const Audit report = audit(own_captions(), 0.25, no_flaws());
  EXPECT_THAT(render_audit(report), HasSubstr("--rewrite-when 'score<3.0000'"));
  EXPECT_EQ(nlohmann::json::parse(audit_to_json(report)).at("by_words").size(), 5U);
}

TEST(Audit, SaysWhatAThresholdReallyRewrites) {
  TrialRun run = own_captions();
  for (TrialResult& result : run.results) result.score = 4;
  const Audit report = audit(run, 0.25, no_flaws());
  EXPECT_EQ(report.rewritten_below_threshold, 0);
  EXPECT_THAT(render_audit(report), HasSubstr("'score<4.0000' (0.0 % here)"));
}

TEST(Audit, TellsLanguagesApart) {
  TrialRun run = own_captions();
  const auto speak = [&run](int first, int last, const char* caption) {
    for (int i = first; i < last; ++i) run.results[static_cast<std::size_t>(i)].caption = caption;
  };
  speak(0, 50, "the cat sits on the roof of the house and looks at the birds in the garden");
  speak(50, 97,
        "die Katze sitzt auf dem Dach des Hauses und schaut den V\xC3\xB6geln im Garten zu");
  speak(97, 100,
        "le chat est assis sur le toit de la maison et regarde les oiseaux dans le jardin");
  const Audit report = audit(run, 0.25, no_flaws());
  ASSERT_EQ(report.by_language.size(), 3U);
  EXPECT_EQ(report.by_language[0].name, "en");
  EXPECT_EQ(report.by_language[0].num_captions, 50);
  EXPECT_EQ(report.by_language[1].name, "de");
  EXPECT_EQ(report.by_language[2].name, "others");
  EXPECT_EQ(report.by_language[2].num_captions, 3);
  EXPECT_THAT(render_audit(report), HasSubstr("by language"));
}

TEST(Audit, NamesWhatWasNotTriedAndWhatWasLeftOut) {
  TrialRun run = own_captions();
  TrialResult mismatch = run.results[0];
  mismatch.kind = "other_image";
  run.results.push_back(mismatch);
  run.skipped.add("0/a", SampleError("no_caption"));
  TrialOptions options;
  options.flaws = FlawMix::parse("other_image,wrong_language,near_miss");
  const Audit report = audit(run, 0.25, options);
  EXPECT_EQ(report.not_tried, (std::vector{Flaw::NearMiss, Flaw::WrongLanguage}));
  EXPECT_THAT(render_audit(report),
              AllOf(HasSubstr("not tried, since no caption can have it: near_miss, wrong_language"),
                    HasSubstr("left out: no_caption"), HasSubstr("e.g. 0/a: no_caption")));
  const auto json = nlohmann::json::parse(audit_to_json(report));
  EXPECT_EQ(json.at("not_tried"), nlohmann::json({"near_miss", "wrong_language"}));
  EXPECT_EQ(json.at("skipped").at("no_caption"), 1);
}

TEST(Audit, NeedsACaptionThatWasJudged) {
  TrialRun run = own_captions();
  run.results.resize(1);
  run.results[0].score = run.results[0].p_rewrite = -1;
  run.results[0].failure = "image: truncated_image";
  run.skipped.add("0/a", SampleError("no_caption"));
  EXPECT_THAT(test::message_of([&] { audit(run, 0.5, no_flaws()); }),
              AllOf(HasSubstr("no caption of the input could be judged, e.g. 0: image: truncated"),
                    HasSubstr("left out: no_caption")));
}

}  // namespace
}  // namespace aitqe
