#pragma once

#include "aitqe/report/report.h"
#include "json_fields.h"

namespace aitqe {

/// What `aitqe report --json` prints and report.html carries.
Json report_object(const RunReport& report);

/// "complete", "incomplete", "empty" (no pair) or "damaged".
std::string verdict_name(const RunReport& report);

/// Shards by mean score, the worst first, at most `most`; `is_best` turns it round. Shards without
/// a score are left out.
std::vector<NamedTally> extreme_shards(const RunReport& report, bool is_best, std::size_t most);

}  // namespace aitqe
