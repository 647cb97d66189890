#include "aitqe/nn/packed_index.h"

#include <algorithm>
#include <cassert>

namespace aitqe::nn {

PackedIndex make_packed_index(const Compute& compute, std::span<const AttentionRows> rows,
                              std::span<const KvView> caches) {
  const std::int64_t num_sequences = std::ssize(rows);
  const std::int64_t num_rows = rows.empty() ? 0 : rows.back().first_row + rows.back().num_rows;
  // One buffer, so that all of it travels in one copy.
  const std::int64_t count = 2 * num_rows + 2 * (num_sequences + 1) + num_sequences;
  at::TensorOptions options(at::kInt);
  if (compute.device.is_cuda()) options = options.pinned_memory(true);
  const at::Tensor on_host = at::zeros({count}, options);
  auto* positions = on_host.mutable_data_ptr<std::int32_t>();
  std::int32_t* places = positions + num_rows;
  std::int32_t* cum_rows = places + num_rows;
  std::int32_t* first_keys = cum_rows + num_sequences + 1;
  std::int32_t* num_keys = first_keys + num_sequences + 1;
  PackedIndex index;
  for (std::int64_t i = 0; i < num_sequences; ++i) {
    const AttentionRows& own = rows[static_cast<std::size_t>(i)];
    assert(own.first_row == cum_rows[i]);
    const std::int64_t first_key = caches[static_cast<std::size_t>(i)].first_row;
    for (std::int64_t row = 0; row < own.num_rows; ++row) {
      const std::int64_t position = own.first_position + row;
      positions[own.first_row + row] = static_cast<std::int32_t>(position);
      places[own.first_row + row] = static_cast<std::int32_t>(first_key + position);
    }
    cum_rows[i + 1] = static_cast<std::int32_t>(own.first_row + own.num_rows);
    first_keys[i] = static_cast<std::int32_t>(first_key);
    num_keys[i] = static_cast<std::int32_t>(own.first_position + own.num_rows);
    index.max_rows = std::max(index.max_rows, own.num_rows);
    index.max_keys = std::max<std::int64_t>(index.max_keys, num_keys[i]);
  }
  const at::Tensor on_device = to_device(on_host, compute.device);
  std::int64_t at = 0;
  const auto take = [&](std::int64_t size) {
    at += size;
    return on_device.narrow(0, at - size, size);
  };
  index.positions = take(num_rows);
  index.places = take(num_rows);
  index.cum_rows = take(num_sequences + 1);
  index.first_keys = take(num_sequences + 1);
  index.num_keys = take(num_sequences);
  return index;
}

}  // namespace aitqe::nn
