#include "aitqe/report/run_file.h"

#include "aitqe/base/ascii.h"
#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "json_fields.h"

namespace aitqe {
namespace {

constexpr const char* kRunFile = "_aitqe/run.json";
constexpr const char* kNotesFolder = "_aitqe/unreadable";
constexpr std::string_view kNoteSuffix = ".txt";

std::string note_file(const std::string& shard) {
  return kNotesFolder + ("/" + shard) + std::string(kNoteSuffix);
}

Json config_of(const RunFile& run) { return Json::parse(run.config, nullptr, false); }

RunFile run_from_json(const Json& document, const std::string& where) {
  JsonFields fields(document, where);
  fields.schema(kRunSchema);
  RunFile run;
  run.version = fields.text("version");
  run.config = fields.object("config").dump();
  run.config_sha256 = sha256_hex(run.config);
  run.model_sha256 = fields.text("model_sha256");
  if (document.contains("shards")) {
    for (const Json& name : fields.array("shards")) {
      if (!name.is_string()) {
        throw Error(ErrorCategory::Damaged, fields.path("shards") + " must be texts");
      }
      run.shards.push_back(name.get<std::string>());
    }
  }
  if (document.contains("task_count")) {
    run.task_count = static_cast<int>(fields.integer("task_count"));
  }
  if (document.contains("last_run")) {
    const Json& last_run = fields.object("last_run");
    run.command = last_run.value("command", "");
  }
  return run;
}

}  // namespace

bool RunFile::writes_shards() const { return config_of(*this).value("write_shards", true); }
bool RunFile::has_sampling() const { return config_of(*this).value("sample", 1.0) < 1.0; }

std::optional<RunFile> read_run_file(const OutputFolder& folder) {
  const auto text = folder.read(kRunFile);
  if (!text) return std::nullopt;
  const std::string where = folder.name_of(kRunFile);
  const Json document = JsonFields::parse(*text, where);
  try {
    return run_from_json(document, where);
  } catch (const Json::exception& error) {
    throw Error(ErrorCategory::Damaged, where + ": " + error.what());
  }
}

void write_run_file(const OutputFolder& folder, std::string_view json) {
  folder.write(kRunFile, json);
}

std::map<std::string, std::string> read_unreadable_shards(const OutputFolder& folder) {
  std::map<std::string, std::string> reasons;
  for (const std::string& name : folder.list(kNotesFolder)) {
    if (!name.ends_with(kNoteSuffix)) continue;
    const std::string shard = name.substr(0, name.size() - kNoteSuffix.size());
    reasons[shard] = std::string(ascii::trim(folder.read(note_file(shard)).value_or("")));
  }
  return reasons;
}

void note_unreadable_shard(const OutputFolder& folder, const std::string& shard,
                           const std::string& reason) {
  if (reason.empty()) {
    folder.remove(note_file(shard));
  } else {
    folder.write(note_file(shard), reason + "\n");
  }
}

}  // namespace aitqe
