#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <string>

#include "aitqe/base/error.h"
#include "aitqe/pipeline/loaded_model.h"

namespace aitqe::test {

/// The device, or none where this machine has no such one: the test is then skipped. On a GPU
/// products of f32 are exact from here on, as tests that compare with a CPU need them.
inline std::optional<at::Device> device_if_there(const std::string& name) {
  try {
    const at::Device device = open_device(name);
    at::globalContext().setAllowTF32CuDNN(false);
    return device;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace aitqe::test
