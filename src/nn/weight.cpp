#include "aitqe/nn/weight.h"

#include <functional>
#include <numeric>
#include <optional>

#include "aitqe/kernels/cpu_dispatch.h"

namespace aitqe::nn {

namespace {

/// FNV-1a, so that a peer in another language draws the same (bench/gpu_peer.py).
std::uint64_t seed_of(const std::string& name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash >> 1;
}

at::Tensor draw(const Weight& weight, at::Device device, at::ScalarType dtype) {
  at::manual_seed(seed_of(weight.name));
  const std::optional<at::Generator> global = std::nullopt;
  const at::Tensor values =
      at::empty(weight.shape, at::TensorOptions().device(device).dtype(dtype));
  return values.normal_(weight.drawing->mean, weight.drawing->deviation, global);
}

}  // namespace

std::int64_t Weight::num_values() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::vector<float> Weight::to_floats() const {
  std::vector<float> values(static_cast<std::size_t>(num_values()));
  kernels::cpu_kernels().to_f32(data, type, num_values(), values.data());
  return values;
}

at::Tensor Weight::to_tensor(at::Device device, at::ScalarType dtype) const {
  if (drawing) return draw(*this, device, dtype);
  const at::ScalarType stored = type == kernels::ScalarType::F32    ? at::kFloat
                                : type == kernels::ScalarType::BF16 ? at::kBFloat16
                                                                    : at::kHalf;
  // from_blob wants a mutable pointer; the tensor is only read.
  const at::Tensor mapped = at::from_blob(const_cast<void*>(data), shape, stored);
  return mapped.to(device, dtype, /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace aitqe::nn
