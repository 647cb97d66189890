#include "aitqe/contrast/contrast.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/data/webdataset.h"
#include "io/io_support.h"
#include "support/errors.h"

namespace aitqe {
namespace {

using test::NamedBytes;
using test::TemporaryFolder;
using ::testing::HasSubstr;

std::vector<NamedBytes> pair_files(const std::string& key, const std::string& caption,
                                   const std::string& json) {
  return {{key + ".jpg", "pixels of " + key}, {key + ".txt", caption}, {key + ".json", json}};
}

class ContrastTest : public ::testing::Test {
 protected:
  ContrastTest() {
    std::vector<NamedBytes> files;
    const auto add = [&files](const std::vector<NamedBytes>& more) {
      files.insert(files.end(), more.begin(), more.end());
    };
    add(pair_files("apple", "A red apple", R"({"group": "fruit"})"));
    add(pair_files("boat", "A fishing boat in the harbour", "{}"));
    add(pair_files("junk", "Lemon SVG theme", R"({"kind": "generic", "better": "a printer"})"));
    add(pair_files("lost", "gramastar", R"({"kind": "generic"})"));
    add(pair_files("lore", "Long ago the elves came here", R"({"kind": "lore"})"));
    files.push_back({"alone.txt", "no picture"});
    test::write_bytes(folder_ / "in/00000.tar", test::make_tar(files));
    options_.shards = {{(folder_ / "in/00000.tar").string(), "00000"}};
    options_.output_folder = folder_ / "out";
  }

  std::vector<Sample> written() const {
    MemorySource source(test::read_bytes(folder_ / "out/00000.tar"));
    LossLog losses;
    TarReader members(source, losses);
    SampleReader reader(members);
    std::vector<Sample> samples;
    while (auto sample = reader.next()) samples.push_back(std::move(*sample));
    EXPECT_TRUE(losses.entries().empty());
    return samples;
  }

  static TrainingRecord record_of(const Sample& sample) {
    return TrainingRecord::from_json(
        find_member(sample, std::string(kTrainingRecordSuffix))->bytes);
  }

  TemporaryFolder folder_;
  ContrastOptions options_;
};

TEST_F(ContrastTest, MakesAGoodAndABadSampleOfEachPair) {
  const ContrastResult result = contrast(options_);
  EXPECT_EQ(result.pairs_read, 6);
  EXPECT_EQ(result.samples_written, 6);
  EXPECT_EQ(result.by_flaw.at("shipped"), 1);
  EXPECT_EQ(result.skipped.counts(),
            (std::map<std::string, std::int64_t>{
                {"generic_without_better", 1}, {"no_image", 1}, {"vague", 1}}));

  const std::vector<Sample> samples = written();
  ASSERT_EQ(samples.size(), 6U);
  EXPECT_EQ(samples[0].key, "apple-good");
  EXPECT_EQ(find_text(samples[0])->bytes, "A red apple");
  EXPECT_EQ(find_image(samples[0])->bytes, "pixels of apple");
  EXPECT_TRUE(record_of(samples[0]).is_good);
  EXPECT_FALSE(record_of(samples[0]).assessment.recaption);

  EXPECT_EQ(samples[1].key, "apple-bad");
  EXPECT_NE(find_text(samples[1])->bytes, "A red apple");
  EXPECT_EQ(record_of(samples[1]).assessment.recaption, "A red apple");
  EXPECT_EQ(record_of(samples[1]).source_key, "apple");
}

TEST_F(ContrastTest, TurnsACaptionThatCameBadAround) {
  contrast(options_);
  const std::vector<Sample> samples = written();
  EXPECT_EQ(samples[4].key, "junk-good");
  EXPECT_EQ(find_text(samples[4])->bytes, "a printer");
  EXPECT_EQ(find_text(samples[5])->bytes, "Lemon SVG theme");
  EXPECT_EQ(record_of(samples[5]).flaw, "shipped");
  EXPECT_EQ(record_of(samples[5]).assessment.recaption, "a printer");
}

TEST_F(ContrastTest, WritesTheSameBytesForTheSameSeed) {
  options_.num_rounds = 3;
  contrast(options_);
  const std::string first = test::read_bytes(folder_ / "out/00000.tar");
  contrast(options_);
  EXPECT_EQ(test::read_bytes(folder_ / "out/00000.tar"), first);
  options_.seed = 1;
  contrast(options_);
  EXPECT_NE(test::read_bytes(folder_ / "out/00000.tar"), first);
}

TEST_F(ContrastTest, TakesATeachersWordForItsPairs) {
  folder_.write("notes.jsonl",
                R"({"key": "boat", "scores": {"overall": 2}, "recaption": "A blue boat"})"
                "\n"
                R"({"key": "apple", "scores": {"overall": 6}})"
                "\nbroken\n"
                R"({"key": "junk", "scores": {"overall": 3}})"
                "\n");
  options_.teacher_file = folder_ / "notes.jsonl";
  const ContrastResult result = contrast(options_);
  EXPECT_EQ(result.unusable_teacher_rows.size(), 1U);
  EXPECT_EQ(result.skipped.counts().at("teacher_low_without_recaption"), 1);
  const std::vector<Sample> samples = written();
  EXPECT_EQ(record_of(samples[0]).assessment.scores.overall, 6);
  EXPECT_EQ(find_text(samples[2])->bytes, "A blue boat");
  EXPECT_EQ(find_text(samples[3])->bytes, "A fishing boat in the harbour");
  EXPECT_EQ(record_of(samples[3]).assessment.scores.overall, 2);
}

TEST_F(ContrastTest, TakesARecaptionForBetterOnlyWhereTheTeacherFindsTheCaptionPoor) {
  folder_.write("notes.jsonl",
                R"({"key": "boat", "scores": {"overall": 10}, "recaption": "A blue boat"})"
                "\n"
                R"({"key": "apple", "scores": {"overall": 2}, "recaption": "a red  apple."})"
                "\n");
  options_.teacher_file = folder_ / "notes.jsonl";
  const ContrastResult result = contrast(options_);
  EXPECT_EQ(result.skipped.counts().at("teacher_low_without_recaption"), 1);
  const std::vector<Sample> samples = written();
  ASSERT_EQ(samples[0].key, "boat-good");
  EXPECT_EQ(find_text(samples[0])->bytes, "A fishing boat in the harbour");
  EXPECT_EQ(record_of(samples[0]).assessment.scores.overall, 10);
  EXPECT_FALSE(record_of(samples[0]).assessment.recaption);
  EXPECT_NE(record_of(samples[1]).flaw, "shipped");
}

TEST_F(ContrastTest, TakesATeachersWordAgainstThatOfThePair) {
  folder_.write("notes.jsonl", R"({"key": "junk", "scores": {"overall": 9}})"
                               "\n"
                               R"({"key": "lore", "scores": {"overall": 8}})"
                               "\n");
  options_.teacher_file = folder_ / "notes.jsonl";
  const ContrastResult result = contrast(options_);
  EXPECT_FALSE(result.skipped.counts().contains("vague"));
  const std::vector<Sample> samples = written();
  ASSERT_EQ(samples[4].key, "junk-good");
  EXPECT_EQ(find_text(samples[4])->bytes, "Lemon SVG theme");
  EXPECT_EQ(record_of(samples[4]).assessment.scores.overall, 9);
  EXPECT_EQ(find_text(samples[6])->bytes, "Long ago the elves came here");
}

TEST_F(ContrastTest, NamesATeachersRowsOfNoPairAndOfSeveral) {
  test::write_bytes(folder_ / "in/00001.tar",
                    test::make_tar(pair_files("boat", "A boat of another shard", "{}")));
  options_.shards.push_back({(folder_ / "in/00001.tar").string(), "00001"});
  folder_.write("notes.jsonl", R"({"key": "boat", "scores": {"overall": 7}})"
                               "\n"
                               R"({"key": "gone", "scores": {"overall": 7}})"
                               "\n"
                               R"({"key": "apple", "shard": "00000", "scores": {"overall": 7}})"
                               "\n");
  options_.teacher_file = folder_ / "notes.jsonl";
  const ContrastResult result = contrast(options_);
  EXPECT_THAT(result.unusable_teacher_rows,
              ::testing::ElementsAre(HasSubstr(":1: key \"boat\" is of 2 samples: say which with"),
                                     HasSubstr(":2: key \"gone\" is of no sample here")));
  EXPECT_EQ(record_of(written()[0]).assessment.scores.overall, 7);
}

TEST_F(ContrastTest, TakesNoTrueTextOfAPictureForAWrongOne) {
  std::vector<NamedBytes> files;
  for (const char* key : {"a", "b", "c"}) {
    const std::string name = std::string("engine") + key;
    const auto more = pair_files(key, "old " + name + " by a platform",
                                 R"({"texts": ["a )" + name + R"( at the station"]})");
    files.insert(files.end(), more.begin(), more.end());
  }
  test::write_bytes(folder_ / "in/00000.tar", test::make_tar(files));
  options_.num_rounds = 20;
  options_.flaws = FlawMix::parse("near_miss,other_image");
  contrast(options_);
  int num_bad = 0;
  for (const Sample& sample : written()) {
    const TrainingRecord record = record_of(sample);
    if (record.is_good) continue;
    ++num_bad;
    EXPECT_THAT(find_text(sample)->bytes, ::testing::Not(HasSubstr("engine" + record.source_key)));
  }
  EXPECT_GT(num_bad, 20);
}

TEST_F(ContrastTest, TellsWhenAllShardsAreThereAndWhichAreNotItsOwn) {
  folder_.write("out/old.tar", "of an earlier run");
  folder_.write("out/contrast.json", "of an earlier run");
  ::testing::internal::CaptureStderr();
  start_log(LogFormat::Text, /*only_warnings=*/true);
  contrast(options_);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("old.tar: is no shard of this"));
  const auto record = nlohmann::json::parse(test::read_bytes(folder_ / "out/contrast.json"));
  EXPECT_EQ(record.at("shards"), nlohmann::json({"00000"}));
  EXPECT_EQ(record.at("result").at("samples_written"), 6);
}

TEST_F(ContrastTest, RefusesStreamsAndItsOwnInputFolder) {
  options_.shards = {{"-", "stdin"}};
  EXPECT_THAT(test::message_of([&] { contrast(options_); }), HasSubstr("reads its input twice"));
  options_.shards = {{(folder_ / "in/00000.tar").string(), "00000"}};
  options_.output_folder = folder_ / "in";
  EXPECT_NE(test::message_of([&] { contrast(options_); }), "nothing was thrown");
}

}  // namespace
}  // namespace aitqe
