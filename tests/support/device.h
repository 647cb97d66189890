#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <string>

#include "aitqe/base/error.h"
#include "aitqe/nn/device.h"

namespace aitqe::test {

/// Whether there is a GPU. Asked before any test runs: ATen remembers its first look, which without
/// the CUDA libraries finds none.
inline const bool cuda_is_there = [] {
  try {
    nn::open_device("cuda");
  } catch (const Error&) {
    return false;
  }
  at::globalContext().setAllowTF32CuDNN(false);  // compared with a CPU: products of f32 are exact
  return true;
}();

/// The device, or none where this machine has no such one: the test is then skipped.
inline std::optional<at::Device> device_if_there(const std::string& name) {
  if (name != "cpu" && !cuda_is_there) return std::nullopt;
  return nn::open_device(name);
}

}  // namespace aitqe::test
