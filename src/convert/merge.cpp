#include "aitqe/convert/merge.h"

#include <ATen/ATen.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "aitqe/io/sink.h"
#include "aitqe/model/fingerprint.h"
#include "aitqe/model/tensor_table.h"
#include "aitqe/model/tensor_writer.h"
#include "base_tensors.h"

namespace aitqe {

namespace {

namespace fs = std::filesystem;
const std::string kA = ".lora_A.weight";
const std::string kB = ".lora_B.weight";

nlohmann::json read_adapter_json(const fs::path& folder) {
  const fs::path path = folder / "adapter.json";
  std::ifstream file(path);
  if (!file) throw Error(ErrorCategory::Model, path.string() + ": cannot be read");
  try {
    nlohmann::json json = nlohmann::json::parse(file);
    const bool fits = json.at("schema") == "aitqe.adapter/1" &&
                      json.at("base_sha256").is_string() && json.at("lora_scale").is_object();
    if (fits) return json;
    throw Error(ErrorCategory::Model,
                path.string() + ": expected schema aitqe.adapter/1, base_sha256, lora_scale");
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCategory::Model, path.string() + ": " + error.what());
  }
}

/// Replaces and adds what was trained.
void apply(const fs::path& adapter_file, const nlohmann::json& scales,
           std::map<std::string, at::Tensor>& tensors) {
  TensorTable adapter(SafetensorsFolder::of_file(adapter_file));
  const std::map<std::string, std::vector<std::int64_t>> shapes = adapter.shapes();
  const auto take = [&](const std::string& name) {
    return adapter.take(name, shapes.at(name)).to_tensor(at::kCPU, at::kFloat);
  };
  for (const auto& [name, shape] : shapes) {
    if (name.ends_with(kB)) continue;
    if (!name.ends_with(kA)) {
      tensors[name] = take(name).to(at::kBFloat16);
      continue;
    }
    const std::string layer = name.substr(0, name.size() - kA.size());
    const auto weight = tensors.find(layer + ".weight");
    const bool fits = weight != tensors.end() && shapes.contains(layer + kB) &&
                      scales.contains(layer) && shape.size() == 2 &&
                      weight->second.size(1) == shape[1] &&
                      shapes.at(layer + kB) == std::vector{weight->second.size(0), shape[0]};
    if (!fits) {
      throw Error(ErrorCategory::Model, adapter_file.string() + ": low-rank factors of \"" + layer +
                                            "\" do not fit a layer of the base, or have no scale");
    }
    const at::Tensor added =
        at::matmul(take(layer + kB), take(name)) * scales.at(layer).get<double>();
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
  std::ifstream file(base, std::ios::binary);
  if (!file) throw Error(ErrorCategory::Model, base.string() + ": cannot be read (--base)");
  Sha256 hash;
  std::string piece(std::size_t{1} << 20, '\0');
  while (file.read(piece.data(), std::ssize(piece)) || file.gcount() > 0) {
    hash.update({piece.data(), static_cast<std::size_t>(file.gcount())});
  }
  return hash.hex_digest();
}

void merge_adapter(const MergeOptions& options) {
  const nlohmann::json adapter = read_adapter_json(options.adapter);
  const std::string expected = adapter.at("base_sha256").get<std::string>();
  const std::string found = base_sha256(options.base);
  if (found != expected) {
    throw Error(ErrorCategory::Model, options.base.string() + ": sha256 " + found + ", " +
                                          options.adapter.string() + " stands on " + expected);
  }
  const ModelConfig config = load_model_config(options.adapter);
  std::map<std::string, at::Tensor> tensors = read_base(options.base, config.text);
  apply(options.adapter / "adapter.safetensors", adapter.at("lora_scale"), tensors);
  require_writable_folder(options.output_folder);
  require_other_folder(options.adapter, options.output_folder);
  require_other_folder(options.base, options.output_folder);
  fs::create_directories(options.output_folder);
  copy_model_files(options.adapter, options.output_folder);
  write_tensors(options.output_folder / "model.safetensors", tensors, {{"format", "pt"}});
}

}  // namespace aitqe
