#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <string>

#include "aitqe/io/safetensors.h"
#include "aitqe/nn/compute.h"
#include "aitqe/nn/weight.h"

namespace aitqe::test {

inline std::filesystem::path source_dir() { return AITQE_SOURCE_DIR; }
inline std::filesystem::path reference_dir() { return source_dir() / "tests/data/reference"; }

/// Tensors made by torch and transformers (scripts/make_reference.py).
class ReferenceTensors {
 public:
  explicit ReferenceTensors(const std::filesystem::path& path)
      : file_(SafetensorsFile::open(path)) {}

  nn::Weight weight(const std::string& name) const {
    const TensorInfo& info = file_->tensors().at(name);
    EXPECT_EQ(info.dtype, TensorDtype::F32) << name;
    return {name, info.shape, kernels::ScalarType::F32, file_->data(name).data(), file_};
  }
  at::Tensor operator[](const std::string& name) const {
    return weight(name).to_tensor(at::kCPU, at::kFloat);
  }
  at::Tensor int64s(const std::string& name) const {
    return at::from_blob(const_cast<std::byte*>(file_->data(name).data()),
                         file_->tensors().at(name).shape, at::kLong)
        .clone();
  }

 private:
  std::shared_ptr<const SafetensorsFile> file_;
};

inline std::shared_ptr<const nn::Compute> compute(nn::Backend backend, int num_threads = 2,
                                                  at::ScalarType dtype = at::kFloat) {
  nn::Compute made;
  made.backend = backend;
  made.dtype = dtype;
  made.pool = std::make_shared<ThreadPool>(num_threads);
  return std::make_shared<const nn::Compute>(made);
}

inline float largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<float>();
}

}  // namespace aitqe::test
