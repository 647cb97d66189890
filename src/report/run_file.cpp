#include "aitqe/report/run_file.h"

#include <fstream>
#include <iterator>

#include "aitqe/base/ascii.h"
#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "aitqe/io/sink.h"
#include "json_fields.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNoteSuffix = ".txt";

fs::path notes_folder(const fs::path& folder) { return folder / "_aitqe/unreadable"; }

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
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

std::optional<RunFile> read_run_file(const fs::path& folder) {
  const fs::path path = folder / "_aitqe/run.json";
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  const Json document = JsonFields::parse(content_of(path), path.string());
  try {
    return run_from_json(document, path.string());
  } catch (const Json::exception& error) {
    throw Error(ErrorCategory::Damaged, path.string() + ": " + error.what());
  }
}

std::map<std::string, std::string> read_unreadable_shards(const fs::path& folder) {
  std::map<std::string, std::string> reasons;
  std::error_code error;
  for (fs::directory_iterator entry(notes_folder(folder), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with('.') || !name.ends_with(kNoteSuffix)) continue;
    reasons[name.substr(0, name.size() - kNoteSuffix.size())] =
        std::string(ascii::trim(content_of(entry->path())));
  }
  return reasons;
}

void note_unreadable_shard(const fs::path& folder, const std::string& shard,
                           const std::string& reason) {
  const fs::path path = notes_folder(folder) / (shard + std::string(kNoteSuffix));
  std::error_code error;
  if (reason.empty()) {
    fs::remove(path, error);
    fs::remove(path.parent_path(), error);  // only where it is empty
    return;
  }
  fs::create_directories(path.parent_path(), error);
  if (error) {
    throw Error(ErrorCategory::Output,
                path.parent_path().string() + ": cannot be made: " + error.message());
  }
  write_atomically(path, reason + "\n");
}

}  // namespace aitqe
