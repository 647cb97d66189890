#include "aitqe/quality/assessment.h"

#include <algorithm>
#include <set>

#include "aitqe/base/ascii.h"
#include "aitqe/quality/rewrite_guard.h"
#include "answer_scanner.h"
#include "json_text.h"
#include "score_text.h"

namespace aitqe {
namespace {

using Kind = AnswerProblem::Kind;

/// `Fields` is Scores or Explanations, perhaps const: their six members in ScoreField's order.
template <typename Fields>
auto& member_at(Fields& fields, ScoreField field) {
  switch (field) {
    case ScoreField::Overall:
      return fields.overall;
    case ScoreField::TextQuality:
      return fields.text_quality;
    case ScoreField::ImageTextMatching:
      return fields.image_text_matching;
    case ScoreField::ObjectDetail:
      return fields.object_detail;
    case ScoreField::SemanticUnderstanding:
      return fields.semantic_understanding;
    case ScoreField::TextChartDescription:
      return fields.text_chart_description;
  }
  return fields.overall;
}

/// Fills one Assessment from the entries of one answer.
class AnswerReader {
 public:
  AnswerReader(std::string_view answer, const AnswerKeys& keys)
      : keys_(keys),
        table_(keys),
        log_(result_.problems),
        scanner_(answer, table_, keys.score_end, log_) {}

  Assessment read() {
    while (const auto entry = scanner_.next()) read_entry(*entry);
    check_recaption();
    check_missing_scores();
    const bool has_rewrite =
        result_.recaption && !result_.is_recaption_cut && !ascii::trim(*result_.recaption).empty();
    result_.usable = result_.scores.overall >= 0.0 || has_rewrite;
    return std::move(result_);
  }

 private:
  void read_entry(const AnswerEntry& entry) {
    if (!entry.known) {
      log_.add(Kind::UnknownKey, "", entry.key);
    } else if (!seen_.insert(*entry.known).second) {
      log_.add(Kind::DuplicateKey, "", entry.key);
    } else if (entry.known->kind == KnownKey::Kind::Score) {
      read_score_entry(entry);
    } else if (entry.known->kind == KnownKey::Kind::Recaption) {
      read_recaption(entry);
    } else {
      read_explanation(entry);
    }
  }

  void read_score_entry(const AnswerEntry& entry) {
    ScoreReading reading{kNoScore, Kind::ScoreUnreadable};
    if (entry.value_kind != AnswerEntry::ValueKind::Nested) {
      reading = read_score(entry.value, entry.is_cut, keys_);
    }
    result_.scores.at(entry.known->field) = reading.value;
    if (!reading.problem) return;
    log_.add(*reading.problem, std::string(entry.key) + " is",
             entry.value.empty() ? " " : entry.value);
  }

  void read_recaption(const AnswerEntry& entry) {
    if (entry.value_kind != AnswerEntry::ValueKind::Text) {
      log_.add(Kind::RecaptionUnreadable, "found", entry.value);
      return;
    }
    result_.recaption = decode(entry);
    result_.is_recaption_cut = entry.is_cut;
  }

  void read_explanation(const AnswerEntry& entry) {
    if (entry.value_kind == AnswerEntry::ValueKind::Nested) {
      log_.add(Kind::Malformed, "not a text: the value of", entry.key);
      return;
    }
    result_.explanations.at(entry.known->field) = decode(entry);
  }

  std::string decode(const AnswerEntry& entry) {
    DecodedText decoded = decode_json_text(entry.value);
    if (decoded.had_errors) log_.add(Kind::BadEscape, "in the value of", entry.key);
    return std::move(decoded.text);
  }

  void check_recaption() {
    if (!result_.recaption) return;
    const std::string& recaption = *result_.recaption;
    if (result_.is_recaption_cut) {
      const std::size_t tail = recaption.size() - std::min<std::size_t>(recaption.size(), 20);
      log_.add(Kind::RecaptionCut, "ends in", std::string_view(recaption).substr(tail));
    }
    const auto fault = find_rewrite_fault(recaption, "", keys_);
    if (fault) log_.add(Kind::RecaptionSuspect, rewrite_fault_reason(*fault));
  }

  /// A short answer has one score; one that goes on must have all.
  void check_missing_scores() {
    if (!has_seen(ScoreField::Overall)) log_.add(Kind::MissingScore, keys_.scores[0]);
    const bool goes_on = std::any_of(seen_.begin(), seen_.end(), [](const KnownKey& key) {
      return key.kind == KnownKey::Kind::Explanation || key.field != ScoreField::Overall;
    });
    for (std::size_t i = 1; goes_on && i < kNumScoreFields; ++i) {
      if (!has_seen(static_cast<ScoreField>(i))) log_.add(Kind::MissingScore, keys_.scores[i]);
    }
  }

  bool has_seen(ScoreField field) const {
    return seen_.contains(KnownKey{KnownKey::Kind::Score, field});
  }

  const AnswerKeys& keys_;
  Assessment result_;
  KeyTable table_;
  ProblemLog log_;
  AnswerScanner scanner_;
  std::set<KnownKey> seen_;
};

}  // namespace

double& Scores::at(ScoreField field) { return member_at(*this, field); }
double Scores::at(ScoreField field) const { return member_at(*this, field); }
std::string& Explanations::at(ScoreField field) { return member_at(*this, field); }
const std::string& Explanations::at(ScoreField field) const { return member_at(*this, field); }

bool Assessment::has_problem(AnswerProblem::Kind kind) const {
  return std::any_of(problems.begin(), problems.end(),
                     [kind](const AnswerProblem& problem) { return problem.kind == kind; });
}

std::string_view answer_problem_code(AnswerProblem::Kind kind) {
  static constexpr std::array<std::string_view, 23> kCodes = {"empty",
                                                              "no_dictionary",
                                                              "no_opening_brace",
                                                              "text_before",
                                                              "text_after",
                                                              "cut",
                                                              "malformed",
                                                              "single_quotes",
                                                              "unescaped_quote",
                                                              "unclosed_text",
                                                              "bad_escape",
                                                              "trailing_comma",
                                                              "duplicate_key",
                                                              "unknown_key",
                                                              "missing_score",
                                                              "score_form",
                                                              "score_unreadable",
                                                              "score_out_of_range",
                                                              "score_cut",
                                                              "recaption_unreadable",
                                                              "recaption_cut",
                                                              "recaption_suspect",
                                                              "too_many"};
  return kCodes.at(static_cast<std::size_t>(kind));
}

Assessment parse_answer(std::string_view answer, const AnswerKeys& keys) {
  return AnswerReader(answer, keys).read();
}

std::string describe_problems(const Assessment& assessment) {
  std::string line;
  for (const AnswerProblem& problem : assessment.problems) {
    if (!line.empty()) line += "; ";
    line += answer_problem_code(problem.kind);
    if (!problem.detail.empty()) line += " (" + problem.detail + ")";
  }
  return line;
}

}  // namespace aitqe
