#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "key_table.h"
#include "problem_log.h"

namespace aitqe {

/// One `key: value` of the answer's dictionary. Points into the answer.
struct AnswerEntry {
  enum class ValueKind { Text, Bare, Nested };
  std::string_view key;
  std::optional<KnownKey> known;
  ValueKind value_kind = ValueKind::Text;
  std::string_view value;  ///< without quotes, escapes as written
  bool is_cut = false;     ///< the answer ended inside the value, or its end had to be guessed
};

/// Walks over the dictionary in a model's answer without trusting it: never recursive, linear,
/// and never looking for keys inside texts (Note [Stray quotes] in answer_scanner.cpp).
class AnswerScanner {
 public:
  /// All three are only looked at and must live as long as the scanner.
  AnswerScanner(std::string_view answer, const KeyTable& keys, std::string_view score_end,
                ProblemLog& log);

  /// The next entry; none at the end of the dictionary or when there is none.
  std::optional<AnswerEntry> next();

 private:
  enum class KeyState { None, Whole, Cut };
  struct KeyMatch {
    KeyState state = KeyState::None;
    std::string_view key;
    std::optional<KnownKey> known;
    std::size_t end = 0;  // after the colon
  };

  bool find_start();
  bool find_next_key(KeyMatch& match);
  void finish_after_brace();
  void finish_cut();
  void skip_malformed();

  void scan_value(AnswerEntry& entry);
  void scan_text(AnswerEntry& entry, char quote);
  void scan_score_text(AnswerEntry& entry, char quote);
  void scan_bare(AnswerEntry& entry);
  void skip_nested(AnswerEntry& entry);

  bool ends_text(std::size_t quote_at, bool has_inner_quotes) const;
  bool brace_ends_dictionary(std::size_t brace_at) const;
  KeyMatch key_at(std::size_t at) const;
  bool is_known_key_at(std::size_t at, char quote) const;
  std::size_t skip_space(std::size_t at) const;
  bool only_separators_after(std::size_t at) const;
  std::size_t end_of(std::string_view part) const;
  bool is_quote(std::size_t at) const;

  std::string_view text_;
  const KeyTable& keys_;
  std::string_view score_end_;
  ProblemLog& log_;
  std::size_t at_ = 0;
  std::size_t last_known_key_ = std::string_view::npos;
  std::size_t score_end_at_ = std::string_view::npos;  // after the mark of the score just read
  bool is_first_ = true;
  bool is_done_ = false;
};

}  // namespace aitqe
