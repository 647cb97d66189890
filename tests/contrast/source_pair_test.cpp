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

TEST(SourcePair, TakesNullForNothing) {
  const SourcePair pair = read_source_pair(
      sample("a cat", R"({"group": null, "texts": null, "kind": null, "translations": null})"), {});
  EXPECT_TRUE(pair.group.empty());
  EXPECT_TRUE(pair.texts.empty());
}

TEST(SourcePair, LeavesOtherPeoplesFieldsAloneWhereTold) {
  for (const char* json : {R"({"group": 7, "texts": "x", "better": [], "translations": 1})", "{",
                           R"({"kind": {"a": 1}, "texts": [1, 2]})"}) {
    const SourcePair pair = read_source_pair(sample("a cat", json), {}, OddFields::Ignore);
    EXPECT_EQ(pair.caption, "a cat");
    EXPECT_EQ(pair.kind, SourcePair::Kind::Good);
    EXPECT_TRUE(pair.group.empty() && pair.texts.empty() && pair.better.empty()) << json;
  }
}

TEST(SourcePair, KnowsAllThatIsTrueOfItsPicture) {
  const auto true_texts = [](const std::string& json) {
    return read_source_pair(sample("a cat", json), {}).true_texts();
  };
  EXPECT_THAT(true_texts(R"({"texts": ["a tabby"]})"), ElementsAre("a tabby", "a cat"));
  EXPECT_THAT(true_texts(R"({"kind": "generic", "better": "a tabby"})"), ElementsAre("a tabby"));
  EXPECT_TRUE(true_texts(R"({"kind": "lore"})").empty());
}

TEST(SourcePair, RefusesWhatCannotTeach) {
  EXPECT_THAT(complaint(sample("  \n", "")), HasSubstr("no_caption"));
  EXPECT_THAT(complaint(sample("a \xFF", "")), HasSubstr("not_utf8"));
  EXPECT_THAT(complaint(sample("a cat", "{")), HasSubstr("bad_json"));
  EXPECT_EQ(complaint(sample("a cat", R"({"group": 7})")),
            "bad_json: group is number, expected a text");
  EXPECT_EQ(complaint(sample("a cat", R"({"texts": "a"})")),
            "bad_json: texts is string, expected a list of texts");
  EXPECT_EQ(complaint(sample("a cat", R"({"texts": ["a", 1]})")),
            "bad_json: texts is number, expected a text");
  EXPECT_EQ(complaint(sample("a cat", R"({"translations": ["a"]})")),
            "bad_json: translations is array, expected an object of texts");
  Sample no_image = sample("a cat", "");
  no_image.members.erase(no_image.members.begin());
  EXPECT_THAT(complaint(no_image), HasSubstr("no_image"));
  Sample twice = sample("a cat", "");
  twice.problems.push_back(SampleProblem::DuplicateKey);
  EXPECT_THAT(complaint(twice), HasSubstr("duplicate_key"));
}

}  // namespace
}  // namespace aitqe
