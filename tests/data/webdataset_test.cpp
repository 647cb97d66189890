#include "aitqe/data/webdataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/io_support.h"

namespace aitqe {
namespace {

using test::make_tar;
using test::NamedBytes;
using test::tar_fixture;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Grouped {
  std::vector<Sample> samples;
  std::vector<Member> leftovers;
};

Grouped group(const std::string& archive, const GroupingOptions& options = {}) {
  MemorySource source(archive);
  LossLog losses;
  TarReader members(source, losses);
  SampleReader reader(members, options);
  Grouped result;
  while (auto sample = reader.next()) result.samples.push_back(std::move(*sample));
  result.leftovers = reader.take_leftovers();
  return result;
}

std::vector<Sample> group_names(const std::vector<std::string>& names,
                                const GroupingOptions& options = {}) {
  std::vector<NamedBytes> files;
  for (const std::string& name : names) files.emplace_back(name, "x");
  return group(make_tar(files), options).samples;
}

std::vector<std::string> keys_of(const std::vector<Sample>& samples) {
  std::vector<std::string> keys;
  for (const Sample& sample : samples) keys.push_back(sample.key);
  return keys;
}

std::string split(const std::string& name) {
  const auto parts = split_name(name);
  return parts ? parts->key + "|" + parts->suffix : "none";
}

// Each line was also given to webdataset 1.0.2's base_plus_ext and skip_meta.
TEST(SplitName, AgreesWithWebdataset) {
  EXPECT_EQ(split("0.jpg"), "0|jpg");
  EXPECT_EQ(split("a/b.c/0.SEG.Png"), "a/b.c/0|seg.png");
  EXPECT_EQ(split("./0.jpg"), "./0|jpg");
  EXPECT_EQ(split("/etc/x.txt"), "/etc/x|txt");
  EXPECT_EQ(split("../x.txt"), "../x|txt");
  EXPECT_EQ(split("noextension"), "none");
  EXPECT_EQ(split("a.b/c"), "none");
  EXPECT_EQ(split(".hidden"), "none");
  EXPECT_EQ(split("a/.hidden"), "a/|hidden");
  EXPECT_EQ(split("b/a/.hidden"), "b/a/|hidden");
  EXPECT_EQ(split("a.b/.hidden"), "none");
  EXPECT_EQ(split("__meta__"), "none");
  EXPECT_EQ(split("__meta__/0.jpg"), "none");
  EXPECT_EQ(split("a/__meta__.jpg"), "a/__meta__|jpg");
  EXPECT_EQ(split("__x.jpg"), "__x|jpg");
  EXPECT_EQ(split(""), "none");
}

TEST(SampleReader, GroupsAdjacentMembersOfOneKey) {
  const auto samples = group_names({"0.jpg", "0.txt", "1.jpg", "1.json", "1.txt"});

  ASSERT_THAT(keys_of(samples), ElementsAre("0", "1"));
  EXPECT_EQ(describe_members(samples[1]), "jpg, json, txt");
  EXPECT_EQ(samples[1].index, 1);
  EXPECT_EQ(samples[1].members[0].header_offset, 2048);
  EXPECT_THAT(samples[0].problems, IsEmpty());
}

TEST(SampleReader, GroupsWhatWebdatasetWrote) {
  const auto samples = group(tar_fixture("webdataset.tar")).samples;
  ASSERT_THAT(keys_of(samples), ElementsAre("000000000", "000000001", "000000002"));
  EXPECT_EQ(describe_members(samples[0]), "jpg, json, txt");
  EXPECT_EQ(find_text(samples[2])->bytes, "caption 2");
}

TEST(SampleReader, ReportsASuffixThatComesTwiceInAnyCase) {
  const auto samples = group_names({"0.jpg", "0.JPG", "0.txt", "0.txt"});
  ASSERT_THAT(samples, SizeIs(1));
  EXPECT_THAT(samples[0].problems,
              ElementsAre(SampleProblem::DuplicateSuffix, SampleProblem::SeveralImages,
                          SampleProblem::SeveralCaptions));
}

TEST(SampleReader, MakesAReturningKeyASecondSampleAndSaysSo) {
  const auto samples = group_names({"0.jpg", "1.jpg", "0.txt"});
  ASSERT_THAT(keys_of(samples), ElementsAre("0", "1", "0"));
  EXPECT_FALSE(samples[0].has_problem(SampleProblem::DuplicateKey));
  EXPECT_TRUE(samples[2].has_problem(SampleProblem::DuplicateKey));
}

TEST(SampleReader, ReportsAPairThatIsSplitByCase) {
  const auto samples = group_names({"A.jpg", "a.txt"});
  ASSERT_THAT(samples, SizeIs(2));
  EXPECT_TRUE(samples[1].has_problem(SampleProblem::KeyDiffersByCase));
}

TEST(SampleReader, ReportsKeysWithDotsThatLoadersMerge) {
  const auto merged = group_names({"img.v2.000.jpg", "img.v2.000.txt", "img.v2.001.jpg"});
  ASSERT_THAT(merged, SizeIs(1));
  EXPECT_THAT(merged[0].problems, ElementsAre(SampleProblem::DottedKeyMerge));

  EXPECT_THAT(group_names({"a.jpg", "a.seg.png", "a.depth.png", "a.txt"})[0].problems, IsEmpty());
}

TEST(SampleReader, ReportsTwoImages) {
  const auto samples = group_names({"0.jpg", "0.png", "0.txt"});
  EXPECT_THAT(samples[0].problems, ElementsAre(SampleProblem::SeveralImages));
}

TEST(SampleReader, KeepsEveryMemberInItsPlace) {
  const std::vector<std::string> names{"README", "0.jpg", "__x__", "0.txt",
                                       "nodot",  "1.jpg", "1.txt", "__y__/2.jpg"};
  const auto samples = group_names(names);

  ASSERT_THAT(keys_of(samples), ElementsAre("0", "1"));
  std::vector<std::string> names_after;
  for (const Sample& sample : samples) {
    for (const Member& member : sample.members) names_after.push_back(member.name);
  }
  EXPECT_EQ(names_after, names);
  EXPECT_EQ(describe_members(samples[0]), "jpg, txt");
}

TEST(SampleReader, LetsFoldersAndLinksPassThrough) {
  const auto samples = group(tar_fixture("special.tar")).samples;
  ASSERT_THAT(keys_of(samples), ElementsAre("folder/a", "folder/b"));
  EXPECT_THAT(samples[0].members, SizeIs(7));
  EXPECT_EQ(describe_members(samples[0]), "txt");
}

TEST(SampleReader, HandsOutWhatBelongsToNoSampleAtTheEnd) {
  const auto result = group(make_tar({{"README", "x"}, {"__x__", "y"}}));
  EXPECT_THAT(result.samples, IsEmpty());
  EXPECT_THAT(result.leftovers, SizeIs(2));
}

TEST(SampleReader, GivesNothingForAnEmptyArchive) {
  EXPECT_THAT(group(make_tar({})).samples, IsEmpty());
}

TEST(SampleReader, SplitsASampleThatGrowsWithoutEnd) {
  GroupingOptions options;
  options.max_sample_members = 2;
  const auto samples = group_names({"0.a", "0.b", "0.c", "1.a"}, options);

  ASSERT_THAT(keys_of(samples), ElementsAre("0", "0", "1"));
  EXPECT_TRUE(samples[0].has_problem(SampleProblem::SplitSample));
  EXPECT_TRUE(samples[1].has_problem(SampleProblem::SplitSample));
  EXPECT_FALSE(samples[2].has_problem(SampleProblem::SplitSample));
  EXPECT_THAT(samples[1].members, SizeIs(1));
}

TEST(SampleReader, SplitsASampleByBytes) {
  GroupingOptions options;
  options.max_sample_bytes = 2;
  EXPECT_THAT(group_names({"0.a", "0.b", "0.c"}, options), SizeIs(2));
}

}  // namespace
}  // namespace aitqe
