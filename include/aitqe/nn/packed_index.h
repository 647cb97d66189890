#pragma once

#include <ATen/ATen.h>

#include <span>

#include "aitqe/nn/attention.h"
#include "aitqe/nn/compute.h"

namespace aitqe::nn {

/// Where the rows of one pass and their sequences' keys stand, on the device: made once a pass,
/// read by every layer. Backend::Fused. All int32.
struct PackedIndex {
  at::Tensor positions;   ///< [R]: of a row in its sequence
  at::Tensor places;      ///< [R]: the pool row that takes a row's key and value
  at::Tensor cum_rows;    ///< [B + 1]: where a sequence's rows begin; the last one: R
  at::Tensor first_keys;  ///< [B + 1]: the pool row where a sequence's keys begin; the last one: 0
  at::Tensor num_keys;    ///< [B]: keys that a sequence has once the rows' own are stored
  std::int64_t max_rows = 0;
  std::int64_t max_keys = 0;
};

/// @param rows    of each sequence, one behind the other from row 0 on
/// @param caches  views of one pool, one each a sequence
PackedIndex make_packed_index(const Compute& compute, std::span<const AttentionRows> rows,
                              std::span<const KvView> caches);

}  // namespace aitqe::nn
