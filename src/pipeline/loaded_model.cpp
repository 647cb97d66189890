#include "aitqe/pipeline/loaded_model.h"

#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "aitqe/base/error.h"
#include "aitqe/kernels/cpu_dispatch.h"
#include "aitqe/model/fingerprint.h"

namespace aitqe {

namespace {

namespace fs = std::filesystem;

/// MemAvailable of /proc/meminfo, in bytes; 0 when it cannot be told.
std::int64_t available_memory_bytes() {
  std::ifstream meminfo("/proc/meminfo");
  std::string name;
  std::int64_t kib = 0;
  std::string unit;
  while (meminfo >> name >> kib >> unit) {
    if (name == "MemAvailable:") return kib * 1024;
  }
  return 0;
}

std::int64_t weight_bytes(const fs::path& folder) {
  std::int64_t bytes = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".safetensors")
      bytes += static_cast<std::int64_t>(entry.file_size());
  }
  return bytes;
}

/// A packed copy is worth it while it and the mapped file leave room for everything else.
kernels::Packing choose_packing(const ModelOptions& options, at::ScalarType dtype) {
  if (options.packing == "ahead") return kernels::Packing::Ahead;
  if (options.packing == "none") return kernels::Packing::OnTheFly;
  if (options.packing != "auto") {
    throw Error(ErrorCategory::Usage,
                "--packing " + options.packing + ": expected auto, ahead or none");
  }
  // A second copy of the weights is for models that are small beside any machine they run on.
  constexpr std::int64_t kLargestCopy = std::int64_t{4} << 30;
  // Weights are stored in two bytes at least; f32 copies take twice that.
  const std::int64_t copy = weight_bytes(options.folder) * (dtype == at::kFloat ? 2 : 1);
  const bool is_affordable = copy < kLargestCopy && copy * 2 < available_memory_bytes();
  return is_affordable ? kernels::Packing::Ahead : kernels::Packing::OnTheFly;
}

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

void choose_dtype(const ModelOptions& options, nn::Compute& compute) {
  if (options.dtype == "f32") {
    compute.dtype = at::kFloat;
  } else if (options.dtype == "bf16") {
    compute.dtype = at::kBFloat16;
  } else if (options.dtype == "auto") {
    const bool fast_bf16 = compute.device.is_cuda() || kernels::cpu_kernels().has_native_bf16;
    compute.dtype = fast_bf16 ? at::kBFloat16 : at::kFloat;
  } else {
    throw Error(ErrorCategory::Usage, "--dtype " + options.dtype + ": expected auto, f32 or bf16");
  }
}

nn::Compute choose_compute(const ModelOptions& options, at::Device device, int num_threads) {
  nn::Compute compute;
  compute.device = device;
  compute.backend = device.is_cpu() ? nn::Backend::Kernels : nn::Backend::Aten;
  choose_dtype(options, compute);
  if (compute.backend == nn::Backend::Kernels)
    compute.packing = choose_packing(options, compute.dtype);
  compute.pool = std::make_shared<ThreadPool>(num_threads);
  return compute;
}

/// One copy of the weights on each device; they share the threads.
std::vector<std::unique_ptr<const Mllm>> load_replicas(const ModelOptions& options,
                                                       const ModelConfig& config) {
  const std::vector<at::Device> devices = open_devices(options.device);
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const int threads = options.num_threads > 0 ? options.num_threads : cores;
  at::set_num_threads(1);  // ATen only copies on the CPU; its own threads would fight the pool's
  std::vector<std::unique_ptr<const Mllm>> replicas;
  for (const at::Device device : devices) {
    const int own_threads = std::max(1, threads / static_cast<int>(devices.size()));
    replicas.push_back(
        Mllm::load(options.folder, config, choose_compute(options, device, own_threads)));
  }
  return replicas;
}

std::string describe(const ModelOptions& options, const LoadedModel& model) {
  const nn::Compute& compute = model.mllm().compute();
  std::string devices;
  for (const auto& replica : model.replicas) {
    devices += (devices.empty() ? "" : ", ") + replica->compute().device.str();
  }
  std::string text = options.folder.lexically_normal().string() + ": " +
                     (compute.dtype == at::kFloat ? "f32" : "bf16") + " on " + devices;
  if (compute.backend == nn::Backend::Kernels) {
    text += std::string(" (") + kernels::cpu_kernels().name + "), " +
            std::to_string(compute.pool->num_threads()) + " threads, weights " +
            (compute.packing == kernels::Packing::Ahead ? "packed" : "read in place");
  }
  return text;
}

}  // namespace

at::Device open_device(const std::string& name) {
  if (name == "cpu" || name == "auto") return at::kCPU;
  const bool is_cuda = name == "cuda" || name.starts_with("cuda:");
  const std::string index = name.size() > 5 ? name.substr(5) : "0";
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

ModelInputs load_model_inputs(const fs::path& folder,
                              const std::optional<fs::path>& vision_folder) {
  ModelInputs inputs;
  inputs.config = load_model_config(folder, vision_folder);
  const ModelConfig& config = inputs.config;
  inputs.tokenizer = std::make_shared<const Tokenizer>(Tokenizer::load(folder));
  if (inputs.tokenizer->size() > config.text.vocab_size) {
    throw Error(ErrorCategory::Model, folder.string() + ": the tokenizer has ids up to " +
                                          std::to_string(inputs.tokenizer->size() - 1) +
                                          ", the model's vocab_size is " +
                                          std::to_string(config.text.vocab_size));
  }
  PromptOptions prompt;
  prompt.num_image_tokens = static_cast<int>(config.num_image_tokens);
  for (const auto& id : {config.pad_token_index, config.image_token_index}) {
    if (id) prompt.ids_the_reference_refuses.push_back(*id);
  }
  inputs.prompts =
      std::make_shared<const PromptBuilder>(load_prompt_template(folder), inputs.tokenizer, prompt);
  inputs.pixel_norm = {config.image.rescale_factor, config.image.mean, config.image.std};
  inputs.image_side_px = static_cast<int>(config.image.side_px);
  return inputs;
}

LoadedModel load_model(const ModelOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  if (!kernels::cpu_is_supported()) {
    throw Error(ErrorCategory::Model, "this CPU has no AVX2, FMA and F16C, which aitqe needs");
  }
  LoadedModel model{load_model_inputs(options.folder, options.vision_folder), {}, {}, {}, {}};
  model.replicas = load_replicas(options, model.config);
  model.description = describe(options, model);
  model.fingerprint = model_fingerprint(options.folder);
  model.load_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return model;
}

}  // namespace aitqe
