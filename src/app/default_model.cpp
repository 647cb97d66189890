#include "default_model.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "aitqe/base/error.h"

namespace aitqe::app {

namespace {
namespace fs = std::filesystem;
constexpr const char* kName = "aitqe-small";
constexpr int kFoldersUp = 4;
/// The repository holds what was trained; with its base it becomes a model
/// (scripts/default_model.sh).
bool is_whole(const fs::path& folder) { return fs::exists(folder / "model.safetensors"); }

}  // namespace

fs::path default_model_folder() {
  std::vector<fs::path> places;
  if (const char* path = std::getenv("AITQE_MODEL_PATH"))
    places.emplace_back(fs::path(path) / kName);
  std::error_code ignored;
  fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  places.push_back(folder / ".." / "share" / "aitqe" / "models" / kName);
  for (int up = 0; up < kFoldersUp && folder.has_parent_path(); ++up) {
    folder = folder.parent_path();
    places.push_back(folder / ".deps" / "models" / kName);
  }
  std::string looked_at;
  for (const fs::path& place : places) {
    if (is_whole(place)) return fs::canonical(place);
    looked_at += " " + place.lexically_normal().string();
  }
  throw Error(ErrorCategory::Model,
              "no model given and the default one is not in" + looked_at +
                  "; scripts/default_model.sh makes it (or --model FOLDER, or AITQE_MODEL_PATH)");
}

}  // namespace aitqe::app
