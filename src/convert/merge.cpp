#include "aitqe/convert/merge.h"

#include <ATen/ATen.h>

#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "aitqe/io/sink.h"
#include "aitqe/model/adapter.h"
#include "aitqe/model/fingerprint.h"
#include "aitqe/model/tensor_writer.h"
#include "base_tensors.h"

namespace aitqe {

namespace {

namespace fs = std::filesystem;

/// Replaces and adds what was trained.
void apply(const Adapter& adapter, std::map<std::string, at::Tensor>& tensors) {
  for (const auto& [name, tensor] : adapter.changed) tensors[name] = tensor.to(at::kBFloat16);
  for (const auto& [layer, factors] : adapter.low_rank) {
    const auto weight = tensors.find(layer + ".weight");
    const at::IntArrayRef shape =
        weight == tensors.end() ? at::IntArrayRef() : weight->second.sizes();
    const at::Tensor added = Adapter::added(factors, layer, shape);
    weight->second = (weight->second.to(at::kFloat) + added).to(at::kBFloat16);
  }
}

void copy_model_files(const fs::path& adapter, const fs::path& output_folder) {
  for (const auto& entry : fs::recursive_directory_iterator(adapter)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || name == "adapter.json" || name == "adapter.safetensors")
      continue;
    const fs::path to = output_folder / fs::relative(entry.path(), adapter);
    fs::create_directories(to.parent_path());
    copy_atomically(entry.path(), to);
  }
}

}  // namespace

std::string base_sha256(const fs::path& base) {
  if (fs::is_directory(base)) return model_fingerprint(base);
  return sha256_of_file(base);
}

void merge_adapter(const MergeOptions& options) {
  const Adapter adapter = Adapter::read(options.adapter);
  const std::string found = base_sha256(options.base);
  if (found != adapter.base_sha256) {
    throw Error(ErrorCategory::Model, options.base.string() + ": sha256 " + found + ", " +
                                          options.adapter.string() + " stands on " +
                                          adapter.base_sha256);
  }
  const ModelConfig config = load_model_config(options.adapter);
  std::map<std::string, at::Tensor> tensors = read_base(options.base, config.text);
  apply(adapter, tensors);
  require_writable_folder(options.output_folder);
  require_other_folder(options.adapter, options.output_folder);
  require_other_folder(options.base, options.output_folder);
  fs::create_directories(options.output_folder);
  copy_model_files(options.adapter, options.output_folder);
  write_tensors(options.output_folder / "model.safetensors", tensors, {{"format", "pt"}});
}

}  // namespace aitqe
