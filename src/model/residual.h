#pragma once

#include "aitqe/kernels/rows.h"
#include "aitqe/nn/compute.h"

namespace aitqe {

/// hidden += update, both [R, n] and contiguous.
inline void add_residual(at::Tensor& hidden, const at::Tensor& update, const nn::Compute& compute) {
  if (compute.backend == nn::Backend::Aten) {
    hidden.add_(update);
  } else {
    kernels::add_to(update.const_data_ptr<float>(), hidden.numel(),
                    hidden.mutable_data_ptr<float>(), *compute.pool);
  }
}

}  // namespace aitqe
