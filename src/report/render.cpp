#include <algorithm>
#include <cmath>
#include <vector>

#include "aitqe/report/summary.h"
#include "cells.h"

namespace aitqe {
namespace {

constexpr std::size_t kCountWidth = 15;
constexpr std::size_t kNameWidth = 40;
constexpr std::size_t kBarWidth = 40;
constexpr std::size_t kMostFailures = 3;
constexpr std::size_t kMostDamage = 2;

std::string count_line(const std::string& label, std::int64_t count, std::int64_t whole) {
  constexpr std::size_t kLabelWidth = 12;
  return label + std::string(kLabelWidth - std::min(kLabelWidth, label.size()), ' ') +
         right(grouped(count), kCountWidth) + share(count, whole) + "\n";
}

std::string render_scores(const Summary& summary) {
  if (summary.scored == 0) return "";
  std::string text = count_line("scored", summary.scored, summary.read);
  text.insert(text.size() - 1, "   mean " + fixed(summary.mean_score(), 2));
  const auto& bins = summary.score_histogram;
  const std::int64_t largest = *std::max_element(bins.begin(), bins.end());
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const double fraction = largest == 0 ? 0.0 : static_cast<double>(bins[i]) / largest;
    const auto length = static_cast<std::size_t>(std::ceil(fraction * kBarWidth));
    std::string line = count_line("  " + right(std::to_string(i + 1), 2), bins[i], summary.scored);
    line.insert(line.size() - 1, "  " + std::string(length, '#'));
    while (line[line.size() - 2] == ' ') line.erase(line.size() - 2, 1);
    text += line;
  }
  return text;
}

std::string render_captions(const Summary& summary) {
  std::string text;
  if (summary.rewritten > 0) {
    const auto count = static_cast<double>(summary.rewritten);
    text += "words per rewritten caption: " +
            fixed(static_cast<double>(summary.words_before) / count, 1) + " before, " +
            fixed(static_cast<double>(summary.words_after) / count, 1) + " after\n";
  }
  if (summary.captions_missing + summary.captions_with_special_tokens + summary.captions_suspect >
      0) {
    text += "captions: " + grouped(summary.captions_missing) + " missing, " +
            grouped(summary.captions_with_special_tokens) + " with special tokens, " +
            grouped(summary.captions_suspect) + " suspect of injection\n";
  }
  return text;
}

std::string render_failures(const Summary& summary) {
  if (summary.failures.empty()) return "";
  std::vector<std::pair<std::string, std::int64_t>> failures(summary.failures.begin(),
                                                             summary.failures.end());
  std::stable_sort(failures.begin(), failures.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  const std::size_t shown = std::min(failures.size(), kMostFailures);
  std::string text =
      "failures, " + std::to_string(shown) + " of " + std::to_string(failures.size()) + " kinds:\n";
  for (std::size_t i = 0; i < shown; ++i) {
    text += "  " + name_cell(failures[i].first, kNameWidth) +
            right(grouped(failures[i].second), kCountWidth) + "\n";
  }
  return text;
}

std::string render_damage(const Summary& summary) {
  if (summary.damage.empty()) return "";
  std::int64_t bytes = 0;
  std::int64_t pairs = 0;
  bool is_known = true;
  for (const ShardDamage& damage : summary.damage) {
    bytes += damage.bytes;
    pairs += std::max<std::int64_t>(0, damage.pairs_lost);
    is_known = is_known && damage.pairs_lost != kPairsUnknown;
  }
  std::string text = "damaged input: " + grouped(static_cast<std::int64_t>(summary.damage.size())) +
                     (summary.damage.size() == 1 ? " place, " : " places, ") + grouped(bytes) +
                     " bytes, " + (is_known ? "" : "at least ") + grouped(pairs) +
                     (pairs == 1 ? " pair lost\n" : " pairs lost\n");
  for (std::size_t i = 0; i < std::min(summary.damage.size(), kMostDamage); ++i) {
    const ShardDamage& damage = summary.damage[i];
    text += "  " + name_cell(damage.shard + " " + damage.kind, kNameWidth) +
            right(grouped(damage.bytes), kCountWidth) + " bytes" +
            right(damage.pairs_lost == kPairsUnknown ? "unknown" : grouped(damage.pairs_lost), 9) +
            " pairs\n";
  }
  return text;
}

}  // namespace

std::string render_text(const Summary& summary) {
  return count_line("pairs", summary.read, 0) + count_line("  kept", summary.kept, summary.read) +
         count_line("  rewritten", summary.rewritten, summary.read) +
         count_line("  failed", summary.failed, summary.read) + render_scores(summary) +
         render_captions(summary) + render_failures(summary) + render_damage(summary);
}

}  // namespace aitqe
