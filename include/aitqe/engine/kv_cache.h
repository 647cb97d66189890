#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "aitqe/model/qwen2.h"
#include "aitqe/nn/compute.h"

namespace aitqe {

/// Places for the keys and values of running sequences, each a fixed run of tokens, kept for the
/// next sequence of that size class when one ends. One thread at a time.
class KvCache {
 public:
  KvCache(const nn::Compute& compute, const kernels::AttentionShape& shape,
          std::int64_t num_layers);

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

  /// Room for `tokens`; what it holds is left over from earlier sequences.
  Place acquire(std::int64_t tokens);
  void release(Place place);

  std::int64_t tokens_in_use() const { return tokens_in_use_; }

 private:
  const nn::Compute& compute_;
  kernels::AttentionShape shape_;
  std::int64_t num_layers_;
  std::int64_t tokens_in_use_ = 0;
  std::multimap<std::int64_t, Place> free_;  // by capacity
};

}  // namespace aitqe
