#include "aitqe/eval/trial.h"

#include <gmock/gmock.h>

#include <set>

namespace aitqe {
namespace {

SourcePair source_pair(const std::string& caption, const std::string& group = "") {
  SourcePair pair;
  pair.caption = caption;
  pair.group = group;
  return pair;
}

class TrialTest : public ::testing::Test {
 protected:
  TrialTest() {
    pool_.add({"the old harbour of Lisbon", "places", false});
    pool_.add({"a red apple on a table", "fruit", false});
    pool_.add({"a green pear on a plate", "fruit", false});
    pool_.seal();
    sample_.key = "0";
    sample_.members.push_back({"0.jpg", "jpg", "pixels", {}, 0});
    sample_.members.push_back({"0.json", "json", R"({"source": "farm"})", {}, 0});
  }

  std::vector<Trial> make(const SourcePair& pair, const Member* other) const {
    return TrialMaker(corruptor_, options_)(sample_, "shard", pair, other);
  }

  CaptionPool pool_;
  Corruptor corruptor_{pool_};
  Sample sample_;
  TrialOptions options_;
};

TEST_F(TrialTest, TriesEveryFlawTheCaptionCanHaveAndTheControl) {
  const Member other{"9.png", "png", "other pixels", {}, 0};
  const std::vector<Trial> trials = make(source_pair("a red apple on a table", "fruit"), &other);
  std::set<std::string> kinds;
  for (const Trial& trial : trials) {
    EXPECT_TRUE(kinds.insert(trial.kind).second);
    EXPECT_EQ(trial.key, "shard/0");
    EXPECT_EQ(trial.source, "farm");
    EXPECT_EQ(find_text(trial.sample)->bytes, trial.caption);
    const bool is_control = trial.kind == kControlGood || trial.kind == kControlBad;
    EXPECT_EQ(find_image(trial.sample)->bytes, is_control ? "other pixels" : "pixels");
    if (trial.kind != kGoodTrial && trial.kind != kControlGood) {
      EXPECT_NE(trial.caption, "a red apple on a table");
    }
  }
  for (const char* kind :
       {"good", "other_image", "near_miss", "wrong_colour", "wrong_object", "truncated", "shuffled",
        "alt_text_junk", "boilerplate", "control_good", "control_bad"}) {
    EXPECT_TRUE(kinds.contains(kind)) << kind;
  }
  EXPECT_FALSE(kinds.contains("wrong_language"));
}

TEST_F(TrialTest, TakesAGenericCaptionAsItCame) {
  SourcePair pair = source_pair("gramastar");
  pair.kind = SourcePair::Kind::Generic;
  pair.better = "a star";
  const std::vector<Trial> trials = make(pair, nullptr);
  ASSERT_EQ(trials.size(), 1U);
  EXPECT_EQ(trials[0].kind, kShippedTrial);
  EXPECT_EQ(trials[0].truth, "a star");
}

TEST_F(TrialTest, LeavesOutFlawsThatAreSwitchedOffAndVagueCaptions) {
  options_.flaws = FlawMix::parse("truncated");
  EXPECT_EQ(make(source_pair("a red apple on a table"), nullptr).size(), 2U);
  SourcePair vague = source_pair("long ago");
  vague.kind = SourcePair::Kind::Vague;
  EXPECT_TRUE(make(vague, nullptr).empty());
}

}  // namespace
}  // namespace aitqe
