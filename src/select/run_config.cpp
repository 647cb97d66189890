#include "run_config.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"

namespace aitqe {

RunConfig RunConfig::read(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "_aitqe/run.json";
  std::ifstream file(path);
  const auto run = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  const bool has_config = run.is_object() && run.contains("config") && run["config"].is_object();
  if (!has_config) throw Error(ErrorCategory::NoInput, path.string() + ": no record of a run");
  const nlohmann::json& config = run["config"];
  try {
    return {CaptionSource::parse(config.value("caption_from", "txt")),
            config.value("joined_archives", true)};
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCategory::Damaged, path.string() + ": " + error.what());
  }
}

}  // namespace aitqe
