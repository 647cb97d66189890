#include "aitqe/report/row_reader.h"

#include <gtest/gtest.h>

#include <fstream>

#include "aitqe/base/error.h"
#include "sample_row.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

class RowReaderTest : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) {
    std::filesystem::path path = folder_ / "a.aitqe.jsonl";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  test::TemporaryFolder folder_;
};

TEST_F(RowReaderTest, GivesTheRowsInOrderAndTheirLines) {
  const std::string first = to_json_line(sample_row());
  const std::string second = to_json_line(bare_row());
  RowReader reader(write(first + "\n" + second + "\n"));
  EXPECT_EQ(reader.next()->key, "000347");
  EXPECT_EQ(reader.line(), first);
  EXPECT_EQ(reader.next()->key, "k");
  EXPECT_EQ(reader.line(), second);
  EXPECT_FALSE(reader.next());
}

TEST_F(RowReaderTest, NamesFileAndLineOfWhatIsNoRow) {
  RowReader reader(write(to_json_line(bare_row()) + "\n{}\n"));
  reader.next();
  try {
    reader.next();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::Damaged);
    EXPECT_NE(std::string(error.what()).find("a.aitqe.jsonl:2: "), std::string::npos);
  }
}

TEST_F(RowReaderTest, SaysWhenThereIsNoFile) {
  EXPECT_THROW(RowReader(folder_ / "none.jsonl"), Error);
}

}  // namespace
}  // namespace aitqe
