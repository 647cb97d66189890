#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aitqe/base/error.h"
#include "aitqe/io/output_folder.h"
#include "aitqe/report/gallery.h"
#include "aitqe/report/proof.h"
#include "aitqe/report/run_file.h"
#include "aitqe/report/summary.h"
#include "aitqe/report/tallies.h"

namespace aitqe {

inline constexpr std::string_view kReportSchema = "aitqe.report/1";

/// How far captions may move away from those that were there; nothing = as far as they do.
struct DriftLimits {
  /// Divergence of the words of all captions from those before, 0 to 1. (--max-divergence)
  std::optional<double> divergence_bits;
  /// Percentage of the new captions whose very text another new one has. (--max-repeated)
  std::optional<double> repeated_percent;
};

struct ReportOptions {
  /// Output folders of one job: of one run, or of several that did a part each. At least one.
  std::vector<OutputFolder> folders;
  /// --max-failed
  double max_failed_percent = 1.0;
  DriftLimits drift_limits = {};
  /// Off: the gallery shows captions alone, and no image is decoded.
  bool with_images = true;
  /// Chooses other pairs for the gallery.
  std::uint64_t seed = 0;
  /// Also told: what leaving out all pairs with a score below this would do. 1 to 10.
  std::optional<double> filter_below = {};
};

/// Written by the report, read by whoever shows it.
struct ReportProgress {
  std::atomic<std::int64_t> num_shards = 0;
  std::atomic<std::int64_t> shards_done = 0;
  std::atomic<std::int64_t> pairs = 0;
};

/// Of which pairs a preview tells, and for how many it stands.
struct PreviewScope {
  /// Drawn from all pairs (--sample); else the first ones of some shards, from which nothing
  /// follows for the others.
  bool is_random = false;
  double rate = 1.0;
  std::uint64_t seed = 0;
  std::int64_t pairs_in_input = 0;  ///< that are left to do
};

/// What the files of some output folders say; or, with `preview`, what a run would do.
struct RunReport {
  std::vector<OutputFolder> folders;
  double max_failed_percent = 1.0;
  DriftLimits drift_limits = {};
  RunFile run;  ///< of the first folder
  /// All shards that the folders are to hold, and those of them that were read.
  std::int64_t shards_expected = 0;
  std::int64_t shards_done = 0;
  std::vector<std::string> missing;  ///< in the runs' order; each has its problem too
  std::vector<ShardProblem> problems;
  /// Of each folder: tar to number of pairs. Empty where no shards were written (`aitqe score`).
  std::vector<std::map<std::string, std::int64_t>> sizes;
  double duration_s = 0;  ///< wall time of the shards, added up
  Summary summary;
  Tallies tallies;
  Gallery gallery;
  std::optional<PreviewScope> preview;

  bool has_too_many_failures() const;
  /// Which limit the captions are beyond, with both numbers; "" when within.
  std::string drift_beyond() const;
  /// Nothing when everything is there and proven and failures and drift are within their limits.
  /// Damaged when something is wrong that the same command would not mend; Resumable when it would;
  /// NoInput when there is no pair.
  std::optional<ErrorCategory> outcome() const;
};

/// Reads every byte of the folders once. Memory does not grow with the number of pairs, save
/// sixteen bytes for each of the shard at hand.
/// @throws Error(NoInput) for a folder in which no run of `enhance` or `score` has begun.
RunReport make_report(const ReportOptions& options, ReportProgress& progress);

/// `aitqe report --json` (docs/formats.md). Indented by two, ends with a newline.
std::string report_to_json(const RunReport& report);

struct TerminalStyle {
  bool color = false;
  /// Bars of U+2581 to U+2588; off: of ASCII characters.
  bool blocks = true;
};

/// The story in a screenful. Ends with a newline.
std::string render_report(const RunReport& report, const TerminalStyle& style);

/// report.html: one page that needs no other file and no network, at most 4.9 MB whatever the
/// size of the run: lists and the command are cut, and the gallery takes what is left. Equal files
/// give equal bytes. Whatever captions hold, they stay text.
std::string report_to_html(const RunReport& report);

/// sizes.json of the folder with this index, as open_clip reads it: shard file to number of pairs.
std::string sizes_to_json(const RunReport& report, std::size_t folder_index);

}  // namespace aitqe
