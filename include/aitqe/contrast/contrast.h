#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aitqe/contrast/corruptor.h"
#include "aitqe/contrast/source_pair.h"
#include "aitqe/contrast/teacher.h"
#include "aitqe/contrast/training_record.h"
#include "aitqe/data/skipped.h"
#include "aitqe/io/shards.h"

namespace aitqe {

struct ContrastOptions {
  /// Files: they are read twice, first for all captions, then to write.
  std::vector<ShardRef> shards;
  std::filesystem::path output_folder;
  CaptionSource caption_source;
  FlawMix flaws;
  std::uint64_t seed = 0;
  /// Times that every pair is taken, each with another flaw. At least 1.
  int num_rounds = 1;
  std::optional<std::filesystem::path> teacher_file;
};

struct ContrastResult {
  std::int64_t pairs_read = 0;
  std::int64_t samples_written = 0;
  /// Bad samples by flaw; "shipped" for captions that came bad.
  std::map<std::string, std::int64_t> by_flaw;
  Skipped skipped;  ///< pairs that gave no samples
  /// Teacher rows that say nothing here, each with the reason: unreadable, of no pair, of several.
  std::vector<std::string> unusable_teacher_rows;

  std::string to_json() const;
};

/// A training sample before it is written: its caption, and what a judge should say of it.
struct TrainingSample {
  std::string caption;
  TrainingRecord record;
};

/// What all pairs of a run are contrasted with.
struct ContrastMeans {
  const Corruptor& corruptor;
  const FlawMix& flaws;
  std::uint64_t seed = 0;
};

/// The good and the bad sample of one pair (paper, figure 2): a good caption and the same made bad,
/// whose recaption is the original; or a caption that came bad with the better one as recaption,
/// and the better one as the good sample. Depends on seed, key and round alone.
/// @param note  what a teacher said of the pair, or null: a score from 6 makes it a good one,
///              whatever its kind, and a recaption is not looked at then
/// @throws SampleError when the pair gives none: generic without a better caption, vague, or no
///         flaw of the mix fits.
std::vector<TrainingSample> contrast_pair(const std::string& key, const SourcePair& pair,
                                          const Assessment* note, int round,
                                          const ContrastMeans& means);

/// Name of the file that stands in a folder of training shards when all of them are there.
inline constexpr const char* kContrastFile = "contrast.json";

/// Turns captioned shards into training shards of the same names: KEY-good and KEY-bad, each with
/// image, `txt` and `contrast.json`. A shard appears when it is complete, kContrastFile (options
/// and counts) when all are; what is left of an earlier run under other names is warned of.
/// @throws Error(Usage) for inputs that cannot be read twice; Error(NoInput), Error(Output).
ContrastResult contrast(const ContrastOptions& options);

}  // namespace aitqe
