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
  ASSERT_EQ(notes.by_key.size(), 2U);
  EXPECT_EQ(notes.by_key.at("a").scores.overall, 3);
  EXPECT_EQ(notes.by_key.at("a").scores.text_quality, 8.5);
  EXPECT_EQ(notes.by_key.at("a").recaption, "better");
  EXPECT_EQ(notes.by_key.at("b").explanations.overall, "fine");
  EXPECT_FALSE(notes.by_key.at("b").recaption);
  EXPECT_THAT(notes.unusable,
              ElementsAre(HasSubstr("notes.jsonl:4: scores.overall is 11"), HasSubstr(":5: "),
                          EndsWith(":6: no key"), EndsWith(":7: no scores.overall"),
                          EndsWith(":8: key \"a\" was there before")));
}

TEST(TeacherNotes, NeedsTheFile) {
  EXPECT_THAT(test::message_of([] { TeacherNotes::read("/nowhere/notes.jsonl"); }),
              HasSubstr("/nowhere/notes.jsonl: cannot be read (--teacher)"));
}

}  // namespace
}  // namespace aitqe
