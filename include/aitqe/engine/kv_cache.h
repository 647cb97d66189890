#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "aitqe/engine/token_pool.h"
#include "aitqe/model/qwen2.h"
#include "aitqe/nn/compute.h"

namespace aitqe {

/// Places for the keys and values of running sequences, each a fixed run of tokens, kept for the
/// next sequence of that size class when one ends. With Backend::Fused they are runs of rows in one
/// pool, which is allocated whole. One thread at a time.
class KvCache {
 public:
  /// @param pool_tokens  rows of the pool; Backend::Fused only
  KvCache(const nn::Compute& compute, const kernels::AttentionShape& shape, std::int64_t num_layers,
          std::int64_t pool_tokens = 0);

  struct Place {
    SequenceKv layers;
    std::int64_t capacity = 0;  ///< tokens
  };

  /// Tokens that a sequence of `tokens` takes up: its size class.
  static std::int64_t capacity_for(std::int64_t tokens);
  /// Bytes of one token over all layers.
  static std::int64_t bytes_per_token(const nn::Compute& compute,
                                      const kernels::AttentionShape& shape,
                                      std::int64_t num_layers);

  /// Whether there is room for `tokens` in one run. Only a pool can be full.
  bool has_room(std::int64_t tokens) const;
  /// Room for `tokens`; what it holds is left over from earlier sequences.
  /// @pre has_room(tokens)
  /// @throws what libtorch throws when memory runs out; nothing is taken then
  Place acquire(std::int64_t tokens);
  void release(Place place);
  /// Gives back the memory of places that nobody is at; false when there was none. A pool stays.
  bool trim();

  std::int64_t tokens_in_use() const { return tokens_in_use_; }
  /// Backend::Fused: one view a layer of the pool.
  const SequenceKv& pool() const { return pool_; }

 private:
  Place take(std::int64_t capacity);

  const nn::Compute& compute_;
  kernels::AttentionShape shape_;
  std::int64_t num_layers_;
  std::int64_t tokens_in_use_ = 0;
  std::multimap<std::int64_t, Place> free_;  // by capacity
  SequenceKv pool_;                          // Fused
  TokenPool pool_rows_;
};

}  // namespace aitqe
