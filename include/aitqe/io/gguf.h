#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace aitqe {

class MappedFile;

/// Types of GGUF tensors that are read; others are an error. Numbers as in the format (ggml_type).
// NOLINTNEXTLINE(readability-identifier-naming): the format's own names
enum class GgufType : std::uint32_t { F32 = 0, F16 = 1, Q4_0 = 2, Q4_1 = 3, Q8_0 = 8 };

struct GgufTensor {
  GgufType type = GgufType::F32;
  std::vector<std::int64_t> shape;  ///< row-major, slowest first (the file has it the other way)
  std::int64_t offset_bytes = 0;    ///< from the start of the file
  std::int64_t num_bytes = 0;
};

/// What a file says before its tensors. Arrays are left out: they hold vocabularies, which we do
/// not take from here.
using GgufValue = std::variant<double, bool, std::string>;

struct GgufHeader {
  std::map<std::string, GgufValue> values;
  std::map<std::string, GgufTensor> tensors;
};

/// Checks and reads a GGUF header, version 2 or 3 (ggml's docs/gguf.md). Nothing is allocated from
/// a claim of the file before that claim was checked.
/// @throws Error(Model): not GGUF, cut, unknown types, tensors beyond the file or of sizes that
///         cannot be.
GgufHeader parse_gguf(std::span<const std::byte> file, const std::string& file_name);

/// A memory-mapped GGUF file. Immutable; any number of threads.
class GgufFile {
 public:
  /// @throws Error(Model) as parse_gguf, or when it cannot be opened.
  static std::unique_ptr<GgufFile> open(const std::filesystem::path& path);
  ~GgufFile();
  GgufFile(const GgufFile&) = delete;
  GgufFile& operator=(const GgufFile&) = delete;

  const GgufHeader& header() const { return header_; }
  /// All values of a tensor, dequantised. @throws Error(Model) when there is no such tensor.
  std::vector<float> to_floats(const std::string& tensor) const;
  /// A number of the header. @throws Error(Model) when it is missing or no number.
  double number(const std::string& key) const;

 private:
  explicit GgufFile(const std::filesystem::path& path);

  std::unique_ptr<const MappedFile> file_;
  GgufHeader header_;
};

}  // namespace aitqe
