#include "aitqe/text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "aitqe/base/error.h"
#include "utf8.h"

namespace aitqe {
namespace {

constexpr auto kNfcOptions = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
// The longest canonical decomposition of one character has 4 (UAX #15); the rest is slack.
constexpr std::size_t kMaxDecomposition = 16;
// All characters below U+0300 are in form C, whatever stands beside them among themselves.
constexpr unsigned char kLeadByteOfU0300 = 0xCC;

bool is_python_space(char32_t code_point) {
  return is_white_space(code_point) || (code_point >= 0x1C && code_point <= 0x1F);
}

int combining_class(std::int32_t code_point) {
  return utf8proc_get_property(code_point)->combining_class;
}

/// Canonical decomposition, marks not yet in canonical order.
std::vector<std::int32_t> decompose(std::string_view utf8) {
  std::vector<std::int32_t> code_points;
  code_points.reserve(utf8.size());
  std::array<std::int32_t, kMaxDecomposition> parts{};
  while (!utf8.empty()) {
    const Utf8Step step = read_utf8(utf8);
    if (step.state != Utf8State::Valid) throw Error(ErrorCategory::Bug, "nfc: not UTF-8");
    int boundary = 0;
    const auto count = utf8proc_decompose_char(static_cast<std::int32_t>(step.code_point),
                                               parts.data(), parts.size(), kNfcOptions, &boundary);
    if (count < 0 || static_cast<std::size_t>(count) > parts.size()) {
      throw Error(ErrorCategory::Bug, "nfc: utf8proc cannot decompose a character");
    }
    code_points.insert(code_points.end(), parts.begin(), parts.begin() + count);
    utf8.remove_prefix(step.size_bytes);
  }
  return code_points;
}

/// Each run of combining marks sorted by class. Not left to utf8proc, whose sort is quadratic in
/// the length of a run, which a caption may choose.
std::vector<std::int32_t> with_ordered_marks(std::vector<std::int32_t> code_points) {
  const auto is_mark = [](std::int32_t code_point) { return combining_class(code_point) != 0; };
  const auto by_class = [](std::int32_t a, std::int32_t b) {
    return combining_class(a) < combining_class(b);
  };
  auto end = code_points.begin();
  while (true) {
    const auto begin = std::find_if(end, code_points.end(), is_mark);
    if (begin == code_points.end()) return code_points;
    end = std::find_if_not(begin, code_points.end(), is_mark);
    if (end - begin > 1) std::stable_sort(begin, end, by_class);
  }
}

}  // namespace

std::string repair_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const Utf8Step step = read_utf8(bytes);
    if (step.state == Utf8State::Valid) {
      text.append(bytes.substr(0, step.size_bytes));
    } else {
      append_utf8(text, kReplacementCharacter);
    }
    bytes.remove_prefix(step.size_bytes);
  }
  return text;
}

bool is_valid_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const Utf8Step step = read_utf8(bytes);
    if (step.state != Utf8State::Valid) return false;
    bytes.remove_prefix(step.size_bytes);
  }
  return true;
}

std::string nfc(std::string_view utf8) {
  const bool is_simple = std::all_of(utf8.begin(), utf8.end(), [](char byte) {
    return static_cast<unsigned char>(byte) < kLeadByteOfU0300;
  });
  if (is_simple && is_valid_utf8(utf8)) return std::string(utf8);
  std::vector<std::int32_t> code_points = with_ordered_marks(decompose(utf8));
  const auto count = utf8proc_normalize_utf32(
      code_points.data(), static_cast<utf8proc_ssize_t>(code_points.size()), kNfcOptions);
  if (count < 0) throw Error(ErrorCategory::Bug, "nfc: utf8proc cannot compose");
  code_points.resize(static_cast<std::size_t>(count));
  std::string text;
  text.reserve(utf8.size());
  for (const std::int32_t code_point : code_points) {
    append_utf8(text, static_cast<char32_t>(code_point));
  }
  return text;
}

bool is_letter(char32_t code_point) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool begins_with_capital(std::string_view text) {
  if (text.empty()) return false;
  const Utf8Step step = read_utf8(text);
  if (step.state != Utf8State::Valid) return false;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(step.code_point));
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LT;
}

std::string lower(std::string_view text) {
  std::string low;
  low.reserve(text.size());
  while (!text.empty()) {
    const Utf8Step step = read_utf8(text);
    if (step.state == Utf8State::Valid) {
      const auto code_point = static_cast<utf8proc_int32_t>(step.code_point);
      append_utf8(low, static_cast<char32_t>(utf8proc_tolower(code_point)));
    } else {
      low.append(text.substr(0, step.size_bytes));
    }
    text.remove_prefix(step.size_bytes);
  }
  return low;
}

std::string_view strip_python(std::string_view utf8) {
  while (!utf8.empty()) {
    const Utf8Step step = read_utf8(utf8);
    if (!is_python_space(step.code_point)) break;
    utf8.remove_prefix(step.size_bytes);
  }
  while (!utf8.empty()) {
    const std::size_t offset = last_character_offset(utf8);
    if (!is_python_space(read_utf8(utf8.substr(offset)).code_point)) break;
    utf8.remove_suffix(utf8.size() - offset);
  }
  return utf8;
}

}  // namespace aitqe
