#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "aitqe/data/sample.h"
#include "aitqe/quality/policy.h"
#include "aitqe/report/report.h"

namespace aitqe {

/// What a run would do, told from some of its pairs.
struct Preview {
  RunReport report;  ///< of those pairs; its `preview` is set
  /// Pairs that would be rewritten, those first that nearly would not.
  std::vector<ReportRow> border;
};

struct PreviewOptions {
  RunFile run;
  RewriteRule rule;
  bool with_images = false;  ///< the page gets pictures
  std::size_t most_border = 4;
};

/// Collects a preview pair by pair; their order changes nothing. One thread at a time.
class PreviewBuilder {
 public:
  explicit PreviewBuilder(PreviewOptions options);

  void add(const ReportRow& row, const Sample& sample);

  /// @param damage  of the shards that were read
  Preview finish(const PreviewScope& scope, const std::vector<ShardDamage>& damage);

 private:
  void keep_at_border(const ReportRow& row);

  PreviewOptions options_;
  RunReport report_;
  std::map<std::tuple<double, std::string, std::int64_t>, ReportRow> border_;
};

/// One JSON object, "preview" of `aitqe.forecast/2` (docs/formats.md), without a newline.
std::string preview_to_json(const Preview& preview);

/// The story in less than a screenful; ends with a newline.
std::string render_preview(const Preview& preview, const TerminalStyle& style);

}  // namespace aitqe
