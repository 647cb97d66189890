#include "aitqe/pipeline/loaded_model.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <vector>

#include "aitqe/base/cores.h"
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

void choose_dtype(const ModelOptions& options, nn::Compute& compute) {
  if (options.dtype == "f32") {
    compute.dtype = at::kFloat;
  } else if (options.dtype == "bf16") {
    compute.dtype = at::kBFloat16;
  } else if (options.dtype == "auto" || options.dtype == "int8") {
    const bool fast_bf16 = compute.device.is_cuda() || kernels::cpu_kernels().has_native_bf16;
    compute.dtype = fast_bf16 ? at::kBFloat16 : at::kFloat;
    if (options.dtype == "int8") compute.products = nn::Products::Int8;
  } else if (options.dtype == "fp8") {
    compute.dtype = at::kBFloat16;
    compute.products = nn::Products::Fp8;
  } else {
    throw Error(ErrorCategory::Usage,
                "--dtype " + options.dtype + ": expected auto, f32, bf16, int8 or fp8");
  }
}

/// In f32 a GPU is there to compare with: libtorch's operations one by one.
void choose_fusion(nn::Compute& compute) {
  if (compute.device.is_cpu() || compute.dtype != at::kBFloat16) return;
  if (nn::has_fused_kernels(compute.device)) compute.backend = nn::Backend::Fused;
}

nn::Compute choose_compute(const ModelOptions& options, at::Device device, int num_threads) {
  nn::Compute compute;
  compute.device = device;
  compute.backend = device.is_cpu() ? nn::Backend::Kernels : nn::Backend::Aten;
  choose_dtype(options, compute);
  choose_fusion(compute);
  if (compute.products == nn::Products::Fp8 && compute.backend != nn::Backend::Fused) {
    throw Error(ErrorCategory::Usage,
                "--dtype fp8: needs --device cuda and a build with CUDA kernels");
  }
  if (compute.products == nn::Products::Int8 && compute.backend != nn::Backend::Kernels) {
    throw Error(ErrorCategory::Usage, "--dtype int8: needs --device cpu");
  }
  if (compute.backend == nn::Backend::Kernels)
    compute.packing = choose_packing(options, compute.dtype);
  compute.pool = std::make_shared<ThreadPool>(num_threads);
  return compute;
}

/// One copy of the weights on each device; they share the threads.
std::vector<std::unique_ptr<const Mllm>> load_replicas(const ModelOptions& options,
                                                       const ModelConfig& config) {
  const std::vector<at::Device> devices = nn::open_devices(options.device);
  const int threads = options.num_threads > 0 ? options.num_threads : usable_cores();
  at::set_num_threads(1);  // ATen only copies on the CPU; its own threads would fight the pool's
  std::vector<std::unique_ptr<const Mllm>> replicas;
  for (const at::Device device : devices) {
    const int own_threads = std::max(1, threads / static_cast<int>(devices.size()));
    replicas.push_back(Mllm::load(options.folder, config,
                                  choose_compute(options, device, own_threads), options.on_tensor));
  }
  return replicas;
}

std::string describe(const ModelOptions& options, const LoadedModel& model) {
  const nn::Compute& compute = model.mllm().compute();
  std::string devices;
  for (const auto& replica : model.replicas) {
    devices += (devices.empty() ? "" : ", ") + replica->compute().device.str();
  }
  std::string text =
      options.folder.lexically_normal().string() + ": " + dtype_name(compute) + " on " + devices;
  if (compute.backend == nn::Backend::Kernels) {
    text += std::string(" (") + kernels::cpu_kernels().name + "), " +
            std::to_string(compute.pool->num_threads()) + " threads, weights " +
            (compute.packing == kernels::Packing::Ahead ? "packed" : "read in place");
  }
  return text;
}

}  // namespace

std::string dtype_name(const nn::Compute& compute) {
  switch (compute.products) {
    case nn::Products::Fp8:
      return "fp8";
    case nn::Products::Int8:
      return "int8";
    case nn::Products::AsComputed:
      break;
  }
  return compute.dtype == at::kFloat ? "f32" : "bf16";
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
  model.fingerprint = model_fingerprint(options.folder, model.config);
  model.load_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return model;
}

}  // namespace aitqe
