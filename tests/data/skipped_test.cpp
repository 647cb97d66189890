#include "aitqe/data/skipped.h"

#include <gtest/gtest.h>

namespace aitqe {
namespace {

TEST(Skipped, CountsByCodeAndShowsTheFirstOfEach) {
  Skipped skipped;
  EXPECT_TRUE(skipped.empty());
  EXPECT_EQ(skipped.render("left out: "), "");
  skipped.add("0/a", SampleError("no_image"));
  skipped.add("0/b", SampleError("bad_json: line 1: odd"));
  skipped.add("0/c\x1B", SampleError("bad_json: line 2: odder"));
  EXPECT_EQ(skipped.count(), 3);
  EXPECT_EQ(skipped.counts(),
            (std::map<std::string, std::int64_t>{{"bad_json", 2}, {"no_image", 1}}));
  EXPECT_EQ(skipped.render("left out: "),
            "left out: bad_json                             2, e.g. 0/b: bad_json: line 1: odd\n"
            "left out: no_image                             1, e.g. 0/a: no_image\n");
}

TEST(Skipped, ShowsNoControlCharacters) {
  Skipped skipped;
  skipped.add("0/c\x1B", SampleError("no_image"));
  EXPECT_EQ(skipped.by_code().at("no_image").example, "0/c?: no_image");
}

}  // namespace
}  // namespace aitqe
