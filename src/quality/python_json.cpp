#include "python_json.h"

#include <algorithm>
#include <array>
#include <vector>

#include "aitqe/base/ascii.h"
#include "text_search.h"

namespace aitqe {
namespace {

/// CPython's limits: sys.int_info.default_max_str_digits, and the recursion limit of 1000 less
/// what the reference's own call stack takes (not exact; no caption comes near).
constexpr std::size_t kMostIntegerDigits = 4300;
constexpr std::size_t kMostLevels = 990;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool read_document() {
    skip_space();
    do {
      if (!read_value_start()) return false;
      if (is_value_open_) continue;
      if (!close_finished()) return false;
    } while (!open_.empty());
    return at_ == text_.size();
  }

 private:
  enum class Level { Array, Object };

  /// Reads a scalar, an empty container, or the opening of one (then `is_value_open_`).
  bool read_value_start() {
    is_value_open_ = false;
    if (at_ == text_.size()) return false;
    switch (text_[at_]) {
      case '{':
        return open(Level::Object);
      case '[':
        return open(Level::Array);
      case '"':
        return read_string();
      default:
        return read_word() || read_number();
    }
  }

  bool open(Level level) {
    ++at_;
    skip_space();
    if (take(level == Level::Object ? '}' : ']')) return true;
    if (open_.size() >= kMostLevels) return false;
    open_.push_back(level);
    is_value_open_ = true;
    return level == Level::Array || read_key();
  }

  /// After a value: closes what ends here, or goes over the comma to the next value.
  bool close_finished() {
    skip_space();
    while (!open_.empty()) {
      const Level level = open_.back();
      if (take(',')) {
        skip_space();
        return level == Level::Array || read_key();
      }
      if (!take(level == Level::Object ? '}' : ']')) return false;
      open_.pop_back();
      skip_space();
    }
    return true;
  }

  bool read_key() {
    if (!read_string()) return false;
    skip_space();
    if (!take(':')) return false;
    skip_space();
    return true;
  }

  bool read_string() {
    if (!take('"')) return false;
    for (; at_ < text_.size(); ++at_) {
      const auto byte = static_cast<unsigned char>(text_[at_]);
      if (byte == '"') return take('"');
      if (byte < 0x20) return false;
      if (byte == '\\' && !read_escape()) return false;
    }
    return false;
  }

  /// Leaves `at_` on the escape's last character.
  bool read_escape() {
    if (++at_ == text_.size()) return false;
    if (text_[at_] != 'u') return std::string_view("\"\\/bfnrt").find(text_[at_]) != kNowhere;
    const std::string_view digits = text_.substr(at_ + 1, 4);
    at_ += digits.size();
    return digits.size() == 4 && digits.find_first_not_of("0123456789abcdefABCDEF") == kNowhere;
  }

  bool read_word() {
    static constexpr auto kWords =
        std::to_array<std::string_view>({"true", "false", "null", "NaN", "Infinity", "-Infinity"});
    for (const std::string_view word : kWords) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return true;
    }
    return false;
  }

  bool read_number() {
    take('-');
    const std::size_t integer = at_;
    if (!take('0') && read_digits() == 0) return false;
    const std::size_t integer_digits = at_ - integer;
    bool is_integer = true;
    const std::size_t point = at_;
    if (take('.')) {
      is_integer = read_digits() == 0;
      if (is_integer) at_ = point;  // Python ends the number before the point
    }
    const std::size_t exponent = at_;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (read_digits() == 0) {
        at_ = exponent;
      } else {
        is_integer = false;
      }
    }
    return !is_integer || integer_digits <= kMostIntegerDigits;
  }

  std::size_t read_digits() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && ascii::is_digit(text_[at_])) ++at_;
    return at_ - begin;
  }

  bool take(char expected) {
    if (at_ >= text_.size() || text_[at_] != expected) return false;
    ++at_;
    return true;
  }

  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\n\r", at_), text_.size()); }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Level> open_;
  bool is_value_open_ = false;
};

}  // namespace

bool python_json_loads(std::string_view text) { return Reader(text).read_document(); }

}  // namespace aitqe
