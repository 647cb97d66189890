#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace aitqe {

class MappedFile;

/// Element types of the safetensors format that have whole bytes.
enum class TensorDtype {
  Bool,
  U8,
  I8,
  F8E5M2,
  F8E4M3,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  F64,
  I64,
  U64
};

/// Bytes of one element.
int size_bytes(TensorDtype dtype);
/// As the format spells it: "BF16", "F8_E4M3".
const char* to_string(TensorDtype dtype);

/// Where a tensor lies in its file.
struct TensorInfo {
  TensorDtype dtype = TensorDtype::F32;
  std::vector<std::int64_t> shape;
  /// From the start of the file.
  std::int64_t offset_bytes = 0;
  /// Product of `shape` times the size of an element: checked.
  std::int64_t num_bytes = 0;
};

/// Checks and reads a safetensors header (format: 8 bytes little-endian length, JSON, data).
/// Nothing is allocated from a claim of the file before that claim was checked.
/// @param file  all bytes of the file.
/// @param file_name  for messages.
/// @throws Error(Model): too short, header beyond 100 MB or beyond the file, not JSON, duplicate or
///         unknown keys, unknown dtype, size that does not match shape and dtype, overflow,
///         overlap, gap, end outside the file. E.g.
///         `model.safetensors: tensor "x": ends at byte 99, file has 50`.
std::map<std::string, TensorInfo> parse_safetensors(std::span<const std::byte> file,
                                                    const std::string& file_name);

/// One memory-mapped .safetensors file, read only. Immutable; any number of threads.
/// The file must not be cut or rewritten while it is open.
class SafetensorsFile {
 public:
  /// @throws Error(Model) when it cannot be opened, mapped or fails a check of the header.
  static std::shared_ptr<const SafetensorsFile> open(const std::filesystem::path& path);

  ~SafetensorsFile();
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  const std::filesystem::path& path() const;
  const std::map<std::string, TensorInfo>& tensors() const { return tensors_; }

  /// The tensor's bytes, little-endian, row-major; valid while this file is held. Alignment is
  /// whatever the file gives: copy before reading as a wider type if it does not suffice.
  /// @throws Error(Model) when there is no such tensor.
  std::span<const std::byte> data(const std::string& tensor) const;

 private:
  explicit SafetensorsFile(const std::filesystem::path& path);

  std::unique_ptr<const MappedFile> file_;
  std::map<std::string, TensorInfo> tensors_;
};

/// The tensors of a model folder: `model.safetensors.index.json` and the files it names, or a
/// single `model.safetensors`. Immutable; any number of threads.
class SafetensorsFolder {
 public:
  /// @throws Error(Model): neither file there; index not JSON; a file name in the index that is not
  ///         a plain name in this folder (`../x`, absolute); a listed file or tensor missing.
  static SafetensorsFolder open(const std::filesystem::path& folder);
  /// The tensors of one file of any name. @throws Error(Model).
  static SafetensorsFolder of_file(const std::filesystem::path& file);

  const std::filesystem::path& folder() const { return folder_; }
  std::vector<std::string> names() const;
  bool contains(const std::string& tensor) const { return file_of_.contains(tensor); }

  /// @throws Error(Model) naming the folder when there is no such tensor.
  const TensorInfo& info(const std::string& tensor) const;
  std::span<const std::byte> data(const std::string& tensor) const;
  /// The file that holds the tensor; keeping it keeps `data` valid.
  const std::shared_ptr<const SafetensorsFile>& file(const std::string& tensor) const;

  /// Tensors that lie in the files but not in the index, as "FILE: NAME"; they are not reachable.
  const std::vector<std::string>& unlisted() const { return unlisted_; }
  /// Sum over the listed tensors.
  std::int64_t total_bytes() const;

 private:
  std::filesystem::path folder_;
  std::map<std::string, std::shared_ptr<const SafetensorsFile>> file_of_;
  std::vector<std::string> unlisted_;
};

}  // namespace aitqe
