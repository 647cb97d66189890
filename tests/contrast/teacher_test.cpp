#include "aitqe/contrast/teacher.h"

#include <gmock/gmock.h>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

TEST(TeacherNotes, ReadsRowsAndNamesThoseItCannotUse) {
  const test::TemporaryFolder folder;
  folder.write(
      "notes.jsonl",
      R"({"key": "a", "scores": {"overall": 3, "text_quality": 8.5}, "recaption": "better"})"
      "\n\n"
      R"({"key": "b", "scores": {"overall": 9}, "explanations": {"overall": "fine"}})"
      "\n"
      R"({"key": "c", "scores": {"overall": 11}})"
      "\nno json\n"
      R"({"scores": {"overall": 1}})"
      "\n"
      R"({"key": "d"})"
      "\n"
      R"({"key": "a", "scores": {"overall": 5}})"
      "\n");
  const TeacherNotes notes = TeacherNotes::read(folder / "notes.jsonl");
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes.find("0", "a")->scores.overall, 3);
  EXPECT_EQ(notes.find("0", "a")->scores.text_quality, 8.5);
  EXPECT_EQ(notes.find("0", "a")->recaption, "better");
  EXPECT_EQ(notes.find("0", "b")->explanations.overall, "fine");
  EXPECT_FALSE(notes.find("0", "b")->recaption);
  EXPECT_THAT(notes.unusable(),
              ElementsAre(HasSubstr("notes.jsonl:4: scores.overall is 11"), HasSubstr(":5: "),
                          EndsWith(":6: no key"), EndsWith(":7: no scores.overall"),
                          EndsWith(":8: key \"a\" was there before")));
}

TEST(TeacherNotes, ReadsRowsOfAReport) {
  const test::TemporaryFolder folder;
  folder.write(
      "rows.jsonl",
      R"({"key": "a", "shard": "0", "scores": {"overall": 3.0, "text_quality": -1.0},)"
      R"( "recaption": " a cat ", "explanations": {"overall": ""}})"
      "\n"
      R"({"key": "b", "shard": "0", "scores": {"overall": -1.0}, "recaption": "  "})"
      "\n"
      R"({"key": "c", "shard": "0", "scores": {"overall": 8.0, "text_quality": null}, "recaption": "  "})"
      "\n");
  const TeacherNotes notes = TeacherNotes::read(folder / "rows.jsonl");
  EXPECT_EQ(notes.find("0", "a")->recaption, "a cat");
  EXPECT_EQ(notes.find("0", "a")->scores.text_quality, Assessment().scores.text_quality);
  EXPECT_EQ(notes.find("1", "a"), nullptr);
  EXPECT_FALSE(notes.find("0", "c")->recaption);
  EXPECT_THAT(notes.unusable(), ElementsAre(EndsWith(":2: no scores.overall")));
}

TEST(TeacherNotes, KeepsTheRowsThatFitOneSample) {
  const test::TemporaryFolder folder;
  folder.write("notes.jsonl", R"({"key": "a", "scores": {"overall": 3}})"
                              "\n"
                              R"({"key": "a", "shard": "1", "scores": {"overall": 4}})"
                              "\n"
                              R"({"key": "b", "scores": {"overall": 5}})"
                              "\n"
                              R"({"key": "c", "shard": "2", "scores": {"overall": 6}})"
                              "\n");
  TeacherNotes notes = TeacherNotes::read(folder / "notes.jsonl");
  for (const char* shard : {"0", "1"}) {
    for (const char* key : {"a", "b", "c"}) notes.meet(shard, key);
  }
  notes.settle();
  EXPECT_EQ(notes.find("0", "a")->scores.overall, 3);
  EXPECT_EQ(notes.find("1", "a")->scores.overall, 4);
  EXPECT_EQ(notes.find("0", "b"), nullptr);
  EXPECT_THAT(notes.unusable(), ElementsAre(HasSubstr(":3: key \"b\" is of 2 samples"),
                                            HasSubstr(":4: key \"c\" is of no sample here")));
}

TEST(TeacherNotes, TakesNoOtherRowForOneThatNamesItsShard) {
  const test::TemporaryFolder folder;
  folder.write("notes.jsonl", R"({"key": "a", "scores": {"overall": 3}})"
                              "\n"
                              R"({"key": "a", "shard": "1", "scores": {"overall": 4}})"
                              "\n");
  TeacherNotes notes = TeacherNotes::read(folder / "notes.jsonl");
  for (const char* shard : {"0", "1", "1"}) notes.meet(shard, "a");
  notes.settle();
  EXPECT_EQ(notes.find("0", "a")->scores.overall, 3);
  EXPECT_EQ(notes.find("1", "a"), nullptr);
  EXPECT_THAT(notes.unusable(), ElementsAre(HasSubstr(":2: key \"a\" is of 2 samples")));
}

TEST(TeacherNotes, NeedsTheFile) {
  EXPECT_THAT(test::message_of([] { TeacherNotes::read("/nowhere/notes.jsonl"); }),
              HasSubstr("/nowhere/notes.jsonl: cannot be read (--teacher)"));
}

}  // namespace
}  // namespace aitqe
