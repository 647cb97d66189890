#pragma once

#include <filesystem>
#include <memory>

#include "aitqe/model/mllm.h"

namespace aitqe::test {

inline std::unique_ptr<Mllm> load_mllm(const std::filesystem::path& folder,
                                       const nn::Compute& compute) {
  return Mllm::load(folder, load_model_config(folder), compute);
}

}  // namespace aitqe::test
