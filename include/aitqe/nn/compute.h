#pragma once

#include <ATen/ATen.h>

#include <memory>

#include "aitqe/base/thread_pool.h"
#include "aitqe/kernels/gemm.h"

namespace aitqe::nn {

/// Who does the arithmetic of a layer.
enum class Backend {
  Kernels,  ///< our own CPU kernels: the same bits at any batch; activations are always f32
  Aten,     ///< libtorch, on any device; activations have the computing dtype
};

/// What every layer of one model shares. The pool outlives the layers; one thread at a time runs
/// the layers of one context.
struct Compute {
  Backend backend = Backend::Kernels;
  at::Device device = at::kCPU;
  /// In what products are formed: at::kFloat or at::kBFloat16.
  at::ScalarType dtype = at::kFloat;
  /// Kernels only.
  kernels::Packing packing = kernels::Packing::Ahead;
  std::shared_ptr<ThreadPool> pool = std::make_shared<ThreadPool>(1);

  /// The dtype of tensors between layers.
  at::ScalarType activation_dtype() const {
    return backend == Backend::Kernels ? at::kFloat : dtype;
  }
  at::TensorOptions activation_options() const {
    return at::TensorOptions().device(device).dtype(activation_dtype());
  }
};

}  // namespace aitqe::nn
