#include "pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8  // asked for by pcre2.h
#include <pcre2.h>

#include <array>
#include <cctype>

#include "aitqe/base/error.h"

namespace aitqe {
namespace {

// Note [Unicode of the patterns]
// `tokenizers` 0.23 matches with an Oniguruma that knows Unicode 16; PCRE2 10.42 (Debian 12) knows
// Unicode 14. The classes below add the letters and numbers that came in between (none went), so
// that all PCRE2 versions agree. They were found by asking both about every code point, which
// scripts/check_tokenizer.py does again. `\s` is spelt out because PCRE2's differs with its flags.
constexpr std::string_view kLetters =
    R"(\p{L}\x{1C89}-\x{1C8A}\x{A7CB}-\x{A7CD}\x{A7DA}-\x{A7DC}\x{105C0}-\x{105F3})"
    R"(\x{10D4A}-\x{10D65}\x{10D6F}-\x{10D85}\x{10EC2}-\x{10EC4}\x{1123F}-\x{11240})"
    R"(\x{11380}-\x{11389}\x{1138B}\x{1138E}\x{11390}-\x{113B5}\x{113B7}\x{113D1}\x{113D3})"
    R"(\x{11BC0}-\x{11BE0}\x{11F02}\x{11F04}-\x{11F10}\x{11F12}-\x{11F33}\x{1342F})"
    R"(\x{13441}-\x{13446}\x{13460}-\x{143FA}\x{16100}-\x{1611D}\x{16D40}-\x{16D6C}\x{18CFF})"
    R"(\x{1B132}\x{1B155}\x{1DF25}-\x{1DF2A}\x{1E030}-\x{1E06D}\x{1E4D0}-\x{1E4EB})"
    R"(\x{1E5D0}-\x{1E5ED}\x{1E5F0}\x{2B739}\x{2EBF0}-\x{2EE5D}\x{31350}-\x{323AF})";
constexpr std::string_view kNumbers =
    R"(\p{N}\x{10D40}-\x{10D49}\x{116D0}-\x{116E3}\x{11BF0}-\x{11BF9}\x{11F50}-\x{11F59})"
    R"(\x{16130}-\x{16139}\x{16D70}-\x{16D79}\x{1CCF0}-\x{1CCF9}\x{1D2C0}-\x{1D2D3})"
    R"(\x{1E4F0}-\x{1E4F9}\x{1E5F1}-\x{1E5FA})";
constexpr std::string_view kWhiteSpace =
    R"(\x{9}-\x{D}\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F})"
    R"(\x{205F}\x{3000})";

constexpr std::array<std::string_view, 4> kGroups = {"(?:", "(?i:", "(?!", "(?="};

/// Reads a pattern from left to right and writes PCRE2's.
class Translator {
 public:
  explicit Translator(std::string_view pattern) : pattern_(pattern), rest_(pattern) {}

  std::string run() {
    while (!rest_.empty()) {
      if (rest_.front() == '\\') {
        escape();
      } else if (is_in_class_) {
        class_member();
      } else {
        outside_class();
      }
    }
    return out_;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorCategory::Model,
                "pattern \"" + std::string(pattern_) + "\": " + what + " is not understood");
  }

  void copy(std::size_t size) {
    out_.append(rest_.substr(0, size));
    rest_.remove_prefix(size);
  }

  bool take(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  void put_set(std::string_view members, std::string_view open = "[") {
    out_ += is_in_class_ ? std::string(members) : std::string(open).append(members).append("]");
  }

  void escape() {
    if (take(R"(\s)")) return put_set(kWhiteSpace);
    if (take(R"(\p{L})")) return put_set(kLetters);
    if (take(R"(\p{N})")) return put_set(kNumbers);
    if (!is_in_class_ && take(R"(\S)")) return put_set(kWhiteSpace, "[^");
    const char next = rest_.size() > 1 ? rest_[1] : '\0';
    const bool is_hex = rest_.starts_with(R"(\x{)");
    const bool is_control = next == 'r' || next == 'n' || next == 't';
    if (is_hex || is_control || std::ispunct(static_cast<unsigned char>(next)) != 0) return copy(2);
    refuse(std::string(rest_.substr(0, 2)));
  }

  void class_member() {
    // Oniguruma reads these as set operations, PCRE2 does not.
    if (rest_.front() == '[') refuse("a class within a class");
    if (rest_.starts_with("&&")) refuse("&& within a class");
    if (rest_.front() == ']') is_in_class_ = false;
    copy(1);
  }

  void outside_class() {
    for (const std::string_view group : kGroups) {
      if (rest_.starts_with(group)) return copy(group.size());
    }
    if (rest_.starts_with("(?") || rest_.starts_with("(*")) {
      refuse(std::string(rest_.substr(0, 3)));
    }
    if (rest_.starts_with("{,")) refuse("{,");  // {0, in Oniguruma, literal in PCRE2
    const char next = rest_.front();
    if (next == '^' || next == '$')
      refuse(std::string(1, next));  // lines in one, text in the other
    if (next == '[') {
      is_in_class_ = true;
      copy(rest_.starts_with("[^") ? 2 : 1);
      if (rest_.starts_with("]")) refuse("] at the start of a class");
      return;
    }
    copy(1);
  }

  std::string_view pattern_;
  std::string_view rest_;
  std::string out_;
  bool is_in_class_ = false;
};

std::string pcre2_message(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

std::shared_ptr<const void> compile(std::string_view pattern) {
  const std::string translated = to_pcre2(pattern);
  const auto fail = [&](const std::string& why) {
    throw Error(ErrorCategory::Model, "pattern \"" + std::string(pattern) + "\": " + why);
  };
  const std::unique_ptr<pcre2_compile_context, decltype(&pcre2_compile_context_free)> context(
      pcre2_compile_context_create(nullptr), pcre2_compile_context_free);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int code_error = 0;
  PCRE2_SIZE offset = 0;
  std::shared_ptr<pcre2_code> code(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(), PCRE2_UTF,
                    &code_error, &offset, context.get()),
      pcre2_code_free);
  if (code == nullptr) fail(pcre2_message(code_error));
  std::uint32_t matches_empty = 0;
  pcre2_pattern_info(code.get(), PCRE2_INFO_MATCHEMPTY, &matches_empty);
  if (matches_empty != 0) fail("matches empty text");
  pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);  // where there is no JIT, it is interpreted
  return code;
}

}  // namespace

std::string to_pcre2(std::string_view pattern) { return Translator(pattern).run(); }

Pattern::Pattern(std::string_view pattern) : pattern_(pattern), code_(compile(pattern)) {}

void Pattern::for_each_piece(std::string_view text,
                             const std::function<void(std::string_view)>& use) const {
  const auto* code = static_cast<const pcre2_code*>(code_.get());
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match(
      pcre2_match_data_create_from_pattern(code, nullptr), pcre2_match_data_free);
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  std::size_t done = 0;  // all before it has been used
  while (done < text.size()) {
    const int result =
        pcre2_match(code, subject, text.size(), done, PCRE2_NO_UTF_CHECK, match.get(), nullptr);
    if (result == PCRE2_ERROR_NOMATCH) return use(text.substr(done));
    if (result < 0) {
      throw Error(ErrorCategory::Model, "pattern \"" + pattern_ + "\" gives up on a text of " +
                                            std::to_string(text.size()) +
                                            " bytes: " + pcre2_message(result));
    }
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(match.get());
    const std::size_t begin = bounds[0];
    const std::size_t end = bounds[1];
    if (begin > done) use(text.substr(done, begin - done));
    use(text.substr(begin, end - begin));
    done = end;
  }
}

}  // namespace aitqe
