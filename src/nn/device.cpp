#include "aitqe/nn/device.h"

#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

#include <algorithm>
#include <sstream>

#include "aitqe/base/error.h"

namespace aitqe::nn {

namespace {

/// The CUDA half of libtorch is opened only when asked for: one binary serves machines without it.
void open_cuda_libraries() {
  for (const char* library : {"libc10_cuda.so", "libtorch_cuda.so"}) {
    if (dlopen(library, RTLD_NOW | RTLD_GLOBAL) == nullptr) {
      throw Error(ErrorCategory::Model,
                  std::string("--device cuda: ") + dlerror() +
                      " (the torch wheel with all its dependencies is needed)");
    }
  }
}

}  // namespace

at::Device open_device(const std::string& name) {
  if (name == "cpu" || name == "auto") return at::kCPU;
  const bool is_cuda = name == "cuda" || name.starts_with("cuda:");
  const std::string index = name.size() >= 5 ? name.substr(5) : "0";
  if (!is_cuda || index.empty() || index.size() > 3 ||
      index.find_first_not_of("0123456789") != std::string::npos) {
    throw Error(ErrorCategory::Usage, "--device " + name + ": expected auto, cpu, cuda or cuda:N");
  }
  open_cuda_libraries();
  if (!at::globalContext().hasCUDA()) {
    throw Error(ErrorCategory::Model, "--device " + name + ": libtorch sees no CUDA device here");
  }
  const int found = at::detail::getCUDAHooks().deviceCount();
  if (std::stoi(index) >= found) {
    throw Error(ErrorCategory::Model, "--device " + name + ": there are " + std::to_string(found) +
                                          " CUDA devices, numbered from 0");
  }
  return {at::kCUDA, static_cast<at::DeviceIndex>(std::stoi(index))};
}

std::vector<at::Device> open_devices(const std::string& names) {
  std::vector<at::Device> devices;
  std::istringstream list(names);
  for (std::string name; std::getline(list, name, ',');) {
    if (name != "cuda:all") {
      devices.push_back(open_device(name));
      continue;
    }
    devices.push_back(open_device("cuda"));
    const int found = at::detail::getCUDAHooks().deviceCount();
    for (int i = 1; i < found; ++i) {
      devices.emplace_back(at::kCUDA, static_cast<at::DeviceIndex>(i));
    }
  }
  if (devices.empty()) open_device(names);  // says what is expected
  for (auto device = devices.begin(); device != devices.end(); ++device) {
    const bool is_twice =
        device->is_cuda() && std::find(devices.begin(), device, *device) != device;
    if (is_twice || device->type() != devices.front().type()) {
      throw Error(ErrorCategory::Usage, "--device " + names + ": expected devices of one kind, " +
                                            (is_twice ? device->str() + " only once" : "not both"));
    }
  }
  return devices;
}

}  // namespace aitqe::nn
