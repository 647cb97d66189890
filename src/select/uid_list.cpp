#include "aitqe/select/uid_list.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "aitqe/base/error.h"
#include "aitqe/io/sink.h"

namespace aitqe {
namespace {

constexpr std::size_t kUidDigits = 32;

std::optional<std::uint64_t> parse_half(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

void append_little_endian(std::string& bytes, std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(value >> shift & 0xFF);
}

/// Version 1.0 of the format: magic, length of the header, a Python literal; padded so that the
/// data begins at a multiple of 64 bytes.
/// Source: numpy.lib.format.
std::string npy_header(std::size_t num_rows) {
  std::string literal =
      "{'descr': [('f0', '<u8'), ('f1', '<u8')], 'fortran_order': False, "
      "'shape': (" +
      std::to_string(num_rows) + ",), }";
  constexpr std::size_t kAlignment = 64;
  constexpr std::size_t kBeforeLiteral = 10;
  const std::size_t unpadded = kBeforeLiteral + literal.size() + 1;
  literal.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  literal += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(literal.size() & 0xFF);
  header += static_cast<char>(literal.size() >> 8);
  return header + literal;
}

}  // namespace

void UidList::add(const SelectedRow& selected) {
  const std::string_view uid = selected.row.uid;
  const auto upper = parse_half(uid.substr(0, kUidDigits / 2));
  const auto lower = parse_half(uid.substr(std::min(uid.size(), kUidDigits / 2)));
  if (uid.size() != kUidDigits || !upper || !lower) {
    throw Error(ErrorCategory::Usage,
                selected.shard.rows_file().string() + ": pair \"" + selected.row.key + "\" has " +
                    (uid.empty() ? "no uid" : "the uid \"" + std::string(uid) + "\"") +
                    ", expected 32 hex digits as DataComp puts them into a pair's .json (--npy); "
                    "leave such pairs out with --where 'uid != \"\"', or use the list of keys");
  }
  uids_.emplace_back(*upper, *lower);
}

void UidList::finish() {
  std::sort(uids_.begin(), uids_.end());
  uids_.erase(std::unique(uids_.begin(), uids_.end()), uids_.end());
  AtomicFile file(path_);
  file.write(npy_header(uids_.size()));
  std::string bytes;
  for (const auto& [upper, lower] : uids_) {
    bytes.clear();
    append_little_endian(bytes, upper);
    append_little_endian(bytes, lower);
    file.write(bytes);
  }
  file.commit();
}

}  // namespace aitqe
