#include "training_state.h"

#include <algorithm>
#include <bit>
#include <string_view>
#include <vector>

#include "aitqe/base/error.h"
#include "aitqe/io/safetensors.h"
#include "aitqe/model/tensor_writer.h"

namespace aitqe {

namespace {

constexpr std::string_view kMaster = "master.";
constexpr std::string_view kOptimizer = "optimizer.";
constexpr std::string_view kBest = "best.";
const std::string kPlace = "place";           // I64 [2]: stage, step
const std::string kBestPlace = "best_place";  // I64 [2]: step, bits of the loss as a double
const std::string kRecipe = "recipe";         // U8 [64]: hex digits

at::ScalarType scalar_type_of(TensorDtype dtype) {
  switch (dtype) {
    case TensorDtype::I64:
      return at::kLong;
    case TensorDtype::U8:
      return at::kByte;
    default:
      return at::kFloat;
  }
}

}  // namespace

void TrainingState::write(const std::filesystem::path& path) const {
  std::map<std::string, at::Tensor> all;
  for (const auto& [name, tensor] : masters) all[std::string(kMaster) + name] = tensor;
  for (const auto& [name, tensor] : optimizer) all[std::string(kOptimizer) + name] = tensor;
  for (const auto& [name, tensor] : best.masters) all[std::string(kBest) + name] = tensor;
  if (best.step > 0) {
    all[kBestPlace] = at::tensor({best.step, std::bit_cast<std::int64_t>(best.loss)}, at::kLong);
  }
  all[kPlace] = at::tensor({stage, step}, at::kLong);
  at::Tensor recipe = at::empty({std::ssize(recipe_sha256)}, at::kByte);
  std::copy(recipe_sha256.begin(), recipe_sha256.end(), recipe.mutable_data_ptr<std::uint8_t>());
  all[kRecipe] = recipe;
  write_tensors(path, all, {{"format", "aitqe.train/1"}});
}

std::optional<TrainingState> TrainingState::read(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  const auto file = SafetensorsFile::open(path);
  const auto tensor_of = [&](const std::string& name) {
    const TensorInfo& info = file->tensors().at(name);
    return at::from_blob(const_cast<std::byte*>(file->data(name).data()), info.shape,
                         scalar_type_of(info.dtype))
        .clone();
  };
  if (!file->tensors().contains(kPlace) || !file->tensors().contains(kRecipe)) {
    throw Error(ErrorCategory::Model, path.string() + ": is no training state");
  }
  TrainingState state;
  for (const auto& [name, info] : file->tensors()) {
    if (name.starts_with(kMaster)) state.masters[name.substr(kMaster.size())] = tensor_of(name);
    if (name.starts_with(kBest)) state.best.masters[name.substr(kBest.size())] = tensor_of(name);
    if (name.starts_with(kOptimizer)) {
      state.optimizer[name.substr(kOptimizer.size())] = tensor_of(name);
    }
  }
  const at::Tensor place = tensor_of(kPlace);
  state.stage = place[0].item<std::int64_t>();
  state.step = place[1].item<std::int64_t>();
  if (file->tensors().contains(kBestPlace)) {
    const at::Tensor best = tensor_of(kBestPlace);
    state.best.step = best[0].item<std::int64_t>();
    state.best.loss = std::bit_cast<double>(best[1].item<std::int64_t>());
  }
  const auto recipe = file->data(kRecipe);
  state.recipe_sha256.assign(reinterpret_cast<const char*>(recipe.data()), recipe.size());
  return state;
}

}  // namespace aitqe
