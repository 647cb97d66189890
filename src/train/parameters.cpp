#include "aitqe/train/parameters.h"

#include <ATen/core/grad_mode.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>

#include "aitqe/base/error.h"
#include "aitqe/model/tensor_table.h"

namespace aitqe {

namespace {

bool fits(const std::string& glob, const std::string& name) {
  return fnmatch(glob.c_str(), name.c_str(), 0) == 0;
}

}  // namespace

at::Tensor random_matrix(std::int64_t rows, std::int64_t columns, Random random) {
  at::Tensor matrix = at::empty({rows, columns}, at::kFloat);
  const double reach = 1.0 / std::sqrt(static_cast<double>(columns));
  auto* values = matrix.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < matrix.numel(); ++i) {
    values[i] = static_cast<float>(reach * (2 * random.unit() - 1));
  }
  return matrix;
}

Parameters Parameters::load(const std::filesystem::path& folder, at::Device device,
                            at::ScalarType dtype) {
  Parameters parameters;
  parameters.folder_ = folder;
  parameters.device_ = device;
  parameters.dtype_ = dtype;
  TensorTable tensors(folder);
  for (const auto& [name, shape] : tensors.shapes()) {
    // Matrices are factors of products; what is added or multiplied row by row stays exact.
    parameters.values_[name] =
        tensors.take(name, shape).to_tensor(device, shape.size() > 1 ? dtype : at::kFloat);
  }
  return parameters;
}

const at::Tensor& Parameters::value_of(const std::string& name) const {
  const auto master = masters_.find(name);
  if (master != masters_.end()) return master->second;
  const auto value = values_.find(name);
  if (value == values_.end()) {
    throw Error(ErrorCategory::Model, folder_.string() + ": tensor \"" + name + "\" is missing");
  }
  return value->second;
}

at::Tensor Parameters::wide(const std::string& name) const { return value_of(name).to(at::kFloat); }

at::Tensor Parameters::factor(const std::string& name) const { return value_of(name).to(dtype_); }

at::Tensor Parameters::linear(const at::Tensor& x, const std::string& name) const {
  const at::Tensor narrow = x.to(dtype_);
  const at::Tensor bias = contains(name + ".bias") ? factor(name + ".bias") : at::Tensor();
  at::Tensor y = at::linear(narrow, factor(name + ".weight"), bias);
  const auto lora = lora_.find(name);
  if (lora == lora_.end()) return y;
  const at::Tensor low = at::linear(narrow, factor(lora->second.a));  // [R, rank]
  return at::addmm(y, low, factor(lora->second.b).t(), /*beta=*/1, /*alpha=*/lora->second.scale);
}

at::Tensor Parameters::rows(const std::string& name, const at::Tensor& rows) const {
  return value_of(name).index_select(0, rows).to(at::kFloat);
}

void Parameters::add(const std::string& name, const at::Tensor& value) {
  if (values_.contains(name)) return;
  own_.push_back(name);
  values_[name] = value.to(device_, at::kFloat);
}

std::vector<std::string> Parameters::add_lora(const LoraOptions& options, std::uint64_t seed) {
  std::vector<std::string> names;
  for (const std::string& weight : matching(options.modules + ".weight")) {
    const std::string layer = weight.substr(0, weight.size() - std::string(".weight").size());
    const at::Tensor& matrix = value_of(weight);
    if (matrix.dim() != 2) continue;
    const Lora lora = name_factors(layer, options.alpha / options.rank);
    names.insert(names.end(), {lora.a, lora.b});
    if (const auto [found, is_new] = lora_.emplace(layer, lora); !is_new) {
      require_same(layer, found->second, lora, options.rank);
      continue;
    }
    add(lora.a,
        random_matrix(options.rank, matrix.size(1), Random(hash_text(layer, mix_bits(seed)))));
    add(lora.b, at::zeros({matrix.size(0), options.rank}, at::kFloat));
  }
  if (names.empty()) {
    throw Error(ErrorCategory::Usage,
                "lora: no layer of " + folder_.string() + " fits \"" + options.modules + "\"");
  }
  return names;
}

Parameters::Lora Parameters::name_factors(const std::string& layer, double scale) {
  return {layer + ".lora_A.weight", layer + ".lora_B.weight", scale};
}

void Parameters::start_from(const Adapter& adapter) {
  for (const auto& [name, tensor] : adapter.changed) {
    const auto known = values_.find(name);
    if (known == values_.end() || known->second.sizes() != tensor.sizes()) {
      throw Error(ErrorCategory::Model, folder_.string() + ": has no tensor \"" + name +
                                            "\" of the shape that the adapter changed");
    }
    masters_[name] = tensor.to(device_).clone();
  }
  for (const auto& [layer, factors] : adapter.low_rank) {
    const auto weight = values_.find(layer + ".weight");
    Adapter::added(factors, layer,
                   weight == values_.end() ? at::IntArrayRef() : weight->second.sizes());
    const Lora lora = name_factors(layer, factors.scale);
    lora_[layer] = lora;
    add(lora.a, factors.a);
    add(lora.b, factors.b);
    masters_[lora.a] = value_of(lora.a).clone();
    masters_[lora.b] = value_of(lora.b).clone();
  }
}

Adapter Parameters::trained_part() const {
  Adapter adapter;
  for (const auto& [name, master] : masters_) {
    const bool is_own = std::find(own_.begin(), own_.end(), name) != own_.end();
    if (!is_own) adapter.changed[name] = master.detach().to(at::kCPU);
  }
  for (const auto& [layer, lora] : lora_) {
    adapter.low_rank[layer] = {value_of(lora.a).detach().to(at::kCPU),
                               value_of(lora.b).detach().to(at::kCPU), lora.scale};
  }
  return adapter;
}

/// A layer that an earlier stage gave factors keeps them.
void Parameters::require_same(const std::string& layer, const Lora& earlier, const Lora& wanted,
                              int rank) const {
  if (earlier.scale == wanted.scale && value_of(earlier.a).size(0) == rank) return;
  throw Error(ErrorCategory::Usage, "lora: \"" + layer + "\" has rank " +
                                        std::to_string(value_of(earlier.a).size(0)) +
                                        " from an earlier stage or training; give every stage the "
                                        "same rank and alpha");
}

std::vector<std::string> Parameters::matching(const std::string& glob) const {
  std::vector<std::string> names;
  for (const auto& [name, value] : values_) {
    const bool is_own = std::find(own_.begin(), own_.end(), name) != own_.end();
    if (!is_own && fits(glob, name)) names.push_back(name);
  }
  return names;
}

void Parameters::set_trained(const std::vector<std::string>& names) {
  for (auto& [name, master] : trained_) master.requires_grad_(false);
  trained_.clear();
  for (const std::string& name : names) {
    if (!masters_.contains(name)) masters_[name] = value_of(name).to(at::kFloat).clone();
    at::Tensor& master = masters_[name];
    master.requires_grad_(true);
    trained_[name] = master;
  }
}

void Parameters::restore(const std::string& name, const at::Tensor& value) {
  const auto known = values_.find(name);
  if (known == values_.end() || known->second.sizes() != value.sizes()) {
    throw Error(ErrorCategory::Usage, "the saved training state holds \"" + name +
                                          "\", which is no tensor of this model and recipe");
  }
  masters_[name] = value.to(device_, at::kFloat).clone();
}

std::map<std::string, at::Tensor> Parameters::merged() const {
  const at::NoGradGuard no_grad;
  std::map<std::string, at::Tensor> result;
  for (const auto& [name, value] : values_) {
    if (std::find(own_.begin(), own_.end(), name) != own_.end()) continue;
    result[name] = value_of(name).to(at::kCPU, at::kFloat).clone();
  }
  for (const auto& [layer, lora] : lora_) {
    const at::Tensor added = at::matmul(wide(lora.b), wide(lora.a)) * lora.scale;
    result[layer + ".weight"] += added.to(at::kCPU);
  }
  return result;
}

}  // namespace aitqe
