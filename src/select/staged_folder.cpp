#include "staged_folder.h"

#include <unistd.h>

#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "aitqe/base/error.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;

void remove_stale(const fs::path& parent, const std::string& prefix) {
  std::vector<fs::path> stale;
  std::error_code error;
  for (fs::directory_iterator entry(parent, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().starts_with(prefix)) stale.push_back(entry->path());
  }
  for (const fs::path& path : stale) fs::remove_all(path, error);
}

}  // namespace

StagedFolder::StagedFolder(const fs::path& folder, const char* option)
    : folder_(fs::absolute(folder).lexically_normal()) {
  if (!folder_.has_filename()) folder_ = folder_.parent_path();  // `out/`
  std::error_code error;
  if (fs::exists(folder_, error) && !fs::is_empty(folder_, error)) {
    throw Error(ErrorCategory::Output, folder.string() +
                                           ": is there already; name a folder that "
                                           "is not (" +
                                           option + ")");
  }
  const std::string prefix = "." + folder_.filename().string() + ".part-";
  remove_stale(folder_.parent_path(), prefix);
  temporary_ = folder_.parent_path() / (prefix + std::to_string(getpid()));
  fs::create_directories(temporary_, error);
  if (error) {
    throw Error(ErrorCategory::Output,
                folder.string() + ": cannot be made: " + error.message() + " (" + option + ")");
  }
}

StagedFolder::~StagedFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

void StagedFolder::commit() {
  std::error_code error;
  fs::rename(temporary_, folder_, error);
  if (error) {
    throw Error(ErrorCategory::Output,
                folder_.string() + ": cannot be renamed into place: " + error.message());
  }
  temporary_.clear();
}

}  // namespace aitqe
