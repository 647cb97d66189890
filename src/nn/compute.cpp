#include "aitqe/nn/compute.h"

#include <c10/core/impl/VirtualGuardImpl.h>

namespace aitqe::nn {

const kernels::FusedKernels& Compute::fused() const {
  return device.is_cuda() ? *kernels::fused_kernels_on_cuda() : kernels::fused_kernels_on_cpu();
}

kernels::ScalarType kernel_type(at::ScalarType dtype) {
  return dtype == at::kBFloat16 ? kernels::ScalarType::BF16 : kernels::ScalarType::F32;
}

kernels::ScalarType Compute::fused_type() const { return kernel_type(dtype); }

kernels::Queue Compute::queue() const {
  if (!device.is_cuda()) return {};
  // libc10 alone knows the way to the stream: nothing of libtorch's CUDA half is linked.
  const c10::impl::VirtualGuardImpl cuda(at::kCUDA);
  return {device.index(), cuda.getStreamNativeHandle(cuda.getStream(device))};
}

bool has_fused_kernels(at::Device device) {
  return device.is_cpu() || (device.is_cuda() && kernels::fused_kernels_on_cuda() != nullptr);
}

at::Tensor to_device(const at::Tensor& on_host, at::Device device) {
  if (device.is_cpu()) return on_host;
  const at::Tensor pinned = on_host.is_pinned() ? on_host : on_host.pin_memory();
  return pinned.to(device, /*non_blocking=*/true);
}

}  // namespace aitqe::nn
