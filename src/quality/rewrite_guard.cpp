#include "aitqe/quality/rewrite_guard.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "aitqe/base/ascii.h"
#include "aitqe/text/unicode.h"
#include "spellings.h"
#include "text_search.h"
#include "words.h"

namespace aitqe {
namespace {

constexpr std::string_view kCurlyApostrophe = "\xE2\x80\x99";

/// A phrase that stands so often in a row is no caption.
constexpr std::size_t kLoopRepeats = 8;

/// C0 and C1 controls but white space, U+FFFD, and what reorders text on screen.
/// Looks at UTF-8 bytes: C1 is C2 80..9F, U+202A..E is E2 80 AA..AE, U+2066..9 is E2 81 A6..A9.
bool has_bad_text(std::string_view text) {
  if (!is_valid_utf8(text) || contains(text, "\xEF\xBF\xBD")) return true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == 0x7F || (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r')) return true;
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (byte == 0xC2 && next < 0xA0) return true;
    if (byte != 0xE2) continue;
    const auto last = i + 2 < text.size() ? static_cast<unsigned char>(text[i + 2]) : 0;
    if (next == 0x80 && last >= 0xAA && last <= 0xAE) return true;
    if (next == 0x81 && last >= 0xA6 && last <= 0xA9) return true;
  }
  return false;
}

/// The model speaking of itself instead of the picture. "I can't breathe" on a banner is none.
bool is_refusal(std::string_view low) {
  static constexpr auto kAnywhere = std::to_array<std::string_view>(
      {"as an ai language model", "as a language model", "as an ai assistant"});
  for (const std::string_view words : kAnywhere) {
    if (contains(low, words)) return true;
  }
  constexpr std::size_t kLongestStartBytes = 64;
  std::string plain_start(ascii::trim(low).substr(0, kLongestStartBytes));
  if (const std::size_t curly = plain_start.find(kCurlyApostrophe); curly != kNowhere) {
    plain_start.replace(curly, kCurlyApostrophe.size(), "'");
  }
  std::string_view start = plain_start;
  static constexpr auto kStarts = std::to_array<std::string_view>(
      {"i'm sorry", "i am sorry", "i'm unable to", "i am unable to", "i'm not able to",
       "i am not able to", "as an ai,", "sorry, i "});
  for (const std::string_view words : kStarts) {
    if (start.starts_with(words)) return true;
  }
  static constexpr auto kCannot =
      std::to_array<std::string_view>({"i cannot ", "i can't ", "i can not ", "unable to "});
  static constexpr auto kVerbs = std::to_array<std::string_view>(
      {"see", "view", "help", "assist", "describe", "provide", "identify", "determine", "evaluate",
       "generate", "create", "comply", "fulfill", "answer"});
  for (const std::string_view words : kCannot) {
    if (!start.starts_with(words)) continue;
    start.remove_prefix(words.size());
    const auto follows = [start](std::string_view verb) { return start.starts_with(verb); };
    return std::any_of(kVerbs.begin(), kVerbs.end(), follows);
  }
  return false;
}

bool has_new_url(std::span<const std::string_view> words, std::string_view original) {
  constexpr int kMostUrls = 64;  // bounds the searches in `original`; nobody writes so many
  int num_urls = 0;
  for (const std::string_view word : words) {
    const std::string low = ascii::lower(word);
    const std::size_t at = std::min({low.find("http://"), low.find("https://"), low.find("www.")});
    if (at == kNowhere) continue;
    const std::string_view url = ascii::trim(word.substr(at), ".,;:!?\"')]}>");
    if (++num_urls > kMostUrls || !contains(original, url)) return true;
  }
  return false;
}

constexpr std::string_view kAroundFacts = ".,;:!?\"'()[]{}";

bool is_letter(char c) { return ascii::lower(c) >= 'a' && ascii::lower(c) <= 'z'; }

/// What may stand behind the digits of a number and changes nothing about which it is.
std::string_view sign_behind(std::string_view word) {
  static constexpr auto kSigns = std::to_array<std::string_view>({"%", "\xC2\xB0"});
  for (const std::string_view sign : kSigns) {
    if (word.ends_with(sign)) return sign;
  }
  return "";
}

std::string_view without_sign(std::string_view word) {
  return word.substr(0, word.size() - sign_behind(word).size());
}

/// "s" of decades and the endings of ranks, which are part of the number.
std::string_view ending_of_number(std::string_view word) {
  static constexpr auto kEndings = std::to_array<std::string_view>({"s", "st", "nd", "rd", "th"});
  for (const std::string_view ending : kEndings) {
    const bool is_behind_digit = word.size() > ending.size() && word.ends_with(ending) &&
                                 ascii::is_digit(word[word.size() - ending.size() - 1]);
    if (is_behind_digit) return ending;
  }
  return "";
}

bool is_number(std::string_view word) {
  word = without_sign(word);
  word.remove_suffix(ending_of_number(word).size());
  if (word.empty() || !ascii::is_digit(word.front()) || !ascii::is_digit(word.back())) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const bool is_between = (word[i] == '.' || word[i] == ',') && ascii::is_digit(word[i - 1]);
    if (!ascii::is_digit(word[i]) && !is_between) return false;
  }
  return true;
}

/// "I'm", "They're": a verb behind the apostrophe.
bool is_contraction(std::string_view word) {
  static constexpr auto kVerbs = std::to_array<std::string_view>({"m", "d", "ve", "re", "ll", "t"});
  const std::size_t straight = word.find('\'');
  const std::size_t curly = word.find(kCurlyApostrophe);
  if (straight == kNowhere && curly == kNowhere) return false;
  const std::size_t behind = straight < curly ? straight + 1 : curly + kCurlyApostrophe.size();
  const std::string verb = ascii::lower(word.substr(behind));
  return std::find(kVerbs.begin(), kVerbs.end(), verb) != kVerbs.end();
}

bool is_name(std::string_view word) {
  const auto num_letters = std::count_if(word.begin(), word.end(), [](char c) {
    return is_letter(c) || static_cast<unsigned char>(c) >= 0xC0;  // where a character begins
  });
  return num_letters > 1 && begins_with_capital(word) && !is_contraction(word) &&
         std::all_of(word.begin(), word.end(), [](char c) {
           return is_letter(c) || static_cast<unsigned char>(c) >= 0x80 || c == '-' || c == '\'';
         });
}

/// "1,200,000" -> "1200000"; "1,5" stays.
std::string without_thousands(std::string_view number) {
  std::string key;
  for (std::size_t i = 0; i < number.size(); ++i) {
    const std::size_t end = std::min(number.find_first_not_of("0123456789", i + 1), number.size());
    if (number[i] != ',' || end != i + 4) key += number[i];
  }
  return key;
}

bool is_time(std::string_view word) {
  const std::size_t colon = word.find(':');
  return colon != kNowhere && colon > 0 && colon + 1 < word.size() &&
         ascii::is_digit(word[colon - 1]) && ascii::is_digit(word[colon + 1]);
}

}  // namespace

/// Letters, digits and everything beyond ASCII, in lower case, with one blank between words.
std::string bare_words(std::string_view text) {
  std::string bare;
  bool between = false;
  for (const char c : lower(text)) {
    const bool is_of_word =
        static_cast<unsigned char>(c) >= 0x80 || ascii::is_digit(c) || is_letter(c);
    if (is_of_word && between && !bare.empty()) bare += ' ';
    between = !is_of_word;
    if (is_of_word) bare += c;
  }
  return bare;
}

bool says_the_same(std::string_view rewrite, std::string_view original) {
  const std::string bare = bare_words(rewrite);
  if (bare.empty()) return ascii::trim(rewrite) == ascii::trim(original);
  return bare == bare_words(original);
}

std::optional<RewriteFault> find_rewrite_fault(std::string_view rewrite, std::string_view original,
                                               const AnswerKeys& keys) {
  if (ascii::trim(rewrite).empty()) return RewriteFault::Empty;
  if (has_bad_text(rewrite)) return RewriteFault::BadText;
  if (has_special_token(rewrite, keys)) return RewriteFault::SpecialToken;
  const std::string low = ascii::lower(rewrite);
  if (has_prompt_marker(low, keys)) return RewriteFault::PromptMarker;
  if (is_refusal(low)) return RewriteFault::Refusal;
  if (has_new_url(split_at_space(rewrite), original)) return RewriteFault::Url;
  if (has_loop(rewrite, kLoopRepeats)) return RewriteFault::Loop;
  return std::nullopt;
}

std::vector<std::string> find_facts(std::string_view caption) {
  const std::vector<std::string_view> words = split_at_space(caption);
  std::int64_t capitals = 0;
  std::int64_t small = 0;
  for (const std::string_view word : words) {
    const std::string_view bare = ascii::trim(word, kAroundFacts);
    if (bare.empty() || ascii::is_digit(bare[0])) continue;
    (begins_with_capital(bare) ? capitals : small) += 1;
  }
  const bool is_title = capitals > small;
  const bool is_stamped = std::any_of(words.begin(), words.end(), is_time);
  std::vector<std::string> facts;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = ascii::trim(words[i], kAroundFacts);
    const bool matters = (is_number(word) && !is_stamped) || (i > 0 && !is_title && is_name(word));
    if (matters) facts.emplace_back(word);
  }
  return facts;
}

std::string fact_key(std::string_view word) {
  static constexpr auto kGenitives = std::to_array<std::string_view>({"'s", "\xE2\x80\x99s"});
  if (is_number(word)) return without_thousands(without_sign(word));
  std::string key = lower(word);
  for (const std::string_view genitive : kGenitives) {
    if (key.ends_with(genitive)) key.resize(key.size() - genitive.size());
  }
  return key;
}

std::vector<std::string> fact_words(std::string_view caption) {
  std::vector<std::string> bare;
  for (const std::string_view word : split_at_space(caption)) {
    bare.push_back(fact_key(ascii::trim(word, kAroundFacts)));
  }
  return bare;
}

std::optional<std::string> find_lost_fact(std::string_view rewrite, std::string_view original) {
  const std::vector<std::string> words = fact_words(rewrite);
  const std::set<std::string> kept(words.begin(), words.end());
  for (std::string& fact : find_facts(original)) {
    if (!kept.contains(fact_key(fact))) return std::move(fact);
  }
  return std::nullopt;
}

std::string_view rewrite_fault_reason(RewriteFault fault) {
  switch (fault) {
    case RewriteFault::Empty:
      return "rewrite_empty";
    case RewriteFault::BadText:
      return "rewrite_bad_text";
    case RewriteFault::SpecialToken:
      return "rewrite_special_token";
    case RewriteFault::PromptMarker:
      return "rewrite_prompt_marker";
    case RewriteFault::Refusal:
      return "rewrite_refusal";
    case RewriteFault::Url:
      return "rewrite_url";
    case RewriteFault::Loop:
      return "rewrite_loop";
  }
  return "rewrite_bad_text";
}

}  // namespace aitqe
