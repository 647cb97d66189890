#include "aitqe/base/cores.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

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

}  // namespace
}  // namespace aitqe
