#include "aitqe/data/sample.h"

#include <gtest/gtest.h>

namespace aitqe {
namespace {

Sample make_sample(const std::vector<std::string>& suffixes) {
  Sample sample;
  sample.key = "0";
  for (const std::string& suffix : suffixes) {
    sample.members.push_back({"0." + suffix, suffix, suffix, {}, 0});
  }
  return sample;
}

TEST(FindImage, PrefersTheSuffixThatOpenClipTriesFirst) {
  EXPECT_EQ(find_image(make_sample({"webp", "txt", "png", "jpg"}))->suffix, "jpg");
  EXPECT_EQ(find_image(make_sample({"webp", "jpeg"}))->suffix, "jpeg");
  EXPECT_EQ(find_image(make_sample({"gif", "json"}))->suffix, "gif");
}

TEST(FindImage, FindsNoneAmongOtherMembers) {
  EXPECT_EQ(find_image(make_sample({"txt", "seg.png"})), nullptr);
  EXPECT_EQ(find_image(make_sample({})), nullptr);
}

TEST(FindMember, LeavesOutMembersThatPassThrough) {
  Sample sample = make_sample({"txt"});
  sample.members.insert(sample.members.begin(), Member{"folder", "", "", {}, 0});
  EXPECT_EQ(find_text(sample)->name, "0.txt");
  EXPECT_EQ(find_member(sample, ""), nullptr);
  EXPECT_EQ(describe_members(sample), "txt");
}

}  // namespace
}  // namespace aitqe
