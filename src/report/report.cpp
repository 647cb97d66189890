#include "aitqe/report/report.h"

#include <algorithm>
#include <set>

#include "aitqe/base/log.h"
#include "aitqe/data/sample.h"
#include "json_fields.h"

namespace aitqe {
namespace {

constexpr std::string_view kStatsSuffix = ".aitqe.stats.json";

/// Names of shards that have stats in the folder.
std::set<std::string> shards_with_stats(const OutputFolder& folder) {
  std::set<std::string> names;
  for (const std::string& name : folder.list()) {
    if (!name.ends_with(kStatsSuffix)) continue;
    names.insert(name.substr(0, name.size() - kStatsSuffix.size()));
  }
  return names;
}

/// One output folder and which of its shards have stats.
struct Folder {
  OutputFolder place;
  RunFile run;
  std::set<std::string> with_stats;
  std::map<std::string, std::string> unreadable;
};

Folder open_folder(const OutputFolder& place) {
  auto run = read_run_file(place);
  if (!run) {
    throw Error(ErrorCategory::NoInput, place.name() +
                                            ": no output folder: there is no _aitqe/run.json, "
                                            "which `aitqe enhance` and `score` write");
  }
  return {place.listed(), std::move(*run), shards_with_stats(place), read_unreadable_shards(place)};
}

class Reporter {
 public:
  Reporter(const ReportOptions& options, ReportProgress& progress)
      : options_(options), progress_(progress) {
    for (const OutputFolder& place : options.folders) folders_.push_back(open_folder(place));
    report_.folders = options.folders;
    report_.max_failed_percent = options.max_failed_percent;
    report_.drift_limits = options.drift_limits;
    report_.run = folders_.front().run;
    report_.sizes.resize(folders_.size());
    report_.gallery = Gallery({.seed = options.seed});
    if (options.filter_below) report_.tallies.filter.emplace(*options.filter_below);
  }

  RunReport run() {
    check_folders();
    const std::vector<std::string> names = expected_shards();
    report_.shards_expected = std::ssize(names);
    progress_.num_shards = report_.shards_expected;
    for (const std::string& name : names) {
      add_shard(name);
      ++progress_.shards_done;
    }
    return std::move(report_);
  }

 private:
  /// In the order of the runs' inputs; then shards that are there though no run names them.
  std::vector<std::string> expected_shards() const {
    std::vector<std::string> names;
    std::set<std::string> known;
    const auto add = [&](const std::string& name) {
      if (known.insert(name).second) names.push_back(name);
    };
    for (const Folder& folder : folders_) {
      for (const std::string& name : folder.run.shards) add(name);
    }
    for (const Folder& folder : folders_) {
      for (const std::string& name : folder.with_stats) add(name);
    }
    return names;
  }

  void check_folders() {
    for (const Folder& folder : folders_) {
      if (folder.run.shards.empty()) {
        report_.problems.push_back(
            {"", "shards_not_pinned",
             folder.place.name() +
                 ": run.json does not say which shards there are to be; the same command, run "
                 "again, writes it down",
             /*rerun_mends=*/true});
      }
      const RunFile& first = folders_.front().run;
      if (folder.run.config_sha256 != first.config_sha256) {
        report_.problems.push_back(
            {"", "other_configuration",
             folder.place.name() + ": another configuration than " + folders_.front().place.name(),
             false});
      }
      if (folder.run.model_sha256 != first.model_sha256) {
        report_.problems.push_back(
            {"", "other_model",
             folder.place.name() + ": another model than " + folders_.front().place.name(), false});
      }
    }
  }

  void add_shard(const std::string& name) {
    std::size_t num_found = 0;
    for (std::size_t i = 0; i < folders_.size(); ++i) {
      if (!folders_[i].with_stats.contains(name)) continue;
      if (++num_found == 1) {
        prove(name, i);
      } else {
        report_.problems.push_back({name, "two_folders",
                                    "is in " + folders_[i].place.name() + " too; counted once",
                                    false});
      }
    }
    if (num_found == 0) add_missing(name);
  }

  void add_missing(const std::string& name) {
    report_.missing.push_back(name);
    for (const Folder& folder : folders_) {
      const auto reason = folder.unreadable.find(name);
      if (reason == folder.unreadable.end()) continue;
      report_.problems.push_back({name, "unreadable_input", reason->second, false});
      return;
    }
    report_.problems.push_back(
        {name, "not_done", "there is no " + name + std::string(kStatsSuffix), true});
  }

  void prove(const std::string& name, std::size_t folder_index) {
    const Folder& folder = folders_[folder_index];
    std::map<std::int64_t, GalleryPair*> shown;
    ProofListener listener;
    listener.row = [this](const ReportRow& row) {
      report_.summary.add(row);
      report_.tallies.add(row);
      report_.gallery.add(row);
      ++progress_.pairs;
    };
    listener.rows_end = [&] {
      if (options_.with_images) shown = report_.gallery.pairs_of(name);
    };
    listener.sample = [&](const Sample& sample, std::int64_t row_index) {
      const auto found = shown.find(row_index);
      if (found != shown.end()) add_thumbnail(sample, *found->second);
    };
    const ShardProof proof = prove_shard(folder.place, name, folder.run, listener);
    const auto& problems = proof.problems;
    report_.problems.insert(report_.problems.end(), problems.begin(), problems.end());
    if (!proof.is_counted) {
      report_.missing.push_back(name);
      return;
    }
    if (was_cut_off(proof.stats)) {
      report_.missing.push_back(name);
    } else {
      ++report_.shards_done;
    }
    report_.duration_s += proof.stats.duration_s;
    for (const ShardDamage& damage : proof.stats.summary.damage) report_.summary.add_damage(damage);
    if (folder.run.writes_shards()) {
      report_.sizes[folder_index][name + ".tar"] = proof.stats.summary.read;
    }
  }

  const ReportOptions& options_;
  ReportProgress& progress_;
  std::vector<Folder> folders_;
  RunReport report_;
};

}  // namespace

bool RunReport::has_too_many_failures() const {
  return static_cast<double>(summary.failed) * 100.0 >
         max_failed_percent * static_cast<double>(summary.read);
}

std::string RunReport::drift_beyond() const {
  const double divergence = CaptionStatistics::word_divergence_bits(tallies.before, tallies.after);
  if (drift_limits.divergence_bits && divergence > *drift_limits.divergence_bits) {
    return formatted("the words of all captions are %.3f bits from those before, limit %g",
                     divergence, *drift_limits.divergence_bits) +
           " (--max-divergence)";
  }
  const double repeated = 100 * tallies.rewritten_after.repeated_share();
  if (drift_limits.repeated_percent && repeated > *drift_limits.repeated_percent) {
    return formatted(
               "another new caption has the very text of %.1f %% of the new ones, limit %g %%",
               repeated, *drift_limits.repeated_percent) +
           " (--max-repeated)";
  }
  return "";
}

std::optional<ErrorCategory> RunReport::outcome() const {
  const bool needs_a_look =
      std::any_of(problems.begin(), problems.end(),
                  [](const ShardProblem& problem) { return !problem.rerun_mends; });
  if (needs_a_look || !summary.damage.empty() || has_too_many_failures() ||
      !drift_beyond().empty()) {
    return ErrorCategory::Damaged;
  }
  if (!problems.empty()) return ErrorCategory::Resumable;
  return summary.read == 0 ? std::optional(ErrorCategory::NoInput) : std::nullopt;
}

RunReport make_report(const ReportOptions& options, ReportProgress& progress) {
  return Reporter(options, progress).run();
}

std::string sizes_to_json(const RunReport& report, std::size_t folder_index) {
  Json json = Json::object();
  for (const auto& [name, pairs] : report.sizes.at(folder_index)) json[name] = pairs;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace aitqe
