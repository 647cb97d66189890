#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aitqe/contrast/corruptor.h"
#include "aitqe/contrast/source_pair.h"
#include "aitqe/data/sample.h"

namespace aitqe {

/// What a caption of a trial is, beside the names of flaws.
inline constexpr const char* kGoodTrial = "good";
inline constexpr const char* kShippedTrial = "shipped";  ///< came bad
/// The control: a good or mismatched caption under yet another image. Who tells them apart reads
/// the text alone.
inline constexpr const char* kControlGood = "control_good";
inline constexpr const char* kControlBad = "control_bad";

/// A caption to be judged under an image.
struct Trial {
  std::string key;     ///< of the image's sample, SHARD/KEY
  std::string source;  ///< the sample's json `source`, or the shard's name
  std::string kind;    ///< kGoodTrial, kShippedTrial, a control, or a flaw's name
  std::string caption;
  std::string truth;  ///< a good caption of the image; "" when none is known
  Sample sample;      ///< image and `txt` member with the caption
};

struct TrialOptions {
  /// Every flaw with a weight above 0 is tried on every good caption.
  FlawMix flaws;
  std::uint64_t seed = 0;
};

/// Turns samples into trials. Immutable; any number of threads.
class TrialMaker {
 public:
  TrialMaker(const Corruptor& corruptor, const TrialOptions& options)
      : corruptor_(corruptor), options_(options) {}

  /// The trials of one sample: its caption, and each flaw that it can have. A generic caption is
  /// one trial of kind "shipped". Depends on seed and key alone.
  /// @param other_image  for the control; null leaves the control out
  std::vector<Trial> operator()(const Sample& sample, const std::string& shard,
                                const SourcePair& pair, const Member* other_image) const;

 private:
  const Corruptor& corruptor_;
  TrialOptions options_;
};

}  // namespace aitqe
