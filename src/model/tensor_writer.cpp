#include "aitqe/model/tensor_writer.h"

#include <vector>

#include "aitqe/base/error.h"
#include "aitqe/io/safetensors_writer.h"

namespace aitqe {

namespace {

TensorDtype dtype_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return TensorDtype::F32;
    case at::kBFloat16:
      return TensorDtype::BF16;
    case at::kHalf:
      return TensorDtype::F16;
    case at::kLong:
      return TensorDtype::I64;
    case at::kByte:
      return TensorDtype::U8;
    default:
      throw Error(ErrorCategory::Bug, "a tensor of this dtype is never written");
  }
}

}  // namespace

void write_tensors(const std::filesystem::path& path,
                   const std::map<std::string, at::Tensor>& tensors,
                   const std::map<std::string, std::string>& metadata) {
  std::vector<at::Tensor> held;
  std::vector<TensorToWrite> list;
  for (const auto& [name, tensor] : tensors) {
    held.push_back(tensor.detach().to(at::kCPU).contiguous());
    const at::Tensor& own = held.back();
    list.push_back({name,
                    dtype_of(own),
                    own.sizes().vec(),
                    {static_cast<const std::byte*>(own.const_data_ptr()), own.nbytes()}});
  }
  write_safetensors(path, list, metadata);
}

}  // namespace aitqe
