#include "aitqe/train/caption_vectors.h"

#include <cmath>
#include <cstring>

#include "aitqe/base/ascii.h"
#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "aitqe/io/safetensors.h"

namespace aitqe {

namespace {

const TensorInfo& expect(const SafetensorsFile& file, const std::string& name, TensorDtype dtype) {
  const auto found = file.tensors().find(name);
  if (found == file.tensors().end() || found->second.dtype != dtype ||
      found->second.shape.size() != 2) {
    throw Error(ErrorCategory::Model, file.path().string() + ": expected a matrix \"" + name +
                                          "\" of " + to_string(dtype));
  }
  return found->second;
}

void require_unit_rows(const std::vector<float>& values, std::int64_t dim,
                       const std::filesystem::path& path) {
  constexpr double kTolerance = 1e-3;
  for (std::size_t row = 0; row * static_cast<std::size_t>(dim) < values.size(); ++row) {
    double squares = 0;
    for (std::int64_t i = 0; i < dim; ++i) {
      const double value =
          values[row * static_cast<std::size_t>(dim) + static_cast<std::size_t>(i)];
      squares += value * value;
    }
    if (std::abs(std::sqrt(squares) - 1) <= kTolerance) continue;
    throw Error(ErrorCategory::Model, path.string() + ": row " + std::to_string(row) +
                                          " of \"vectors\" has length " +
                                          std::to_string(std::sqrt(squares)) + ", expected 1");
  }
}

}  // namespace

CaptionVectors CaptionVectors::read(const std::filesystem::path& path) {
  constexpr std::int64_t kHashBytes = 32;
  const auto file = SafetensorsFile::open(path);
  const TensorInfo& hashes = expect(*file, "sha256", TensorDtype::U8);
  const TensorInfo& vectors = expect(*file, "vectors", TensorDtype::F32);
  if (hashes.shape[1] != kHashBytes || hashes.shape[0] != vectors.shape[0]) {
    throw Error(ErrorCategory::Model,
                path.string() + ": sha256 must be [N, 32] and vectors [N, D] with the same N");
  }
  CaptionVectors result;
  result.dim_ = vectors.shape[1];
  result.values_.resize(static_cast<std::size_t>(vectors.num_bytes) / sizeof(float));
  std::memcpy(result.values_.data(), file->data("vectors").data(),
              static_cast<std::size_t>(vectors.num_bytes));
  require_unit_rows(result.values_, result.dim_, path);
  const auto* bytes = reinterpret_cast<const unsigned char*>(file->data("sha256").data());
  for (std::int64_t row = 0; row < hashes.shape[0]; ++row) {
    std::string hex;
    for (std::int64_t i = 0; i < kHashBytes; ++i) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      const unsigned byte = bytes[row * kHashBytes + i];
      hex += kDigits[byte >> 4U];
      hex += kDigits[byte & 15U];
    }
    result.row_of_.emplace(std::move(hex), static_cast<std::size_t>(row));
  }
  return result;
}

std::span<const float> CaptionVectors::find(std::string_view caption) const {
  const auto row = row_of_.find(sha256_hex(ascii::trim(caption)));
  if (row == row_of_.end()) return {};
  const auto dim = static_cast<std::size_t>(dim_);
  return std::span(values_).subspan(row->second * dim, dim);
}

}  // namespace aitqe
