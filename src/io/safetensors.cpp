#include "aitqe/io/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "aitqe/base/error.h"
#include "mapped_file.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLengthBytes = 8;
// Same cap as the reference implementation (safetensors, MAX_HEADER_SIZE).
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

struct DtypeRow {
  TensorDtype dtype;
  const char* name;
  int size_bytes;
};
constexpr std::array<DtypeRow, 15> kDtypes{{{TensorDtype::Bool, "BOOL", 1},
                                            {TensorDtype::U8, "U8", 1},
                                            {TensorDtype::I8, "I8", 1},
                                            {TensorDtype::F8E5M2, "F8_E5M2", 1},
                                            {TensorDtype::F8E4M3, "F8_E4M3", 1},
                                            {TensorDtype::I16, "I16", 2},
                                            {TensorDtype::U16, "U16", 2},
                                            {TensorDtype::F16, "F16", 2},
                                            {TensorDtype::BF16, "BF16", 2},
                                            {TensorDtype::I32, "I32", 4},
                                            {TensorDtype::U32, "U32", 4},
                                            {TensorDtype::F32, "F32", 4},
                                            {TensorDtype::F64, "F64", 8},
                                            {TensorDtype::I64, "I64", 8},
                                            {TensorDtype::U64, "U64", 8}}};

const DtypeRow& row_of(TensorDtype dtype) {
  return *std::find_if(kDtypes.begin(), kDtypes.end(),
                       [dtype](const DtypeRow& row) { return row.dtype == dtype; });
}

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw Error(ErrorCategory::Model, where + ": " + what);
}

// A tensor as the header describes it, nothing checked yet.
struct Claim {
  std::optional<std::string> dtype;
  std::optional<std::vector<std::uint64_t>> shape;
  std::optional<std::vector<std::uint64_t>> offsets;
};

// Reads the header's JSON as a stream of events: nothing is kept but what the format knows, and
// duplicate keys, which a document object would merge, are seen.
class HeaderHandler : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderHandler(std::string file_name) : file_name_(std::move(file_name)) {}

  std::map<std::string, Claim> claims;

  bool start_object(std::size_t) override {
    ++depth_;
    if (depth_ > 2 || is_in_array_) unexpected("an object");
    if (depth_ == 2) field_.clear();
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool key(std::string& key) override {
    if (depth_ == 1) {
      if (key == kMetadata ? std::exchange(has_metadata_, true) : !claims.try_emplace(key).second) {
        fail(file_name_, "tensor \"" + key + "\" occurs twice in the header");
      }
      tensor_ = key;
    } else if (!is_metadata() && key != "dtype" && key != "shape" && key != "data_offsets") {
      fail(where(), "unknown field \"" + key + "\"");
    }
    if (depth_ == 2) field_ = key;
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ != 2 || is_in_array_ || is_metadata() || field_ == "dtype") unexpected("an array");
    is_in_array_ = true;
    auto& list = field_ == "shape" ? claims[tensor_].shape : claims[tensor_].offsets;
    if (list) fail(where(), "field \"" + field_ + "\" occurs twice");
    list.emplace();
    return true;
  }
  bool end_array() override {
    is_in_array_ = false;
    return true;
  }
  bool string(std::string& text) override {
    if (depth_ != 2 || is_in_array_) unexpected("a text");
    if (is_metadata()) return true;
    if (field_ != "dtype") unexpected("a text");
    if (claims[tensor_].dtype) fail(where(), "field \"dtype\" occurs twice");
    claims[tensor_].dtype = text;
    return true;
  }
  bool number_unsigned(std::uint64_t value) override {
    if (!is_in_array_) unexpected("a number");
    Claim& claim = claims[tensor_];
    (field_ == "shape" ? claim.shape : claim.offsets)->push_back(value);
    return true;
  }
  bool number_integer(std::int64_t value) override {
    unexpected("the number " + std::to_string(value));
  }
  bool number_float(double, const std::string& text) override { unexpected("the number " + text); }
  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a boolean"); }
  bool binary(nlohmann::json::binary_t&) override { unexpected("binary data"); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    fail(file_name_, "header is not JSON (byte " + std::to_string(position) + " of it)");
  }

 private:
  static constexpr std::string_view kMetadata = "__metadata__";

  bool is_metadata() const { return tensor_ == kMetadata; }
  std::string where() const {
    return tensor_.empty() ? file_name_ : file_name_ + ": tensor \"" + tensor_ + "\"";
  }
  [[noreturn]] void unexpected(const std::string& what) const {
    fail(where(), "unexpected " + what + " in the header");
  }

  std::string file_name_;
  std::string tensor_;
  std::string field_;
  int depth_ = 0;
  bool is_in_array_ = false;
  bool has_metadata_ = false;
};

std::uint64_t multiply(std::uint64_t a, std::uint64_t b, const std::string& where) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product) || product > std::uint64_t{1} << 62) {
    fail(where, "its shape overflows");
  }
  return product;
}

// @param data_begin  where the file's header ends.
TensorInfo check_claim(const Claim& claim, std::uint64_t data_begin, std::uint64_t file_bytes,
                       const std::string& where) {
  if (!claim.dtype || !claim.shape || !claim.offsets) {
    fail(where, "needs \"dtype\", \"shape\" and \"data_offsets\"");
  }
  const auto row = std::find_if(kDtypes.begin(), kDtypes.end(),
                                [&](const DtypeRow& known) { return *claim.dtype == known.name; });
  if (row == kDtypes.end()) fail(where, "unknown dtype \"" + *claim.dtype + "\"");
  if (claim.offsets->size() != 2) fail(where, "\"data_offsets\" needs two numbers");
  const std::uint64_t begin = claim.offsets->front();
  const std::uint64_t end = claim.offsets->back();
  if (begin > end) fail(where, "ends before it begins");
  if (end > file_bytes - data_begin) {
    const std::string end_text = end > UINT64_MAX - data_begin
                                     ? std::to_string(end) + " of the data"
                                     : std::to_string(end + data_begin);
    fail(where, "ends at byte " + end_text + ", file has " + std::to_string(file_bytes));
  }
  TensorInfo info;
  std::uint64_t num_bytes = static_cast<std::uint64_t>(row->size_bytes);
  for (const std::uint64_t side : *claim.shape) {
    num_bytes = multiply(num_bytes, side, where);
    if (side > static_cast<std::uint64_t>(INT64_MAX)) fail(where, "its shape overflows");
    info.shape.push_back(static_cast<std::int64_t>(side));
  }
  if (num_bytes != end - begin) {
    fail(where, "has " + std::to_string(end - begin) + " bytes, its shape and dtype need " +
                    std::to_string(num_bytes));
  }
  info.dtype = row->dtype;
  info.offset_bytes = static_cast<std::int64_t>(data_begin + begin);
  info.num_bytes = static_cast<std::int64_t>(num_bytes);
  return info;
}

// The format wants the data covered exactly: no byte twice, none unused.
void check_coverage(const std::map<std::string, TensorInfo>& tensors, std::int64_t data_begin,
                    std::int64_t file_bytes, const std::string& file_name) {
  std::vector<const std::pair<const std::string, TensorInfo>*> in_order;
  for (const auto& tensor : tensors) in_order.push_back(&tensor);
  std::sort(in_order.begin(), in_order.end(), [](const auto* a, const auto* b) {
    return std::pair(a->second.offset_bytes, a->second.num_bytes) <
           std::pair(b->second.offset_bytes, b->second.num_bytes);
  });
  std::int64_t covered = data_begin;
  for (const auto* tensor : in_order) {
    const std::int64_t begin = tensor->second.offset_bytes;
    const std::string where = file_name + ": tensor \"" + tensor->first + "\"";
    if (begin < covered) fail(where, "overlaps the tensor before it");
    if (begin > covered) {
      fail(where, std::to_string(begin - covered) + " bytes before it belong to no tensor");
    }
    covered += tensor->second.num_bytes;
  }
  if (covered != file_bytes) {
    fail(file_name, "last " + std::to_string(file_bytes - covered) + " bytes belong to no tensor");
  }
}

std::uint64_t read_length(std::span<const std::byte> file) {
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) {
    length = length << 8 | std::to_integer<std::uint64_t>(file[i]);
  }
  return length;
}
}  // namespace

int size_bytes(TensorDtype dtype) { return row_of(dtype).size_bytes; }
const char* to_string(TensorDtype dtype) { return row_of(dtype).name; }

std::map<std::string, TensorInfo> parse_safetensors(std::span<const std::byte> file,
                                                    const std::string& file_name) {
  if (file.size() < kLengthBytes) {
    fail(file_name, "has " + std::to_string(file.size()) + " bytes, a header needs 8");
  }
  const std::uint64_t header_bytes = read_length(file);
  if (header_bytes > kMaxHeaderBytes) {
    fail(file_name, "header of " + std::to_string(header_bytes) + " bytes, limit is " +
                        std::to_string(kMaxHeaderBytes));
  }
  if (header_bytes > file.size() - kLengthBytes) {
    fail(file_name, "header ends at byte " + std::to_string(header_bytes + kLengthBytes) +
                        ", file has " + std::to_string(file.size()));
  }
  const std::uint64_t data_begin = kLengthBytes + header_bytes;
  const auto* text = reinterpret_cast<const char*>(file.data()) + kLengthBytes;
  if (header_bytes == 0 || *text != '{') fail(file_name, "header does not begin with \"{\"");
  HeaderHandler handler(file_name);
  nlohmann::json::sax_parse(text, text + header_bytes, &handler);

  std::map<std::string, TensorInfo> tensors;
  for (const auto& [name, claim] : handler.claims) {
    const std::string where = file_name + ": tensor \"" + name + "\"";
    tensors.emplace(name, check_claim(claim, data_begin, file.size(), where));
  }
  check_coverage(tensors, static_cast<std::int64_t>(data_begin),
                 static_cast<std::int64_t>(file.size()), file_name);
  return tensors;
}

SafetensorsFile::SafetensorsFile(const fs::path& path)
    : file_(std::make_unique<MappedFile>(path)),
      tensors_(parse_safetensors(file_->bytes(), path.string())) {}

SafetensorsFile::~SafetensorsFile() = default;

std::shared_ptr<const SafetensorsFile> SafetensorsFile::open(const fs::path& path) {
  return std::shared_ptr<const SafetensorsFile>(new SafetensorsFile(path));
}

const fs::path& SafetensorsFile::path() const { return file_->path(); }

std::span<const std::byte> SafetensorsFile::data(const std::string& tensor) const {
  const auto found = tensors_.find(tensor);
  if (found == tensors_.end()) fail(path().string(), "no tensor \"" + tensor + "\"");
  return file_->bytes().subspan(static_cast<std::size_t>(found->second.offset_bytes),
                                static_cast<std::size_t>(found->second.num_bytes));
}

}  // namespace aitqe
