#include "aitqe/io/gguf.h"

#include <cstring>
#include <optional>

#include "aitqe/base/error.h"
#include "gguf_blocks.h"
#include "mapped_file.h"

namespace aitqe {

namespace {

// Value types of the header.
enum class ValueType : std::uint32_t {
  U8,
  I8,
  U16,
  I16,
  U32,
  I32,
  F32,
  Bool,
  String,
  Array,
  U64,
  I64,
  F64
};

constexpr std::size_t kMostDimensions = 4;         // GGML_MAX_DIMS
constexpr std::uint64_t kMostNameBytes = 1 << 16;  // names and texts of a header
constexpr std::uint64_t kUsualAlignment = 32;

/// Reads the header front to back; every read is checked against the end.
class Reader {
 public:
  Reader(std::span<const std::byte> file, std::string name) : file_(file), name_(std::move(name)) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCategory::Model, name_ + ": " + what);
  }

  template <typename T>
  T take(const char* what) {
    T value;
    if (file_.size() - at_ < sizeof value) {
      fail("ends at byte " + std::to_string(file_.size()) + " inside " + what);
    }
    std::memcpy(&value, file_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

  std::string text(const char* what) {
    const auto size = take<std::uint64_t>(what);
    if (size > kMostNameBytes || size > file_.size() - at_) {
      fail(std::string(what) + " of " + std::to_string(size) + " bytes at byte " +
           std::to_string(at_) + ", file has " + std::to_string(file_.size()));
    }
    std::string value(reinterpret_cast<const char*>(file_.data()) + at_,
                      static_cast<std::size_t>(size));
    at_ += static_cast<std::size_t>(size);
    return value;
  }

  /// Nothing for arrays, which are passed over.
  std::optional<GgufValue> value(const std::string& key) {
    const auto type = take<std::uint32_t>("a value's type");
    if (static_cast<ValueType>(type) != ValueType::Array) return scalar(type, key);
    const auto element = take<std::uint32_t>("an array's type");
    const auto count = take<std::uint64_t>("an array's length");
    if (static_cast<ValueType>(element) == ValueType::Array)
      fail("\"" + key + "\": array of arrays");
    // Each element takes a byte at least, so the end of the file ends this loop.
    for (std::uint64_t i = 0; i < count; ++i) scalar(element, key);
    return std::nullopt;
  }

  std::size_t position() const { return at_; }
  const std::string& name() const { return name_; }

 private:
  GgufValue scalar(std::uint32_t type, const std::string& key) {
    switch (static_cast<ValueType>(type)) {
      case ValueType::U8:
        return static_cast<double>(take<std::uint8_t>("a value"));
      case ValueType::I8:
        return static_cast<double>(take<std::int8_t>("a value"));
      case ValueType::U16:
        return static_cast<double>(take<std::uint16_t>("a value"));
      case ValueType::I16:
        return static_cast<double>(take<std::int16_t>("a value"));
      case ValueType::U32:
        return static_cast<double>(take<std::uint32_t>("a value"));
      case ValueType::I32:
        return static_cast<double>(take<std::int32_t>("a value"));
      case ValueType::F32:
        return static_cast<double>(take<float>("a value"));
      case ValueType::Bool:
        return take<std::uint8_t>("a value") != 0;
      case ValueType::String:
        return text("a text");
      case ValueType::U64:
        return static_cast<double>(take<std::uint64_t>("a value"));
      case ValueType::I64:
        return static_cast<double>(take<std::int64_t>("a value"));
      case ValueType::F64:
        return take<double>("a value");
      default:
        fail("\"" + key + "\": unknown value type " + std::to_string(type));
    }
  }

  std::span<const std::byte> file_;
  std::string name_;
  std::size_t at_ = 0;
};

/// A tensor's entry; its offset is still relative to the data.
GgufTensor read_tensor(Reader& reader, const std::string& name, std::size_t file_bytes) {
  const std::string where = "tensor \"" + name + "\": ";
  const auto num_dimensions = reader.take<std::uint32_t>("a tensor's dimensions");
  if (num_dimensions == 0 || num_dimensions > kMostDimensions) {
    reader.fail(where + std::to_string(num_dimensions) + " dimensions");
  }
  GgufTensor tensor;
  std::uint64_t num_values = 1;
  for (std::uint32_t i = 0; i < num_dimensions; ++i) {
    const auto size = reader.take<std::uint64_t>("a tensor's shape");
    // No type takes less than half a byte a value.
    if (size == 0 || size > 2 * file_bytes / num_values) reader.fail(where + "impossible shape");
    num_values *= size;
    tensor.shape.insert(tensor.shape.begin(), static_cast<std::int64_t>(size));
  }
  const auto type = reader.take<std::uint32_t>("a tensor's type");
  const auto block = gguf_block(type);
  if (!block) {
    reader.fail(where + "type " + std::to_string(type) + ", expected F32, F16, Q4_0, Q4_1 or Q8_0");
  }
  if (static_cast<std::uint64_t>(tensor.shape.back()) % block->num_values != 0) {
    reader.fail(where + "rows of " + std::to_string(tensor.shape.back()) +
                " values do not fill blocks of " + std::to_string(block->num_values));
  }
  tensor.type = static_cast<GgufType>(type);
  tensor.num_bytes = static_cast<std::int64_t>(num_values / block->num_values * block->num_bytes);
  const auto offset = reader.take<std::uint64_t>("a tensor's offset");
  if (offset > file_bytes) reader.fail(where + "begins behind the end");
  tensor.offset_bytes = static_cast<std::int64_t>(offset);
  return tensor;
}

void read_tensors(Reader& reader, std::uint64_t count, std::size_t file_bytes, GgufHeader& header) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string name = reader.text("a tensor's name");
    if (!header.tensors.emplace(name, read_tensor(reader, name, file_bytes)).second) {
      reader.fail("tensor \"" + name + "\" comes twice");
    }
  }
  std::uint64_t alignment = kUsualAlignment;
  const auto stated = header.values.find("general.alignment");
  if (stated != header.values.end()) {
    const double* value = std::get_if<double>(&stated->second);
    if (value == nullptr || *value < 1 || *value > 65536) reader.fail("general.alignment");
    alignment = static_cast<std::uint64_t>(*value);
  }
  const std::uint64_t data = (reader.position() + alignment - 1) / alignment * alignment;
  for (auto& [name, tensor] : header.tensors) {
    const std::uint64_t end = data + static_cast<std::uint64_t>(tensor.offset_bytes) +
                              static_cast<std::uint64_t>(tensor.num_bytes);
    if (end > file_bytes) {
      reader.fail("tensor \"" + name + "\": ends at byte " + std::to_string(end) + ", file has " +
                  std::to_string(file_bytes));
    }
    tensor.offset_bytes += static_cast<std::int64_t>(data);
  }
}

}  // namespace

GgufHeader parse_gguf(std::span<const std::byte> file, const std::string& file_name) {
  Reader reader(file, file_name);
  constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF"
  if (file.size() < sizeof kMagic || reader.take<std::uint32_t>("the magic") != kMagic) {
    reader.fail("is no GGUF file");
  }
  const auto version = reader.take<std::uint32_t>("the version");
  if (version != 2 && version != 3) {
    reader.fail("GGUF version " + std::to_string(version) + ", expected 2 or 3");
  }
  const auto num_tensors = reader.take<std::uint64_t>("the number of tensors");
  const auto num_values = reader.take<std::uint64_t>("the number of values");
  GgufHeader header;
  for (std::uint64_t i = 0; i < num_values; ++i) {
    const std::string key = reader.text("a key");
    if (auto value = reader.value(key)) header.values.insert_or_assign(key, std::move(*value));
  }
  read_tensors(reader, num_tensors, file.size(), header);
  return header;
}

GgufFile::GgufFile(const std::filesystem::path& path)
    : file_(std::make_unique<MappedFile>(path)),
      header_(parse_gguf(file_->bytes(), path.string())) {}

GgufFile::~GgufFile() = default;

std::unique_ptr<GgufFile> GgufFile::open(const std::filesystem::path& path) {
  return std::unique_ptr<GgufFile>(new GgufFile(path));
}

std::vector<float> GgufFile::to_floats(const std::string& tensor) const {
  const auto found = header_.tensors.find(tensor);
  if (found == header_.tensors.end()) {
    throw Error(ErrorCategory::Model, file_->path().string() + ": no tensor \"" + tensor + "\"");
  }
  const GgufTensor& info = found->second;
  return dequantize(static_cast<std::uint32_t>(info.type),
                    file_->bytes().subspan(static_cast<std::size_t>(info.offset_bytes),
                                           static_cast<std::size_t>(info.num_bytes)));
}

double GgufFile::number(const std::string& key) const {
  const auto found = header_.values.find(key);
  const double* value =
      found == header_.values.end() ? nullptr : std::get_if<double>(&found->second);
  if (value == nullptr) {
    throw Error(ErrorCategory::Model, file_->path().string() + ": no number \"" + key + "\"");
  }
  return *value;
}

}  // namespace aitqe
