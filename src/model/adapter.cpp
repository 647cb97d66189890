#include "aitqe/model/adapter.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/io/sink.h"
#include "aitqe/model/tensor_table.h"
#include "aitqe/model/tensor_writer.h"

namespace aitqe {

namespace {

namespace fs = std::filesystem;
const std::string kSchema = "aitqe.adapter/1";
const std::string kDescription = "adapter.json";
const std::string kTensors = "adapter.safetensors";
const std::string kA = ".lora_A.weight";
const std::string kB = ".lora_B.weight";

nlohmann::json read_description(const fs::path& path) {
  std::ifstream file(path);
  if (!file) throw Error(ErrorCategory::Model, path.string() + ": cannot be read");
  try {
    nlohmann::json json = nlohmann::json::parse(file);
    const bool fits = json.at("schema") == kSchema && json.at("base_sha256").is_string() &&
                      json.at("lora_scale").is_object();
    if (fits) return json;
    throw Error(ErrorCategory::Model,
                path.string() + ": expected schema " + kSchema + ", base_sha256, lora_scale");
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCategory::Model, path.string() + ": " + error.what());
  }
}

[[noreturn]] void fail_factors(const std::string& where, const std::string& layer) {
  throw Error(ErrorCategory::Model, where + ": low-rank factors of \"" + layer +
                                        "\" do not fit a layer of the base, or have no scale");
}

}  // namespace

Adapter Adapter::read(const fs::path& folder) {
  const nlohmann::json description = read_description(folder / kDescription);
  const nlohmann::json& scales = description.at("lora_scale");
  Adapter adapter;
  adapter.base_sha256 = description.at("base_sha256").get<std::string>();
  const fs::path path = folder / kTensors;
  TensorTable table(SafetensorsFolder::of_file(path));
  const std::map<std::string, std::vector<std::int64_t>> shapes = table.shapes();
  const auto take = [&](const std::string& name) {
    return table.take(name, shapes.at(name)).to_tensor(at::kCPU, at::kFloat);
  };
  for (const auto& [name, shape] : shapes) {
    if (name.ends_with(kB)) continue;
    if (!name.ends_with(kA)) {
      adapter.changed[name] = take(name);
      continue;
    }
    const std::string layer = name.substr(0, name.size() - kA.size());
    const auto b = shapes.find(layer + kB);
    const bool fits = shape.size() == 2 && b != shapes.end() && b->second.size() == 2 &&
                      b->second[1] == shape[0] && scales.contains(layer) &&
                      scales.at(layer).is_number();
    if (!fits) fail_factors(path.string(), layer);
    adapter.low_rank[layer] = {take(name), take(layer + kB), scales.at(layer).get<double>()};
  }
  return adapter;
}

void Adapter::write(const fs::path& folder) const {
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, double> scales;
  for (const auto& [name, tensor] : changed) tensors[name] = tensor.to(at::kBFloat16);
  for (const auto& [layer, factors] : low_rank) {
    tensors[layer + kA] = factors.a.to(at::kBFloat16);
    tensors[layer + kB] = factors.b.to(at::kBFloat16);
    scales[layer] = factors.scale;
  }
  fs::create_directories(folder);
  write_tensors(folder / kTensors, tensors, {});
  const nlohmann::ordered_json description = {
      {"schema", kSchema}, {"base_sha256", base_sha256}, {"lora_scale", scales}};
  write_atomically(folder / kDescription, description.dump(2) + "\n");
}

at::Tensor Adapter::added(const LowRank& factors, const std::string& layer,
                          at::IntArrayRef layer_shape) {
  if (layer_shape != at::IntArrayRef({factors.b.size(0), factors.a.size(1)})) {
    fail_factors("adapter", layer);
  }
  return at::matmul(factors.b, factors.a) * factors.scale;
}

}  // namespace aitqe
