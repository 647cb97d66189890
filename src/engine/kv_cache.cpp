#include "aitqe/engine/kv_cache.h"

namespace aitqe {

namespace {
constexpr std::int64_t kSizeClassTokens = 128;
/// Kept places beyond this many are given back: captions of one set have few size classes.
constexpr std::size_t kMostFreePlaces = 64;
}  // namespace

KvCache::KvCache(const nn::Compute& compute, const kernels::AttentionShape& shape,
                 std::int64_t num_layers)
    : compute_(compute), shape_(shape), num_layers_(num_layers) {}

std::int64_t KvCache::capacity_for(std::int64_t tokens) {
  return kernels::round_up(tokens, kSizeClassTokens);
}

std::int64_t KvCache::bytes_per_token(const nn::Compute& compute,
                                      const kernels::AttentionShape& shape,
                                      std::int64_t num_layers) {
  const auto value_bytes = static_cast<std::int64_t>(at::elementSize(compute.activation_dtype()));
  return 2 * num_layers * shape.num_kv_heads * kernels::round_up(shape.head_dim, kernels::kLanes) *
         value_bytes;
}

KvCache::Place KvCache::acquire(std::int64_t tokens) {
  const std::int64_t capacity = capacity_for(tokens);
  tokens_in_use_ += capacity;
  const auto found = free_.find(capacity);
  if (found == free_.end()) {
    return {nn::allocate_kv(compute_, num_layers_, shape_, capacity), capacity};
  }
  Place place = std::move(found->second);
  free_.erase(found);
  return place;
}

void KvCache::release(Place place) {
  tokens_in_use_ -= place.capacity;
  if (free_.size() < kMostFreePlaces) free_.emplace(place.capacity, std::move(place));
}

}  // namespace aitqe
