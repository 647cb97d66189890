#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <span>
#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/io/tar.h"
#include "block_stream.h"

namespace aitqe {
namespace {

constexpr std::int64_t kMaxOctal11 = (std::int64_t{1} << 33) - 1;  // 11 octal digits
constexpr std::int64_t kMaxOctal7 = (std::int64_t{1} << 21) - 1;   // 7 octal digits

// POSIX.1-2001 pax, "ustar Interchange Format".
struct Header {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link_target[100];
  char magic[8];  // "ustar\0" and version "00"
  char uname[32];
  char gname[32];
  char device_major[8];
  char device_minor[8];
  char prefix[155];
  char padding[12];
};
static_assert(sizeof(Header) == kTarBlockBytes);

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c != '\0' && static_cast<unsigned char>(c) < 0x80; });
}

void put_text(std::span<char> field, std::string_view text) {
  std::copy_n(text.data(), std::min(text.size(), field.size()), field.data());
}

// Octal digits and a NUL; zero where the value has a pax record because it does not fit.
void put_octal(std::span<char> field, std::int64_t value, std::int64_t max) {
  if (value < 0 || value > max) value = 0;
  for (std::size_t i = field.size() - 1; i-- > 0; value /= 8) {
    field[i] = static_cast<char>('0' + value % 8);
  }
}

char type_flag(MemberType type) {
  switch (type) {
    case MemberType::File:
      return '0';
    case MemberType::Hardlink:
      return '1';
    case MemberType::Symlink:
      return '2';
    case MemberType::CharDevice:
      return '3';
    case MemberType::BlockDevice:
      return '4';
    case MemberType::Directory:
      return '5';
    case MemberType::Fifo:
      return '6';
  }
  return '0';
}

// Where a long name is cut into prefix and name: at a slash, both parts not empty and short enough.
// 0 when it needs no cut, npos when it cannot be cut.
std::size_t name_cut(std::string_view name) {
  if (name.size() <= sizeof(Header::name)) return 0;
  const std::size_t slash = name.find('/', name.size() - sizeof(Header::name) - 1);
  if (slash == std::string_view::npos || slash == 0 || slash > sizeof(Header::prefix) ||
      slash + 1 == name.size()) {
    return std::string_view::npos;
  }
  return slash;
}

// "LENGTH KEY=VALUE\n", where LENGTH counts itself.
std::string pax_record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (rest + std::to_string(length).size() != length) ++length;
  return std::to_string(length).append(" ").append(key).append("=").append(value).append("\n");
}

std::string pax_time(std::int64_t seconds, std::int64_t nanoseconds) {
  // Of times before 1970 libarchive keeps whole seconds and digits as they stand: so back as they
  // stood.
  std::string text = std::to_string(seconds);
  if (nanoseconds == 0) return text;
  std::string digits = std::to_string(nanoseconds);
  digits.insert(0, 9 - digits.size(), '0');
  digits.erase(digits.find_last_not_of('0') + 1);
  return text + "." + digits;
}

bool is_valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80             ? 1
                               : (lead & 0xe0) == 0xc0 ? 2
                               : (lead & 0xf0) == 0xe0 ? 3
                               : (lead & 0xf8) == 0xf0 ? 4
                                                       : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t j = 1; j < length; ++j) {
      if ((static_cast<unsigned char>(text[i + j]) & 0xc0) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

// The records a member needs beside its ustar header; mostly none.
std::string pax_records(std::string_view name, std::string_view bytes,
                        const MemberMetadata& metadata) {
  std::string records;
  bool is_binary = false;
  const auto add_text = [&](std::string_view key, std::string_view text) {
    is_binary = is_binary || !is_valid_utf8(text);
    records += pax_record(key, text);
  };
  if (!is_ascii(name) || name_cut(name) == std::string_view::npos) add_text("path", name);
  if (metadata.link_target.size() > sizeof(Header::link_target) ||
      !is_ascii(metadata.link_target)) {
    add_text("linkpath", metadata.link_target);
  }
  // The last byte of these two fields is a NUL.
  if (metadata.uname.size() >= sizeof(Header::uname) || !is_ascii(metadata.uname)) {
    add_text("uname", metadata.uname);
  }
  if (metadata.gname.size() >= sizeof(Header::gname) || !is_ascii(metadata.gname)) {
    add_text("gname", metadata.gname);
  }
  const auto add_number = [&](std::string_view key, std::int64_t value, std::int64_t max) {
    if (value < 0 || value > max) records += pax_record(key, std::to_string(value));
  };
  add_number("uid", metadata.uid, kMaxOctal7);
  add_number("gid", metadata.gid, kMaxOctal7);
  add_number("size", static_cast<std::int64_t>(bytes.size()), kMaxOctal11);
  if (metadata.mtime_ns != 0 || metadata.mtime_s < 0 || metadata.mtime_s > kMaxOctal11) {
    records += pax_record("mtime", pax_time(metadata.mtime_s, metadata.mtime_ns));
  }
  // Says that the texts are bytes, not UTF-8; must come first.
  return is_binary ? pax_record("hdrcharset", "BINARY") + records : records;
}

std::string_view seal(Header& header) {
  std::memcpy(header.magic, "ustar\00000", sizeof(header.magic));
  std::fill(std::begin(header.checksum), std::end(header.checksum), ' ');
  const auto* bytes = reinterpret_cast<const unsigned char*>(&header);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < sizeof(header); ++i) sum += bytes[i];
  put_octal(std::span(header.checksum).first(7), sum, kMaxOctal7);  // 6 digits, NUL, blank
  header.checksum[6] = '\0';
  return {reinterpret_cast<const char*>(&header), sizeof(header)};
}

}  // namespace

class TarWriter::State {
 public:
  explicit State(std::function<void(std::string_view)> write) : write_(std::move(write)) {}

  void add(std::string_view name, std::string_view bytes, const MemberMetadata& metadata) {
    if (metadata.type != MemberType::File) bytes = {};
    if (const std::string records = pax_records(name, bytes, metadata); !records.empty()) {
      Header header{};
      put_text(header.name, "././@PaxHeader");  // as Python's tarfile calls it
      put_octal(header.mode, 0, kMaxOctal7);
      put_octal(header.uid, 0, kMaxOctal7);
      put_octal(header.gid, 0, kMaxOctal7);
      put_octal(header.size, static_cast<std::int64_t>(records.size()), kMaxOctal11);
      put_octal(header.mtime, 0, kMaxOctal11);
      header.type = 'x';
      write(seal(header));
      write_padded(records);
    }
    Header header{};
    fill(header, name, bytes, metadata);
    write(seal(header));
    write_padded(bytes);
  }

  void finish() {
    const std::int64_t used = (num_bytes_ + 2 * kTarBlockBytes) % kTarRecordBytes;
    const std::int64_t padding = used == 0 ? 0 : kTarRecordBytes - used;
    write(std::string(static_cast<std::size_t>(2 * kTarBlockBytes + padding), '\0'));
  }

 private:
  static void fill(Header& header, std::string_view name, std::string_view bytes,
                   const MemberMetadata& metadata) {
    const std::size_t cut = name_cut(name);
    if (cut == 0 || cut == std::string_view::npos) {
      put_text(header.name, name);
    } else {
      put_text(header.prefix, name.substr(0, cut));
      put_text(header.name, name.substr(cut + 1));
    }
    put_octal(header.mode, metadata.mode & 07777, kMaxOctal7);
    put_octal(header.uid, metadata.uid, kMaxOctal7);
    put_octal(header.gid, metadata.gid, kMaxOctal7);
    put_octal(header.size, static_cast<std::int64_t>(bytes.size()), kMaxOctal11);
    put_octal(header.mtime, metadata.mtime_s, kMaxOctal11);
    header.type = type_flag(metadata.type);
    put_text(header.link_target, metadata.link_target);
    put_text(std::span(header.uname).first(sizeof(header.uname) - 1), metadata.uname);
    put_text(std::span(header.gname).first(sizeof(header.gname) - 1), metadata.gname);
    put_octal(header.device_major, metadata.device_major, kMaxOctal7);
    put_octal(header.device_minor, metadata.device_minor, kMaxOctal7);
  }

  void write_padded(std::string_view bytes) {
    const std::array<char, kTarBlockBytes> zeros{};
    if (!bytes.empty()) write(bytes);
    const std::size_t used = bytes.size() % kTarBlockBytes;
    if (used != 0) write({zeros.data(), kTarBlockBytes - used});
  }

  void write(std::string_view bytes) {
    num_bytes_ += static_cast<std::int64_t>(bytes.size());
    write_(bytes);
  }

  std::function<void(std::string_view)> write_;
  std::int64_t num_bytes_ = 0;
};

TarWriter::TarWriter(std::function<void(std::string_view)> write)
    : state_(std::make_unique<State>(std::move(write))) {}
TarWriter::~TarWriter() = default;
TarWriter::TarWriter(TarWriter&&) noexcept = default;

void TarWriter::add(std::string_view name, std::string_view bytes, const MemberMetadata& metadata) {
  state_->add(name, bytes, metadata);
}

void TarWriter::finish() { state_->finish(); }

}  // namespace aitqe
