#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

namespace aitqe::nn {

/// The device that `auto`, `cpu`, `cuda` or `cuda:N` names, its libraries opened. `auto` is the
/// CPU.
/// @throws Error(Usage) for another word; Error(Model) where there is no such device.
at::Device open_device(const std::string& name);

/// The devices of a list with commas, in its order; `cuda:all` stands for every CUDA device.
/// @throws as open_device; Error(Usage) where a CUDA device is named twice or CPU and CUDA are
/// mixed (they do not give the same bits).
std::vector<at::Device> open_devices(const std::string& names);

}  // namespace aitqe::nn
