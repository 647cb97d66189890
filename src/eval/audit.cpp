#include "aitqe/eval/audit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/text/language.h"

namespace aitqe {

namespace {

using Results = std::vector<const TrialResult*>;

std::int64_t count_words(const std::string& caption) {
  std::int64_t words = 0;
  bool inside = false;
  for (const char c : caption) {
    const bool is_space = c == ' ' || c == '\n' || c == '\t';
    if (!is_space && !inside) ++words;
    inside = !is_space;
  }
  return words;
}

bool is_mostly_ascii(const std::string& caption) {
  const auto ascii = std::count_if(caption.begin(), caption.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return 4 * ascii >= 3 * std::ssize(caption);
}

ScoreGroup group_of(const std::string& name, const Results& results,
                    const std::function<bool(const TrialResult&)>& belongs) {
  ScoreGroup group{name, 0, 0, 0};
  for (const TrialResult* result : results) {
    if (!belongs(*result)) continue;
    ++group.num_captions;
    group.mean_score += result->score;
    group.rewritten += result->rewrites ? 1 : 0;
  }
  const auto count = static_cast<double>(std::max<std::int64_t>(1, group.num_captions));
  group.mean_score /= count;
  group.rewritten /= count;
  return group;
}

/// Groups between limits: [0, a), [a, b), ..., the last one open.
template <std::size_t N>
std::vector<ScoreGroup> groups_between(
    const Results& results, const std::array<std::pair<std::int64_t, const char*>, N>& names,
    const std::function<std::int64_t(const TrialResult&)>& measure) {
  std::vector<ScoreGroup> groups;
  std::int64_t low = 0;
  for (const auto& [high, name] : names) {
    groups.push_back(group_of(name, results, [&, from = low, to = high](const TrialResult& result) {
      const std::int64_t value = measure(result);
      return value >= from && value < to;
    }));
    low = high;
  }
  return groups;
}

std::vector<ScoreGroup> groups_of_languages(const Results& results) {
  constexpr std::size_t kMostNamed = 8;
  constexpr std::int64_t kFewest = 5;
  std::map<const TrialResult*, std::string> language_of;
  std::map<std::string, std::int64_t> counts;
  for (const TrialResult* result : results) {
    ++counts[language_of[result] = likely_language(result->caption)];
  }
  std::vector<std::pair<std::string, std::int64_t>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<ScoreGroup> groups;
  std::set<std::string> named;
  for (const auto& one : order) {
    if (one.second < kFewest || groups.size() == kMostNamed) break;
    named.insert(one.first);
    groups.push_back(group_of(one.first, results, [&](const TrialResult& result) {
      return language_of.at(&result) == one.first;
    }));
  }
  groups.push_back(group_of("others", results, [&](const TrialResult& result) {
    return !named.contains(language_of.at(&result));
  }));
  return groups;
}

constexpr std::int64_t kNoLimit = std::int64_t{1} << 60;

nlohmann::ordered_json to_json(const std::vector<ScoreGroup>& groups) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ScoreGroup& group : groups) {
    list.push_back({{"name", group.name},
                    {"captions", group.num_captions},
                    {"mean_score", group.mean_score},
                    {"rewritten", group.rewritten}});
  }
  return list;
}

std::string render(const char* title, const std::vector<ScoreGroup>& groups) {
  std::string text = formatted("%s\n", title);
  for (const ScoreGroup& group : groups) {
    if (group.num_captions == 0) continue;
    text +=
        formatted("  %-24s %8ld captions   mean score %.2f   %5.1f %% rewritten\n",
                  group.name.c_str(), group.num_captions, group.mean_score, 100 * group.rewritten);
  }
  return text;
}

/// As people type it: rounded up, so that the pair it comes from is below it.
double threshold_to_type(double threshold) {
  constexpr double kSteps = 1e4;
  return std::ceil(threshold * kSteps) / kSteps;
}

std::string names_of(const std::vector<Flaw>& flaws) {
  std::string names;
  for (const Flaw flaw : flaws) {
    names += (names.empty() ? "" : ", ") + std::string(flaw_name(flaw));
    if (flaw == Flaw::WrongLanguage) names += " (needs `translations` in a pair's json)";
  }
  return names;
}

}  // namespace

Audit audit(const TrialRun& run, double wanted_rewrites, const TrialOptions& options) {
  Audit report;
  report.detection = summarise(run.results, "", options.seed);
  report.wanted_rewrites = wanted_rewrites;
  report.skipped = run.skipped;
  Results own;
  std::string why;
  for (const TrialResult& result : run.results) {
    const bool is_own = result.kind == kGoodTrial || result.kind == kShippedTrial;
    if (is_own && result.is_answered()) own.push_back(&result);
    if (is_own && !result.is_answered() && why.empty()) why = result.key + ": " + result.failure;
  }
  if (own.empty()) {
    throw Error(ErrorCategory::NoInput,
                "no caption of the input could be judged" + (why.empty() ? why : ", e.g. " + why) +
                    (run.skipped.empty() ? "" : "\n") + run.skipped.render("left out: "));
  }
  for (std::size_t i = 0; i < kNumFlaws; ++i) {
    const auto flaw = static_cast<Flaw>(i);
    const bool was_tried = report.detection.by_kind.contains(std::string(flaw_name(flaw)));
    if (options.flaws.weight(flaw) > 0 && !was_tried) report.not_tried.push_back(flaw);
  }
  report.by_words = groups_between(
      own,
      std::to_array<std::pair<std::int64_t, const char*>>({{3, "up to 2 words"},
                                                           {6, "3 to 5 words"},
                                                           {11, "6 to 10 words"},
                                                           {21, "11 to 20 words"},
                                                           {kNoLimit, "more than 20 words"}}),
      [](const TrialResult& result) { return count_words(result.caption); });
  report.by_script = {
      group_of("mostly ASCII", own, [](const auto& r) { return is_mostly_ascii(r.caption); }),
      group_of("other scripts", own, [](const auto& r) { return !is_mostly_ascii(r.caption); })};
  report.by_image_side = groups_between(
      own,
      std::to_array<std::pair<std::int64_t, const char*>>({{128, "below 128 px"},
                                                           {256, "128 to 255 px"},
                                                           {512, "256 to 511 px"},
                                                           {kNoLimit, "512 px and more"}}),
      [](const TrialResult& result) {
        return std::min(result.image_width_px, result.image_height_px);
      });
  report.by_language = groups_of_languages(own);
  std::vector<double> scores;
  for (const TrialResult* result : own) scores.push_back(result->score);
  std::sort(scores.begin(), scores.end());
  const auto place = static_cast<std::size_t>(wanted_rewrites * static_cast<double>(scores.size()));
  report.threshold = scores[std::min(place, scores.size() - 1)];
  const double typed = threshold_to_type(report.threshold);
  const auto below =
      std::count_if(scores.begin(), scores.end(), [typed](double score) { return score < typed; });
  report.rewritten_below_threshold =
      static_cast<double>(below) / static_cast<double>(scores.size());
  return report;
}

std::string audit_to_json(const Audit& audit) {
  nlohmann::ordered_json not_tried = nlohmann::ordered_json::array();
  for (const Flaw flaw : audit.not_tried) not_tried.push_back(flaw_name(flaw));
  const nlohmann::ordered_json json = {
      {"schema", "aitqe.audit/1"},
      {"detection",
       nlohmann::ordered_json::parse(figures_to_json({{"", audit.detection}}, audit.skipped))},
      {"not_tried", not_tried},
      {"by_words", to_json(audit.by_words)},
      {"by_script", to_json(audit.by_script)},
      {"by_language", to_json(audit.by_language)},
      {"by_image_side", to_json(audit.by_image_side)},
      {"wanted_rewrites", audit.wanted_rewrites},
      {"threshold", audit.threshold},
      {"rewritten_below_threshold", audit.rewritten_below_threshold},
      {"skipped", audit.skipped.counts()}};
  return json.dump(2);
}

std::string render_audit(const Audit& audit) {
  return "How well this model sees what is wrong, on captions of yours that were spoiled on "
         "purpose\n" +
         render_figures({{"", audit.detection}}) +
         (audit.not_tried.empty()
              ? ""
              : "  not tried, since no caption can have it: " + names_of(audit.not_tried) + "\n") +
         render("What it makes of your own captions, by length", audit.by_words) +
         render("... by script", audit.by_script) +
         render("... by language, as CLD2 guesses it", audit.by_language) +
         render("... by the shorter side of the image", audit.by_image_side) +
         audit.skipped.render("left out: ") +
         formatted("To rewrite about %.1f %% of them: --rewrite-when 'score<%.4f' (%.1f %% here)\n",
                   100 * audit.wanted_rewrites, threshold_to_type(audit.threshold),
                   100 * audit.rewritten_below_threshold);
}

}  // namespace aitqe
