#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "aitqe/pipeline/types.h"

namespace aitqe {

/// `--trace FILE`: one JSON line a pair with all that a comparison with the reference needs: key,
/// shard, input_ids (image slots -1), pixels_sha256 of the [3, S, S] f32 bytes, first_logits{ids,
/// values} (top 20), ids (generated), text; a failed pair has key, shard and failure. Written as
/// the run goes, in order. One thread at a time.
class Trace {
 public:
  /// @throws Error(Output) when the file cannot be written.
  explicit Trace(const std::filesystem::path& path);
  void add(const AssessedSample& sample, const std::string& shard_name);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace aitqe
