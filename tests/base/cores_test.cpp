#include "aitqe/base/cores.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

#include "support/temporary_folder.h"

namespace aitqe {
namespace {

TEST(UsableCores, AreAtMostThoseOfTheAffinityMask) {
  const int before = usable_cores();
  EXPECT_GE(before, 1);
  std::thread([] {
    cpu_set_t mask;
    ASSERT_EQ(sched_getaffinity(0, sizeof mask, &mask), 0);
    int first = 0;
    while (!CPU_ISSET(first, &mask)) ++first;
    CPU_ZERO(&mask);
    CPU_SET(first, &mask);
    ASSERT_EQ(sched_setaffinity(0, sizeof mask, &mask), 0);
    EXPECT_EQ(usable_cores(), 1);
  }).join();
  EXPECT_EQ(usable_cores(), before) << "the mask was that thread's own";
}

class GrantedCores : public ::testing::Test {
 protected:
  double granted(const std::string& membership) {
    folder_.write("membership", membership);
    return granted_cores(folder_ / "groups", folder_ / "membership", 16);
  }

  test::TemporaryFolder folder_;
};

TEST_F(GrantedCores, AreThoseOfTheTightestGroupAround) {
  folder_.write("groups/cpu.max", "max 100000\n");
  folder_.write("groups/jobs/cpu.max", "250000 100000\n");
  folder_.write("groups/jobs/7/cpu.max", "800000 100000\n");
  EXPECT_EQ(granted("1:cpuset:/elsewhere\n0::/jobs/7\n"), 2.5);
  EXPECT_EQ(granted("0::/jobs/8\n"), 2.5) << "a group without a file of its own";
  EXPECT_EQ(granted("0::/\n"), 16);
  folder_.write("groups/cpu.max", "50000 100000\n");  // as a container sees its own group
  EXPECT_EQ(granted("0::/\n"), 0.5);
}

TEST_F(GrantedCores, AreAllWhereNothingReadableSaysLess) {
  EXPECT_EQ(granted(""), 16);
  EXPECT_EQ(granted("4:cpu:/jobs\n"), 16) << "version 1";
  folder_.write("groups/jobs/cpu.max", "nonsense");
  EXPECT_EQ(granted("0::/jobs\n"), 16);
  folder_.write("groups/jobs/cpu.max", "100000 0\n");
  EXPECT_EQ(granted("0::/jobs\n"), 16);
  EXPECT_EQ(granted_cores(folder_.path(), folder_ / "not there", 16), 16);
}

}  // namespace
}  // namespace aitqe
