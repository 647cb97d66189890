#pragma once

#include <string>
#include <string_view>

#include "aitqe/quality/assessment.h"

namespace aitqe {

/// Suffix of the member that tells what a judge should say of a training sample.
inline constexpr std::string_view kTrainingRecordSuffix = "contrast.json";

/// KEY.contrast.json of a training shard (docs/formats.md, "Training shards").
struct TrainingRecord {
  /// Key of the pair that this sample was made from: samples of one source show the same image.
  std::string source_key;
  bool is_good = true;
  /// flaw_name() of a spoiled caption, "shipped" for one that came bad, "" for a good one.
  std::string flaw;
  std::string detail;     ///< what was done to the caption, for people
  Assessment assessment;  ///< scores, explanations, recaption

  std::string to_json() const;
  /// @throws SampleError naming what is wrong.
  static TrainingRecord from_json(std::string_view text);
};

}  // namespace aitqe
