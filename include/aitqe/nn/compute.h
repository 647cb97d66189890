#pragma once

#include <ATen/ATen.h>

#include <memory>

#include "aitqe/base/thread_pool.h"
#include "aitqe/kernels/fused.h"
#include "aitqe/kernels/gemm.h"

namespace aitqe::nn {

/// Who does the arithmetic of a layer.
enum class Backend {
  /// Our own CPU kernels: the same bits at any batch. Activations are f32, or rounded to bf16 by
  /// who makes them where the next product would do it: `Linear::input_dtype`.
  Kernels,
  Aten,  ///< libtorch, on any device; activations have the computing dtype
  /// As Aten, but what stands between the products is fused, and keys and values of all sequences
  /// lie in one pool that one call attends to. For GPUs; on a CPU slow, and there for tests.
  Fused,
};

/// In what a layer forms its products.
enum class Products {
  AsComputed,  ///< in Compute::dtype
  /// e4m3, each row of x and of W scaled by its largest value, sums in f32, result in bf16.
  /// Not exact: docs/gpu.md says how it is to be judged. Backend::Fused with bf16 only; inputs and
  /// outputs multiples of 16.
  Fp8,
  /// Whole numbers of 8 bits: kernels::Compute::Int8. Not exact. Backend::Kernels only.
  Int8,
};

/// What every layer of one model shares. The pool outlives the layers; one thread at a time runs
/// the layers of one context.
struct Compute {
  Backend backend = Backend::Kernels;
  at::Device device = at::kCPU;
  /// In what products are formed: at::kFloat or at::kBFloat16.
  at::ScalarType dtype = at::kFloat;
  /// Of the language model's layers; not of its head, nor of the vision tower.
  Products products = Products::AsComputed;
  /// Kernels only.
  kernels::Packing packing = kernels::Packing::Ahead;
  std::shared_ptr<ThreadPool> pool = std::make_shared<ThreadPool>(1);

  /// The dtype of the residual stream.
  at::ScalarType activation_dtype() const {
    return backend == Backend::Kernels ? at::kFloat : dtype;
  }
  at::TensorOptions activation_options() const {
    return at::TensorOptions().device(device).dtype(activation_dtype());
  }

  /// Backend::Fused: the kernels of the device. @pre has_fused_kernels(device)
  const kernels::FusedKernels& fused() const;
  kernels::ScalarType fused_type() const;
  /// The device's current stream, or the CPU.
  kernels::Queue queue() const;
};

/// F32 or BF16, as the kernels call them.
kernels::ScalarType kernel_type(at::ScalarType dtype);

/// Whether this build holds fused kernels for the device.
bool has_fused_kernels(at::Device device);

/// Values of host memory on `device`, on their way when this returns: the copy is put into the
/// current stream, from pinned memory where the device is no CPU.
at::Tensor to_device(const at::Tensor& on_host, at::Device device);

}  // namespace aitqe::nn
