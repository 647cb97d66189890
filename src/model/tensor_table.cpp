#include "aitqe/model/tensor_table.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <optional>

#include "aitqe/base/error.h"

namespace aitqe {

namespace {

std::string describe(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t size : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

std::optional<kernels::ScalarType> float_type(TensorDtype dtype) {
  switch (dtype) {
    case TensorDtype::F32:
      return kernels::ScalarType::F32;
    case TensorDtype::BF16:
      return kernels::ScalarType::BF16;
    case TensorDtype::F16:
      return kernels::ScalarType::F16;
    default:
      return std::nullopt;
  }
}

/// Pages that nobody touches cost no memory.
nn::Weight zeros(const std::string& name, const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
  const std::shared_ptr<void> memory(std::calloc(std::max<std::size_t>(count, 1), sizeof(float)),
                                     [](void* bytes) { std::free(bytes); });
  if (memory == nullptr) throw std::bad_alloc();
  return {name, shape, kernels::ScalarType::F32, memory.get(), memory};
}

nn::Weight draw(const std::string& name, const std::vector<std::int64_t>& shape) {
  nn::Weight weight;
  weight.name = name;
  weight.shape = shape;
  std::int64_t inputs = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) inputs *= shape[i];
  const bool is_vector = shape.size() == 1;
  const bool is_norm = is_vector && name.find("norm") != std::string::npos;
  weight.drawing = {is_norm && name.ends_with("weight") ? 1.0F : 0.0F,
                    is_vector ? 0.02F : 1.0F / std::sqrt(static_cast<float>(inputs))};
  return weight;
}

}  // namespace

TensorTable::TensorTable(const std::filesystem::path& folder, Misfits misfits, Listener listener)
    : TensorTable(SafetensorsFolder::open(folder), misfits) {
  listener_ = std::move(listener);
}

TensorTable::TensorTable(SafetensorsFolder files, Misfits misfits)
    : folder_(files.folder()), files_(std::move(files)), on_misfit_(misfits) {
  for (const std::string& name : files_->names()) unused_.insert(name);
  for (const std::string& place : files_->unlisted()) unused_.insert(place);  // FILE: NAME
}

TensorTable TensorTable::drawn() { return {}; }

std::map<std::string, std::vector<std::int64_t>> TensorTable::shapes() const {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  if (!files_) return shapes;
  for (const std::string& name : files_->names()) shapes[name] = files_->info(name).shape;
  return shapes;
}

nn::Weight TensorTable::take(const std::string& name, const std::vector<std::int64_t>& shape) {
  if (listener_) listener_();
  if (!files_) return draw(name, shape);
  if (on_misfit_ == Misfits::Throw) return take_stored(name, shape);
  try {
    return take_stored(name, shape);
  } catch (const Error& error) {
    noted_.emplace_back(error.what());
    unused_.erase(name);
    return zeros(name, shape);
  }
}

nn::Weight TensorTable::take_stored(const std::string& name,
                                    const std::vector<std::int64_t>& shape) {
  if (!files_->contains(name)) {
    throw Error(ErrorCategory::Model, folder_.string() + ": tensor \"" + name +
                                          "\" is missing, expected shape " + describe(shape));
  }
  const TensorInfo& info = files_->info(name);
  const auto& file = files_->file(name);
  const std::string where = file->path().string() + ": tensor \"" + name + "\": ";
  if (info.shape != shape) {
    throw Error(ErrorCategory::Model,
                where + "shape " + describe(info.shape) + ", expected " + describe(shape));
  }
  const auto type = float_type(info.dtype);
  if (!type) {
    throw Error(ErrorCategory::Model,
                where + "dtype " + to_string(info.dtype) + ", expected F32, BF16 or F16");
  }
  unused_.erase(name);
  const std::span<const std::byte> bytes = files_->data(name);
  nn::Weight weight{name, shape, *type, bytes.data(), file};
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % kernels::size_bytes(*type) != 0) {
    const auto aligned = std::make_shared<std::vector<float>>(bytes.size() / sizeof(float) + 1);
    std::memcpy(aligned->data(), bytes.data(), bytes.size());
    weight.data = aligned->data();
    weight.keep_alive = aligned;
  }
  return weight;
}

void TensorTable::ignore_prefix(const std::string& prefix) {
  std::erase_if(unused_, [&](const std::string& name) {
    return name.starts_with(prefix) || name.find(": " + prefix) != std::string::npos;
  });
}

void TensorTable::require_all_used() {
  if (unused_.empty()) return;
  constexpr std::size_t kMostNames = 5;
  std::string names;
  std::size_t listed = 0;
  for (const std::string& name : unused_) {
    if (listed++ == kMostNames) break;
    names += (names.empty() ? "\"" : ", \"") + name + "\"";
  }
  const std::string problem = folder_.string() + ": " + std::to_string(unused_.size()) +
                              " tensors that this model does not have: " + names +
                              (listed > kMostNames ? ", ..." : "");
  if (on_misfit_ == Misfits::Throw) throw Error(ErrorCategory::Model, problem);
  noted_.push_back(problem);
}

}  // namespace aitqe
