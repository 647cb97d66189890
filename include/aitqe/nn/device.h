#pragma once

#include <ATen/ATen.h>

#include <string>

namespace aitqe::nn {

/// The device that `auto`, `cpu`, `cuda` or `cuda:N` names, its libraries opened. `auto` is the
/// CPU.
/// @throws Error(Usage) for another word; Error(Model) where there is no such device.
at::Device open_device(const std::string& name);

}  // namespace aitqe::nn
