#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aitqe/kernels/scalar_type.h"

namespace aitqe::nn {

/// Random values about `mean`, for benchmarks.
struct Drawing {
  float mean = 0;
  float deviation = 1;
};

/// One tensor of a checkpoint, as it lies in the mapped file. Copying copies no data.
struct Weight {
  std::string name;
  std::vector<std::int64_t> shape;
  kernels::ScalarType type = kernels::ScalarType::F32;
  const void* data = nullptr;  ///< row-major, aligned to an element
  std::shared_ptr<const void> keep_alive;
  /// Stands in for `data`, where to_tensor alone is asked: not for Backend::Kernels.
  std::optional<Drawing> drawing = std::nullopt;

  std::int64_t num_values() const;
  /// All values as f32.
  std::vector<float> to_floats() const;
  /// A copy on `device` in `dtype`. What is drawn follows from the name and the kind of device.
  at::Tensor to_tensor(at::Device device, at::ScalarType dtype) const;
};

}  // namespace aitqe::nn
