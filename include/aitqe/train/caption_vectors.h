#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aitqe {

/// Vectors of captions, made beforehand by another model (scripts/caption_vectors.py): a
/// .safetensors file with `sha256` U8 [N, 32] of the captions' bytes and `vectors` F32 [N, D],
/// each of unit length.
/// Immutable; any number of threads.
class CaptionVectors {
 public:
  /// @throws Error(Model) naming file and tensor, or the row that is not of unit length.
  static CaptionVectors read(const std::filesystem::path& path);

  std::int64_t dim() const { return dim_; }
  /// The vector of a caption, white space around it apart, or nothing (an empty span).
  std::span<const float> find(std::string_view caption) const;

 private:
  std::int64_t dim_ = 0;
  std::vector<float> values_;
  std::map<std::string, std::size_t> row_of_;  // by hex digest
};

}  // namespace aitqe
