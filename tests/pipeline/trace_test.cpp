#include "aitqe/pipeline/trace.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

TEST(Trace, WritesOneLineAPair) {
  const aitqe::test::TemporaryFolder folder;
  const auto path = folder.path() / "trace.jsonl";
  AssessedSample sample;
  sample.prepared.sample.key = "k";
  sample.prepared.prompt = {-1, -1, 5};
  sample.prepared.pixels_sha256 = "abc";
  sample.answer.first_logits = {{4, 2}, {1.5F, -0.25F}};
  sample.answer.ids = {4, 9};
  sample.answer.text = "hi";
  AssessedSample failed;
  failed.prepared.sample.key = "f\xFF";
  failed.prepared.failure = RowFailure{"image", "broken"};
  {
    Trace trace(path);
    trace.add(sample, "00000");
    trace.add(failed, "00000");
  }
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  const auto row = nlohmann::json::parse(line);
  EXPECT_EQ(row["input_ids"], (std::vector<int>{-1, -1, 5}));
  EXPECT_EQ(row["first_logits"]["values"], (std::vector<float>{1.5F, -0.25F}));
  EXPECT_EQ(row["ids"], (std::vector<int>{4, 9}));
  EXPECT_EQ(row["text"], "hi");
  std::getline(file, line);
  EXPECT_EQ(nlohmann::json::parse(line)["failure"], "image: broken");
}

TEST(Trace, SaysWhenItCannotBeWritten) { EXPECT_THROW(Trace("/nowhere/trace.jsonl"), Error); }

}  // namespace
}  // namespace aitqe
