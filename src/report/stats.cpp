#include "aitqe/report/stats.h"

#include <algorithm>

#include "aitqe/io/loss_log.h"
#include "summary_json.h"

namespace aitqe {

std::string stats_to_json(const ShardStats& stats) {
  Json json = Json::object();
  json["schema"] = stats.schema;
  json["shard"] = stats.shard;
  json["version"] = stats.version;
  json["input"] = {{"url", stats.input.url},
                   {"bytes", stats.input.bytes},
                   {"etag", stats.input.etag},
                   {"sha256", stats.input.sha256}};
  json["summary"] = summary_object(stats.summary);
  json["files"] = Json::array();
  for (const FileIdentity& file : stats.files) {
    json["files"].push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  }
  json["config_sha256"] = stats.config_sha256;
  json["model_sha256"] = stats.model_sha256;
  json["duration_s"] = stats.duration_s;
  constexpr int kIndent = 2;
  return json.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

ShardStats stats_from_json(std::string_view json) {
  const Json document = JsonFields::parse(json, "shard stats");
  JsonFields fields(document, "shard stats");
  fields.schema(kStatsSchema);
  ShardStats stats;
  stats.shard = fields.text("shard");
  stats.version = fields.text("version");
  JsonFields input(fields.object("input"), fields.path("input"));
  stats.input = {input.text("url"), input.integer("bytes"), input.text("etag"),
                 input.text("sha256")};
  input.finish();
  stats.summary = summary_from_object(fields.object("summary"));
  for (const Json& entry : fields.array("files")) {
    JsonFields file(entry, fields.path("files"));
    stats.files.push_back({file.text("name"), file.integer("bytes"), file.text("sha256")});
    file.finish();
  }
  stats.config_sha256 = fields.text("config_sha256");
  stats.model_sha256 = fields.text("model_sha256");
  stats.duration_s = fields.number("duration_s");
  fields.finish();
  return stats;
}

bool was_cut_off(const ShardStats& stats) {
  const char* kind = to_string(DamageKind::SourceFailed);
  return std::ranges::any_of(stats.summary.damage,
                             [kind](const ShardDamage& damage) { return damage.kind == kind; });
}

}  // namespace aitqe
