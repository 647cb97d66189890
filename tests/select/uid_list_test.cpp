#include "aitqe/select/uid_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aitqe/base/error.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

using testing::HasSubstr;

void add(UidList& list, const std::string& uid) {
  const FinishedShard shard{"run", ShardStats()};
  ReportRow row;
  row.key = "k";
  row.uid = uid;
  list.add({shard, 0, row, ""});
}

// Expected: numpy.save of the same array in Python.
TEST(UidList, WritesTheFileThatNumpyWouldWrite) {
  const test::TemporaryFolder folder;
  UidList list(folder / "a.npy");
  add(list, "00000000000000020000000000000001");
  add(list, "0000000000000001FFFFFFFFFFFFFFFF");
  add(list, "00000000000000020000000000000001");
  EXPECT_FALSE(std::filesystem::exists(folder / "a.npy"));
  list.finish();
  std::string expected("\x93NUMPY\x01\x00\x76\x00", 10);
  expected += "{'descr': [('f0', '<u8'), ('f1', '<u8')], 'fortran_order': False, 'shape': (2,), }";
  expected += std::string(127 - expected.size(), ' ') + "\n";
  const std::string zeros(7, '\0');
  expected += "\x01" + zeros + std::string(8, '\xFF') + "\x02" + zeros + "\x01" + zeros;
  EXPECT_EQ(test::read_bytes(folder / "a.npy"), expected);
}

TEST(UidList, RefusesARowWithoutUidAndSaysWhatToDo) {
  const test::TemporaryFolder folder;
  for (const std::string uid :
       {"", "1234", "0000000000000002000000000000000g", "000000000000000200000000000000012",
        "-0000000000000020000000000000001", "0x000000000000020000000000000001"}) {
    UidList list(folder / "a.npy");
    try {
      add(list, uid);
      ADD_FAILURE() << uid;
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), ErrorCategory::Usage);
      EXPECT_THAT(error.what(), HasSubstr("32 hex digits"));
      EXPECT_THAT(error.what(), HasSubstr("--where"));
    }
  }
}

}  // namespace
}  // namespace aitqe
