#include "aitqe/report/stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aitqe/base/error.h"
#include "sample_row.h"

namespace aitqe {
namespace {

using testing::HasSubstr;

ShardStats sample_stats() {
  ShardStats stats;
  stats.shard = "00012.tar";
  stats.version = "0.1.0";
  stats.input = {"s3://bucket/00012.tar", 10240, "\"e1\"", "aa"};
  stats.summary.add(sample_row());
  stats.summary.add_damage({"00012.tar", "truncated_input", 276, 3});
  stats.files = {{"00012.tar", 10752, "bb"}, {"00012.aitqe.jsonl", 900, "cc"}};
  stats.config_sha256 = "dd";
  stats.model_sha256 = "ee";
  stats.duration_s = 12;
  return stats;
}

TEST(ShardStatsJson, ReadsBackEqual) {
  EXPECT_EQ(stats_from_json(stats_to_json(sample_stats())), sample_stats());
  EXPECT_EQ(stats_from_json(stats_to_json(ShardStats())), ShardStats());
}

TEST(ShardStatsJson, IsIndentedAndTypeStable) {
  const std::string json = stats_to_json(sample_stats());
  EXPECT_TRUE(json.starts_with("{\n  \"schema\": \"aitqe.stats/2\",\n  \"shard\": "));
  EXPECT_TRUE(json.ends_with("}\n"));
  EXPECT_THAT(json, HasSubstr("\"duration_s\": 12.0"));
}

TEST(ShardStatsJson, RefusesATornOrForeignFile) {
  const std::string json = stats_to_json(sample_stats());
  for (std::size_t length = 0; length + 2 < json.size(); length += 37) {
    EXPECT_THROW(stats_from_json(json.substr(0, length)), Error) << length;
  }
  EXPECT_THROW(stats_from_json(summary_to_json(Summary())), Error);
  std::string other = json;
  other.replace(other.find("\"etag\""), 6, "\"etog\"");
  EXPECT_THROW(stats_from_json(other), Error);
}

}  // namespace
}  // namespace aitqe
