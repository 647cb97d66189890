#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "aitqe/data/sample.h"
#include "aitqe/report/row.h"

namespace aitqe {

struct GalleryOptions {
  std::uint64_t seed = 0;
  /// Pairs kept for each reason of a decision, and for each kind of failure.
  std::size_t per_reason = 24;
  /// Pairs kept for each decision, whatever the reason.
  std::size_t per_decision = 60;
  /// Pairs kept for each quarter of a point of the score: examples beside any threshold.
  std::size_t per_score_band = 4;
  /// Kinds of failure that are kept apart, the first ones met.
  std::size_t most_kinds = 100;
};

/// One pair to look at.
struct GalleryPair {
  /// Texts are cut to kLongestGalleryText bytes, between characters; answers are not kept.
  ReportRow row;
  double score = kNoScore;     ///< best_score
  std::string thumbnail_jpeg;  ///< "" without one
  std::uint64_t order = 0;     ///< the sample's random number; decides what is kept
};

inline constexpr std::size_t kLongestGalleryText = 1000;

/// Gives a pair the picture of its sample; none where the image cannot be used.
void add_thumbnail(const Sample& sample, GalleryPair& pair);

/// A sample of pairs in which rare decisions and reasons are represented: of each group of pairs
/// those with the smallest hash of seed, shard and index are kept. Depends on the pairs and the
/// seed alone, not on their order. One thread at a time.
class Gallery {
 public:
  explicit Gallery(GalleryOptions options = {}) : options_(options) {}

  /// @return the pair as it is kept, or null; valid until the next `add`.
  GalleryPair* add(const ReportRow& row);

  /// The kept pairs of a shard by index; for giving them thumbnails. Valid until the next `add`.
  std::map<std::int64_t, GalleryPair*> pairs_of(const std::string& shard) const;

  /// Those first that are the first of their reason, then the second ones, ...: any number from the
  /// front is a sample in which every reason has its share.
  std::vector<const GalleryPair*> pairs() const;

 private:
  using Group = std::map<std::uint64_t, std::shared_ptr<GalleryPair>>;

  bool wants(const std::string& group, std::size_t most, std::uint64_t order) const;
  void keep(const std::string& group, std::size_t most, const std::shared_ptr<GalleryPair>& pair);

  GalleryOptions options_;
  std::map<std::string, Group> groups_;
};

}  // namespace aitqe
