#pragma once

#include <ATen/ATen.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "aitqe/base/error.h"
#include "aitqe/nn/device.h"

namespace aitqe::test {

/// Whether there is a GPU. Asked before any test runs: ATen remembers its first look, which without
/// the CUDA libraries finds none. With AITQE_REQUIRE_CUDA=1 in the environment no test runs where
/// there is none: for machines that are to try it.
inline const bool cuda_is_there = [] {
  try {
    nn::open_device("cuda");
  } catch (const Error& error) {
    const char* required = std::getenv("AITQE_REQUIRE_CUDA");
    if (required == nullptr || std::string(required) != "1") return false;
    std::fprintf(stderr, "AITQE_REQUIRE_CUDA=1: %s\n", error.what());
    std::exit(1);
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
