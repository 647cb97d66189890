#include "aitqe/contrast/source_pair.h"

#include <gmock/gmock.h>

#include "aitqe/base/error.h"

namespace aitqe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Sample sample(const std::string& caption, const std::string& json) {
  Sample made;
  made.key = "0";
  made.members.push_back({"0.jpg", "jpg", "pixels", {}, 0});
  made.members.push_back({"0.txt", "txt", caption, {}, 0});
  if (!json.empty()) made.members.push_back({"0.json", "json", json, {}, 0});
  return made;
}

std::string complaint(const Sample& sample) {
  try {
    read_source_pair(sample, {});
  } catch (const SampleError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(SourcePair, ReadsWhatTheJsonSays) {
  const SourcePair pair =
      read_source_pair(sample("Lemon SVG theme\n",
                              R"({"group": "lemon", "kind": "generic", "better": "a printer icon",
                 "texts": ["printer"], "translations": {"de": "Drucker", "fr": "imprimante"}})"),
                       {});
  EXPECT_EQ(pair.caption, "Lemon SVG theme");
  EXPECT_EQ(pair.group, "lemon");
  EXPECT_EQ(pair.kind, SourcePair::Kind::Generic);
  EXPECT_EQ(pair.better, "a printer icon");
  EXPECT_THAT(pair.texts, ElementsAre("printer"));
  EXPECT_THAT(pair.translations, ElementsAre("Drucker", "imprimante"));
}

TEST(SourcePair, NeedsNoJson) {
  const SourcePair pair = read_source_pair(sample("a cat", ""), {});
  EXPECT_EQ(pair.kind, SourcePair::Kind::Good);
  EXPECT_TRUE(pair.group.empty());
  EXPECT_EQ(read_source_pair(sample("a cat", "[1, 2]"), {}).caption, "a cat");
}

TEST(SourcePair, RefusesWhatCannotTeach) {
  EXPECT_THAT(complaint(sample("  \n", "")), HasSubstr("no_caption"));
  EXPECT_THAT(complaint(sample("a \xFF", "")), HasSubstr("not_utf8"));
  EXPECT_THAT(complaint(sample("a cat", "{")), HasSubstr("bad_json"));
  EXPECT_THAT(complaint(sample("a cat", R"({"group": 7})")), HasSubstr("bad_json"));
  Sample no_image = sample("a cat", "");
  no_image.members.erase(no_image.members.begin());
  EXPECT_THAT(complaint(no_image), HasSubstr("no_image"));
  Sample twice = sample("a cat", "");
  twice.problems.push_back(SampleProblem::DuplicateKey);
  EXPECT_THAT(complaint(twice), HasSubstr("duplicate_key"));
}

}  // namespace
}  // namespace aitqe
