#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/quality/answer_keys.h"

namespace aitqe {

/// A score the model did not give, or gave unreadably.
inline constexpr double kNoScore = -1.0;

struct Scores {
  double overall = kNoScore;
  double text_quality = kNoScore;
  double image_text_matching = kNoScore;
  double object_detail = kNoScore;
  double semantic_understanding = kNoScore;
  double text_chart_description = kNoScore;

  double& at(ScoreField field);
  double at(ScoreField field) const;
};

/// Why each score was given; "" where the model said nothing.
struct Explanations {
  std::string overall;
  std::string text_quality;
  std::string image_text_matching;
  std::string object_detail;
  std::string semantic_understanding;
  std::string text_chart_description;

  std::string& at(ScoreField field);
  const std::string& at(ScoreField field) const;
};

/// One thing that is wrong with an answer.
struct AnswerProblem {
  enum class Kind {
    Empty,                ///< nothing but white space
    NoDictionary,         ///< neither `{` nor a known key
    NoOpeningBrace,       ///< starts with a known key; read all the same
    TextBefore,           ///< text before the dictionary
    TextAfter,            ///< text after it
    Cut,                  ///< ends inside the dictionary, and not right after the overall score
    Malformed,            ///< something that is no key, value or separator; skipped
    SingleQuotes,         ///< strings in single quotes; read
    UnescapedQuote,       ///< a quote inside a text; read as part of it
    UnclosedText,         ///< a closing quote is missing before the next key; read
    BadEscape,            ///< a JSON escape that means nothing, or bytes that are no UTF-8; U+FFFD
    TrailingComma,        ///< a comma before `}`; read
    DuplicateKey,         ///< the first one counts
    UnknownKey,           ///< ignored
    MissingScore,         ///< no overall score, or a full answer without one of the others
    ScoreForm,            ///< not a plain number, yet clear: `8/10`, `eight`; read
    ScoreUnreadable,      ///< counts as absent
    ScoreOutOfRange,      ///< counts as absent
    ScoreCut,             ///< the answer ends within the number; counts as absent
    RecaptionUnreadable,  ///< not a text; counts as absent
    RecaptionCut,         ///< the answer ends within the rewrite, which must not be used
    RecaptionSuspect,     ///< empty, a refusal, special tokens, ... (rewrite_guard.h)
    TooMany,              ///< more problems than kMaxAnswerProblems; the rest is not listed
  };
  Kind kind = Kind::NoDictionary;
  std::string detail;  ///< what was found and where; short, valid UTF-8
};

/// "no_dictionary", "score_out_of_range", ...: stable names for reports (docs/formats.md).
std::string_view answer_problem_code(AnswerProblem::Kind kind);

inline constexpr std::size_t kMaxAnswerProblems = 32;

/// What the model said about one pair.
struct Assessment {
  Scores scores;
  /// The new caption, decoded, not trimmed. Set even when it is empty, cut or suspect: the problems
  /// say so and `decide` does not use it.
  std::optional<std::string> recaption;
  /// The answer ended inside `recaption`, or where it ends had to be guessed.
  bool is_recaption_cut = false;
  Explanations explanations;
  std::vector<AnswerProblem> problems;
  /// An overall score or a complete rewrite was read. Otherwise the pair failed in stage "answer".
  bool usable = false;

  bool has_problem(AnswerProblem::Kind kind) const;
};

/// Reads the model's dictionary answer, whole or cut after `<Overall>`, well-formed or not.
/// Keys count only where the dictionary's grammar puts them: text inside values is never searched
/// for scores, save for the key that ends a text with stray quotes.
/// Never throws on any bytes; time and memory are linear in the answer.
/// @param answer  the generated text with the prefix the engine forced, if any.
Assessment parse_answer(std::string_view answer, const AnswerKeys& keys);

/// "empty; score_out_of_range (Overall Score is 11)": all problems in one line, "" for none.
std::string describe_problems(const Assessment& assessment);

}  // namespace aitqe
