#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aitqe/contrast/caption_pool.h"
#include "aitqe/contrast/flaw.h"

namespace aitqe {

/// A good caption with what is needed to spoil it.
struct CaptionToSpoil {
  std::string text;
  std::string group;                      ///< as in PooledCaption
  std::vector<std::string> translations;  ///< the same in other languages; may be empty
  /// Other captions of the same picture: none of them is taken for one of another picture.
  std::vector<std::string> also_true = {};
};

struct SpoiledCaption {
  std::string text;
  Flaw flaw = Flaw::OtherImage;
  /// What was done, in a few words: `"red" became "blue"`.
  std::string detail;
};

/// Makes good captions bad on purpose. Immutable; any number of threads.
class Corruptor {
 public:
  /// @param pool  sealed; must outlive this.
  explicit Corruptor(const CaptionPool& pool) : pool_(pool) {}

  /// The caption with this flaw, or nothing where it cannot have it (no colour to change, too
  /// short to cut). Never the text it was given.
  std::optional<SpoiledCaption> spoil(const CaptionToSpoil& caption, Flaw flaw,
                                      Random& random) const;

  /// With the first flaw of the mix's random order that the caption can have.
  std::optional<SpoiledCaption> spoil(const CaptionToSpoil& caption, const FlawMix& mix,
                                      Random& random) const;

 private:
  const CaptionPool& pool_;
};

}  // namespace aitqe
