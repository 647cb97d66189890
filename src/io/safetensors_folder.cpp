#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "aitqe/base/error.h"
#include "aitqe/io/safetensors.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIndexName = "model.safetensors.index.json";
constexpr const char* kSingleName = "model.safetensors";

[[noreturn]] void fail(const fs::path& where, const std::string& what) {
  throw Error(ErrorCategory::Model, where.string() + ": " + what);
}

// Tensor -> file name, as the index says; the file names are checked to stay in the folder.
std::map<std::string, std::string> read_index(const fs::path& path) {
  std::ifstream stream(path);
  const nlohmann::json index = nlohmann::json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    fail(path, "expected a JSON object with an object \"weight_map\"");
  }
  std::map<std::string, std::string> file_of;
  for (const auto& [tensor, file] : index["weight_map"].items()) {
    if (!file.is_string()) fail(path, "file of tensor \"" + tensor + "\" is not a text");
    const std::string name = file.get<std::string>();
    const bool is_plain = !name.empty() && name != "." && name != ".." &&
                          name.find_first_of(std::string("/\\\0", 3)) == std::string::npos;
    if (!is_plain) {
      fail(path, "tensor \"" + tensor + "\": \"" + name + "\" is not a file name in this folder");
    }
    file_of.emplace(tensor, name);
  }
  if (file_of.empty()) fail(path, "lists no tensor");
  return file_of;
}

}  // namespace

SafetensorsFolder SafetensorsFolder::open(const fs::path& folder) {
  SafetensorsFolder result;
  result.folder_ = folder;
  if (!fs::exists(folder / kIndexName)) {
    if (!fs::exists(folder / kSingleName)) {
      fail(folder, std::string("holds neither ") + kIndexName + " nor " + kSingleName);
    }
    result = of_file(folder / kSingleName);
    result.folder_ = folder;
    return result;
  }
  const std::map<std::string, std::string> file_name_of = read_index(folder / kIndexName);
  std::map<std::string, std::shared_ptr<const SafetensorsFile>> files;
  for (const auto& [tensor, file_name] : file_name_of) {
    auto& file = files[file_name];
    if (file == nullptr) file = SafetensorsFile::open(folder / file_name);
    if (!file->tensors().contains(tensor)) {
      fail(folder / file_name,
           std::string("no tensor \"") + tensor + "\", which " + kIndexName + " says is in it");
    }
    result.file_of_.emplace(tensor, file);
  }
  for (const auto& [file_name, file] : files) {
    for (const auto& [tensor, info] : file->tensors()) {
      const auto listed = file_name_of.find(tensor);
      if (listed != file_name_of.end() && listed->second == file_name) continue;
      result.unlisted_.push_back(file_name + ": " + tensor);
    }
  }
  return result;
}

SafetensorsFolder SafetensorsFolder::of_file(const fs::path& path) {
  SafetensorsFolder result;
  result.folder_ = path;
  const auto file = SafetensorsFile::open(path);
  for (const auto& [tensor, info] : file->tensors()) result.file_of_.emplace(tensor, file);
  return result;
}

std::vector<std::string> SafetensorsFolder::names() const {
  std::vector<std::string> names;
  names.reserve(file_of_.size());
  for (const auto& [tensor, file] : file_of_) names.push_back(tensor);
  return names;
}

const std::shared_ptr<const SafetensorsFile>& SafetensorsFolder::file(
    const std::string& tensor) const {
  const auto found = file_of_.find(tensor);
  if (found == file_of_.end()) fail(folder_, "no tensor \"" + tensor + "\"");
  return found->second;
}

const TensorInfo& SafetensorsFolder::info(const std::string& tensor) const {
  return file(tensor)->tensors().at(tensor);
}

std::span<const std::byte> SafetensorsFolder::data(const std::string& tensor) const {
  return file(tensor)->data(tensor);
}

std::int64_t SafetensorsFolder::total_bytes() const {
  std::int64_t total = 0;
  for (const auto& [tensor, file] : file_of_) total += file->tensors().at(tensor).num_bytes;
  return total;
}

}  // namespace aitqe
