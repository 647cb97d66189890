#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aitqe/base/hash.h"
#include "aitqe/data/shard_output.h"
#include "aitqe/report/row.h"
#include "aitqe/report/stats.h"
#include "support/temporary_folder.h"

namespace aitqe {

inline const nlohmann::ordered_json kConfig = {
    {"rewrite_when", "model"}, {"sample", 1.0}, {"write_shards", true}};

/// An output folder as `enhance` leaves it, without a model.
class MadeFolder {
 public:
  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

  void write(const std::string& name, const std::string& content) const {
    folder_.write(name, content);
  }

  void write_run(const std::vector<std::string>& shards,
                 const nlohmann::ordered_json& config = kConfig) const {
    const nlohmann::ordered_json run = {
        {"schema", "aitqe.run/1"}, {"version", "0.1.0"},
        {"config", config},        {"model_sha256", "m"},
        {"shards", shards},        {"last_run", {{"command", "aitqe enhance in -o out"}}}};
    write("_aitqe/run.json", run.dump(2) + "\n");
  }

  /// @param images  of the pairs, "" for none; as many as rows, or empty
  void write_shard(const std::string& name, const std::vector<ReportRow>& rows,
                   const std::vector<std::string>& images = {}) const {
    ShardOutput output(path(), {"-", name});
    ShardStats stats;
    stats.shard = name;
    stats.config_sha256 = sha256_hex(kConfig.dump());
    stats.model_sha256 = "m";
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Sample sample{rows[i].key, rows[i].index, {}, {}};
      sample.members.push_back({rows[i].key + ".txt", "txt", rows[i].caption_out, {}, 0});
      if (!images.empty() && !images[i].empty()) {
        sample.members.push_back({rows[i].key + ".png", "png", images[i], {}, 0});
      }
      output.add(sample, member_json(rows[i]), to_json_line(rows[i]));
      stats.summary.add(rows[i]);
    }
    output.commit(nlohmann::ordered_json::parse(stats_to_json(stats)));
  }

 private:
  test::TemporaryFolder folder_;
};

/// Kept pairs "0", "1", ... of a shard, with scores 1, 2, ...
inline std::vector<ReportRow> kept_rows(const std::string& shard, int count) {
  std::vector<ReportRow> rows;
  for (int i = 0; i < count; ++i) {
    ReportRow row;
    row.shard = shard;
    row.key = std::to_string(i);
    row.index = i;
    row.caption = row.caption_out = "picture " + std::to_string(i);
    row.caption_present = true;
    row.reason = "model_keeps";
    row.score_expected = 1 + i % 10;
    rows.push_back(row);
  }
  return rows;
}

}  // namespace aitqe
