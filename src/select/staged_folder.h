#pragma once

#include <filesystem>

namespace aitqe {

/// A new folder that appears under its name only when it is complete: filled as
/// `.NAME.part-PROCESS` beside it and renamed by `commit`.
class StagedFolder {
 public:
  /// Removes what an interrupted run left of this folder.
  /// @throws Error(Output) when the folder is there already and not empty, or cannot be made.
  StagedFolder(const std::filesystem::path& folder, const char* option);
  /// Removes everything unless committed.
  ~StagedFolder();
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;

  /// Where to write until `commit`.
  const std::filesystem::path& path() const { return temporary_; }
  void commit();

 private:
  std::filesystem::path folder_;
  std::filesystem::path temporary_;
};

}  // namespace aitqe
