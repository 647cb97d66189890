#include "aitqe/report/status.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "aitqe/base/duration.h"
#include "aitqe/base/error.h"
#include "aitqe/data/journal.h"
#include "aitqe/data/shard_output.h"
#include "aitqe/report/stats.h"
#include "cells.h"
#include "hashed_lines.h"
#include "summary_json.h"
#include "why_not_done.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostListed = 8;

/// The name behind `.NAME.part-ATTEMPT`, or "".
std::string name_of_temporary(const std::string& file_name) {
  const std::size_t part = file_name.rfind(".part-");
  if (!file_name.starts_with('.') || part == std::string::npos || part == 0) return "";
  return file_name.substr(1, part - 1);
}

/// "00012.aitqe.jsonl" -> "00012"; nothing for a file that is no shard's own.
std::string shard_of(const std::string& name) {
  for (const std::string suffix : {".aitqe.stats.json", ".aitqe.jsonl", ".tar"}) {
    if (name.ends_with(suffix)) return name.substr(0, name.size() - suffix.size());
  }
  return "";
}

double age_s(const fs::path& path) {
  std::error_code error;
  const auto time = fs::last_write_time(path, error);
  if (error) return 0;
  const std::chrono::duration<double> age = fs::file_time_type::clock::now() - time;
  return std::max(0.0, age.count());
}

std::int64_t count_lines(const fs::path& path) {
  std::int64_t lines = 0;
  try {
    const auto file = FileSource::open(path.string());
    const HashedFile read = read_hashed(*file, [&](std::string_view) { ++lines; });
    if (!read.ends_with_line_end) --lines;  // a row that is being written
  } catch (const Error&) {
    // Gone by now: it has got its final name.
  }
  return lines;
}

void note_file(ShardInProgress& progress, const fs::path& path) {
  progress.last_write_age_s = std::min(progress.last_write_age_s, age_s(path));
  std::error_code gone;
  const auto bytes = fs::file_size(path, gone);
  if (!gone) progress.bytes += static_cast<std::int64_t>(bytes);
}

/// Shards that have temporary files.
std::map<std::string, ShardInProgress> find_temporaries(const fs::path& folder) {
  std::map<std::string, ShardInProgress> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = name_of_temporary(entry->path().filename().string());
    const std::string shard = shard_of(name);
    if (shard.empty()) continue;
    ShardInProgress& progress = found.try_emplace(shard, ShardInProgress{shard}).first->second;
    note_file(progress, entry->path());
    if (name.ends_with(".aitqe.jsonl")) {
      progress.pairs = std::max(progress.pairs, count_lines(entry->path()));
    }
  }
  return found;
}

/// Answers that count for the run as it is pinned now; those of another configuration or model
/// would be asked for again.
std::int64_t answers_in_journal(const fs::path& folder, const std::string& shard,
                                const RunFile& run) {
  const auto journal = Journal::look(folder, shard);
  if (!journal) return 0;
  const Json header = Json::parse(journal->header, nullptr, /*allow_exceptions=*/false);
  const auto is = [&header](const char* key, const std::string& text) {
    return header.is_object() && header.contains(key) && header[key] == text;
  };
  const bool counts =
      is("config_sha256", run.config_sha256) && is("model_sha256", run.model_sha256);
  return counts ? journal->num_pairs : 0;
}

/// Of all shards that somebody has begun, whether or not the run goes on. Rows wait in memory until
/// there is a block of them; the journal has every pair as soon as it is answered.
std::vector<ShardInProgress> find_in_progress(const RunStatus& status) {
  const fs::path folder = status.folder.work_folder();
  std::map<std::string, ShardInProgress> found = find_temporaries(folder);
  for (const std::string& shard : status.run.shards) {
    const std::int64_t answers = answers_in_journal(folder, shard, status.run);
    if (answers == 0) continue;
    ShardInProgress& progress = found.try_emplace(shard, ShardInProgress{shard}).first->second;
    note_file(progress, Journal::path_of(folder, shard));
    progress.pairs = std::max(progress.pairs, answers);
  }
  std::vector<ShardInProgress> list;
  for (auto& [shard, progress] : found) list.push_back(std::move(progress));
  return list;
}

/// @return why these stats cannot be used, "" when they count.
std::string add_done(RunStatus& status, const nlohmann::ordered_json& stats_json) {
  try {
    const ShardStats stats = stats_from_json(stats_json.dump());
    if (was_cut_off(stats)) return kCutOffNote;
    status.summary.merge(stats.summary);
    status.duration_s += stats.duration_s;
    ++status.shards_done;
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

RunStatus read_status(const OutputFolder& folder) {
  auto run = read_run_file(folder);
  if (!run) {
    throw Error(ErrorCategory::NoInput, folder.name() +
                                            ": no output folder: there is no _aitqe/run.json, "
                                            "which `aitqe enhance` and `score` write");
  }
  RunStatus status;
  status.folder = folder;
  status.run = std::move(*run);
  const auto unreadable = read_unreadable_shards(folder);
  const std::vector<std::string>& shards = status.run.shards;
  status.shards_expected = std::ssize(shards);
  // Before the shards: one that is finished meanwhile is done and no longer in progress.
  std::vector<ShardInProgress> in_progress = find_in_progress(status);
  const OutputFolder listed = folder.listed();
  for_each_committed(listed, shards, [&](std::size_t index, const auto& stats) {
    const auto note = unreadable.find(shards[index]);
    std::string reason;
    if (stats) {
      reason = add_done(status, *stats);
      if (reason.empty()) return;
    } else {
      reason = note != unreadable.end() ? note->second : why_not_done(listed, shards[index]);
    }
    status.missing.push_back({shards[index], static_cast<std::int64_t>(index), std::move(reason)});
  });
  std::copy_if(in_progress.begin(), in_progress.end(), std::back_inserter(status.in_progress),
               [&](const ShardInProgress& progress) {
                 return std::any_of(
                     status.missing.begin(), status.missing.end(),
                     [&](const MissingShard& missing) { return missing.shard == progress.shard; });
               });
  return status;
}

std::string slurm_indexes(const RunStatus& status) {
  const std::int64_t task_count = status.run.task_count;
  std::set<std::int64_t> indexes;
  for (const MissingShard& shard : status.missing) {
    indexes.insert(task_count > 1 ? shard.index % task_count : shard.index);
  }
  std::string text;
  for (auto first = indexes.begin(); first != indexes.end();) {
    auto last = first;
    while (std::next(last) != indexes.end() && *std::next(last) == *last + 1) ++last;
    if (!text.empty()) text += ",";
    text += std::to_string(*first);
    if (last != first) text += "-" + std::to_string(*last);
    first = std::next(last);
  }
  return text;
}

std::string status_to_json(const RunStatus& status) {
  Json json = {{"schema", kStatusSchema},
               {"folder", status.folder.name()},
               {"command", status.run.command},
               {"shards_expected", status.shards_expected},
               {"shards_done", status.shards_done}};
  json["missing"] = Json::array();
  for (const MissingShard& shard : status.missing) {
    json["missing"].push_back(
        {{"shard", shard.shard}, {"index", shard.index}, {"reason", shard.reason}});
  }
  json["in_progress"] = Json::array();
  for (const ShardInProgress& shard : status.in_progress) {
    json["in_progress"].push_back({{"shard", shard.shard},
                                   {"pairs", shard.pairs},
                                   {"bytes", shard.bytes},
                                   {"last_write_age_s", shard.last_write_age_s}});
  }
  json["slurm"] = slurm_indexes(status);
  json["duration_s"] = status.duration_s;
  json["summary"] = summary_object(status.summary);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string render_status(const RunStatus& status) {
  const Summary& summary = status.summary;
  std::string text = grouped(status.shards_done) + " of " + grouped(status.shards_expected) +
                     " shards done, " + grouped(summary.read) +
                     " pairs: " + grouped(summary.rewritten) + " rewritten, " +
                     grouped(summary.failed) + " failed\n";
  for (const ShardInProgress& shard : status.in_progress) {
    text += "in progress  " + name_cell(shard.shard, 20) + " " + grouped(shard.pairs) +
            " pairs answered; last write " + duration_text(shard.last_write_age_s) +
            " ago, as far as the clocks agree\n";
  }
  std::vector<const MissingShard*> failed;
  for (const MissingShard& shard : status.missing) {
    if (!shard.reason.empty()) failed.push_back(&shard);
  }
  for (std::size_t i = 0; i < std::min(failed.size(), kMostListed); ++i) {
    const std::string& reason = failed[i]->reason;
    text += "failed       " + name_cell(failed[i]->shard, 20) + " " +
            name_cell(reason, reason.size()) + "\n";
  }
  if (failed.size() > kMostListed) {
    text += "             and " + grouped(std::ssize(failed) - std::int64_t{kMostListed}) +
            " more (--json lists all)\n";
  }
  for (const auto& [kind, count] : summary.failures) {
    text += "pairs failed " + name_cell(kind, 40) + right(grouped(count), 12) + "\n";
  }
  if (status.shards_expected == 0) {
    text += "run.json does not say which shards there are to be (an older aitqe wrote it)\n";
  }
  if (status.missing.empty()) return text;
  text += "missing      " + grouped(std::ssize(status.missing)) + " shards, " +
          (status.run.task_count > 1 ? "of the tasks " : "of the run's list ") +
          slurm_indexes(status) + "\n";
  const std::string& command = status.run.command;
  if (!command.empty()) text += "to go on     " + name_cell(command, command.size()) + "\n";
  return text;
}

}  // namespace aitqe
