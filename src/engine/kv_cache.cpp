#include "aitqe/engine/kv_cache.h"

namespace aitqe {

namespace {
constexpr std::int64_t kSizeClassTokens = 128;
/// Kept places beyond this many are given back: captions of one set have few size classes.
constexpr std::size_t kMostFreePlaces = 64;
}  // namespace

KvCache::KvCache(const nn::Compute& compute, const kernels::AttentionShape& shape,
                 std::int64_t num_layers, std::int64_t pool_tokens)
    : compute_(compute),
      shape_(shape),
      num_layers_(num_layers),
      pool_rows_(compute.backend == nn::Backend::Fused ? pool_tokens : 0) {
  if (compute.backend == nn::Backend::Fused) {
    pool_ = nn::allocate_kv(compute, num_layers, shape, pool_tokens);
  }
}

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

bool KvCache::has_room(std::int64_t tokens) const {
  return compute_.backend != nn::Backend::Fused || pool_rows_.has(capacity_for(tokens));
}

KvCache::Place KvCache::acquire(std::int64_t tokens) {
  const std::int64_t capacity = capacity_for(tokens);
  Place place = take(capacity);
  tokens_in_use_ += capacity;
  return place;
}

KvCache::Place KvCache::take(std::int64_t capacity) {
  if (compute_.backend == nn::Backend::Fused) {
    Place place{pool_, capacity};
    const std::int64_t first_row = pool_rows_.take(capacity).value();
    for (nn::KvView& view : place.layers) view.first_row = first_row;
    return place;
  }
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
  if (compute_.backend == nn::Backend::Fused) {
    pool_rows_.give_back(place.layers.front().first_row, place.capacity);
    return;
  }
  if (free_.size() < kMostFreePlaces) free_.emplace(place.capacity, std::move(place));
}

bool KvCache::trim() {
  const bool had_any = !free_.empty();
  free_.clear();
  return had_any;
}

}  // namespace aitqe
