#include "app/task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace aitqe::app {
namespace {

namespace fs = std::filesystem;
using aitqe::test::message_of;
using ::testing::HasSubstr;

class TaskTest : public ::testing::Test {
 protected:
  TaskTest() { clear(); }
  ~TaskTest() override { clear(); }

  static void clear() {
    for (const char* name :
         {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX",
          "SLURM_ARRAY_TASK_COUNT", "JOB_COMPLETION_INDEX", "RANK", "WORLD_SIZE"}) {
      unsetenv(name);
    }
  }
  static void set(const std::map<const char*, const char*>& variables) {
    for (const auto& [name, value] : variables) setenv(name, value, 1);
  }
  void pin(const std::string& count) const {
    fs::create_directories(folder_.path() / "_aitqe");
    std::ofstream(folder_.path() / "_aitqe/run.json")
        << R"({"schema": "aitqe.run/1", "version": "", "config": {}, "model_sha256": "",)"
        << "\"task_count\": " << count << "}";
  }
  void expect(const std::string& index, int count, const TaskShare& wanted) const {
    const TaskShare found = read_task(index, count, folder_.path());
    EXPECT_EQ(found.index, wanted.index);
    EXPECT_EQ(found.count, wanted.count);
  }
  std::string refusal(const std::string& index, int count) const {
    return message_of([&] { read_task(index, count, folder_.path()); });
  }

  aitqe::test::TemporaryFolder folder_;
};

TEST_F(TaskTest, IsTheWholeJobUnlessAskedFor) {
  set({{"SLURM_ARRAY_TASK_ID", "3"}, {"RANK", "2"}, {"WORLD_SIZE", "4"}});
  expect("", 0, {0, 1});
}

TEST_F(TaskTest, TakesTheNumbersGiven) {
  expect("0", 1, {0, 1});
  expect("6", 7, {6, 7});
  EXPECT_THAT(refusal("7", 7), HasSubstr("--task-index 7: of 7 tasks, numbered from 0"));
  EXPECT_THAT(refusal("two", 7), HasSubstr("expected a number or auto"));
  EXPECT_THAT(refusal("-1", 7), HasSubstr("expected a number or auto"));
  EXPECT_THAT(refusal("", 7), HasSubstr("--task-index"));
  EXPECT_THAT(refusal("3", 0), HasSubstr("not known (--task-count)"));
}

TEST_F(TaskTest, AsksSlurmForAWholeArray) {
  set({{"SLURM_ARRAY_TASK_ID", "2"},
       {"SLURM_ARRAY_TASK_MIN", "0"},
       {"SLURM_ARRAY_TASK_MAX", "7"},
       {"SLURM_ARRAY_TASK_COUNT", "8"}});
  expect("auto", 0, {2, 8});
}

TEST_F(TaskTest, DoesNotTakeARetryOfSomeTasksForTheWholeJob) {
  set({{"SLURM_ARRAY_TASK_ID", "3"},
       {"SLURM_ARRAY_TASK_MIN", "1"},
       {"SLURM_ARRAY_TASK_MAX", "3"},
       {"SLURM_ARRAY_TASK_COUNT", "2"}});
  EXPECT_THAT(refusal("auto", 0), HasSubstr("--task-count"));
  pin("8");
  expect("auto", 0, {3, 8});
  expect("auto", 5, {3, 5});
}

TEST_F(TaskTest, KnowsOtherSchedulers) {
  EXPECT_THAT(refusal("auto", 4), HasSubstr("none of SLURM_ARRAY_TASK_ID"));
  set({{"RANK", "1"}, {"WORLD_SIZE", "4"}});
  expect("auto", 0, {1, 4});
  set({{"JOB_COMPLETION_INDEX", "2"}});
  expect("auto", 3, {2, 3});
}

TEST_F(TaskTest, IgnoresARecordThatCannotBeRead) {
  pin("\"many\"");
  EXPECT_THAT(refusal("3", 0), HasSubstr("--task-count"));
}

}  // namespace
}  // namespace aitqe::app
