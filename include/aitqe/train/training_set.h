#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "aitqe/contrast/training_record.h"
#include "aitqe/data/caption.h"
#include "aitqe/data/skipped.h"
#include "aitqe/io/shards.h"

namespace aitqe {

/// A caption of an image and what a judge should say of it.
struct TrainingText {
  std::string caption;
  TrainingRecord record;
};

/// One image with all that is known of it.
struct TrainingImage {
  std::string key;  ///< SHARD/KEY of its first sample
  std::size_t shard = 0;
  std::int64_t header_offset = 0;  ///< of the image's member in its tar
  std::vector<TrainingText> good;
  std::vector<TrainingText> bad;
};

/// The images of training or captioned shards. Texts are held in memory, images stay in their tars
/// and are read when they are wanted. Immutable once made; any number of threads.
class TrainingSet {
 public:
  /// Reads `aitqe contrast`'s shards (samples of one source are one image), and plain captioned
  /// ones, whose captions count as good; a generic one's place takes the better text that is known.
  /// @throws Error(Usage) for a compressed tar or a stream: images are read again by their place;
  ///         Error(NoInput) when no image has a text.
  static TrainingSet read(const std::vector<ShardRef>& shards, const CaptionSource& source);

  std::size_t size() const { return images_.size(); }
  const TrainingImage& at(std::size_t index) const { return images_[index]; }
  const Skipped& unusable() const { return unusable_; }

  /// The encoded image. @throws SampleError when the tar has changed.
  std::string image_bytes(std::size_t index) const;

 private:
  std::vector<ShardRef> shards_;
  std::vector<TrainingImage> images_;
  Skipped unusable_;
};

/// Places of an endless walk over `count` items: every epoch takes each once, in an order of its
/// own. A function of seed and place alone, so a run can go on anywhere.
class Epochs {
 public:
  Epochs(std::size_t count, std::uint64_t seed) : count_(count), seed_(seed) {}
  std::size_t item(std::int64_t place);

 private:
  std::size_t count_;
  std::uint64_t seed_;
  std::int64_t epoch_ = -1;
  std::vector<std::size_t> order_;
};

}  // namespace aitqe
