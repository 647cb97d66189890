#include "aitqe/model/fingerprint.h"

#include <gtest/gtest.h>

#include "support/reference.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using test::reference_dir;
using test::TemporaryFolder;

TEST(ModelFingerprint, ChangesWithAnyFileOfTheModel) {
  const TemporaryFolder copy;
  fs::copy(reference_dir() / "drop-first-mixed", copy.path(), fs::copy_options::recursive);
  const std::string before = model_fingerprint(copy.path());
  EXPECT_EQ(before, model_fingerprint(reference_dir() / "drop-first-mixed"));
  copy.write("merges.txt", "#version: 0.2\n");
  EXPECT_NE(model_fingerprint(copy.path()), before);
}

}  // namespace
}  // namespace aitqe
