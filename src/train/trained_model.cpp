#include "trained_model.h"

#include "aitqe/io/safetensors.h"
#include "aitqe/io/sink.h"
#include "aitqe/model/adapter.h"
#include "aitqe/model/fingerprint.h"
#include "aitqe/model/tensor_writer.h"

namespace aitqe {

namespace {

namespace fs = std::filesystem;

/// Weights, and what an earlier training left in a folder that is now trained further.
bool stays_behind(const fs::path& relative) {
  const std::string first = relative.begin()->string();
  return relative.extension() == ".safetensors" || first == "model.safetensors.index.json" ||
         first == "adapter" || first == "metrics.jsonl" || first == "loss.svg";
}

void copy_other_files(const fs::path& base, const fs::path& output_folder) {
  for (const auto& entry : fs::recursive_directory_iterator(base)) {
    const fs::path relative = fs::relative(entry.path(), base);
    if (!entry.is_regular_file() || stays_behind(relative)) continue;
    fs::create_directories((output_folder / relative).parent_path());
    copy_atomically(entry.path(), output_folder / relative);
  }
}

at::ScalarType stored_type(TensorDtype dtype) {
  if (dtype == TensorDtype::BF16) return at::kBFloat16;
  return dtype == TensorDtype::F16 ? at::kHalf : at::kFloat;
}

}  // namespace

void write_trained_model(const fs::path& base, const Parameters& parameters,
                         const fs::path& output_folder) {
  copy_other_files(base, output_folder);
  const SafetensorsFolder files = SafetensorsFolder::open(base);
  std::map<std::string, at::Tensor> merged = parameters.merged();
  for (auto& [name, tensor] : merged) tensor = tensor.to(stored_type(files.info(name).dtype));
  write_tensors(output_folder / "model.safetensors", merged, {{"format", "pt"}});

  Adapter adapter = parameters.trained_part();
  adapter.base_sha256 = model_fingerprint(base);
  const fs::path folder = output_folder / "adapter";
  fs::create_directories(folder);
  copy_other_files(base, folder);
  adapter.write(folder);
}

}  // namespace aitqe
