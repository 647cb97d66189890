#include "report_text.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "cells.h"
#include "report_json.h"

namespace aitqe {
namespace {

constexpr std::size_t kMostFailures = 3;
constexpr std::size_t kMostProblems = 3;
constexpr std::size_t kMostShards = 3;
constexpr std::size_t kLineWidth = 80;
constexpr std::size_t kSourceWidth = 20;
constexpr std::size_t kLanguageWidth = 8;

constexpr std::array<const char*, 9> kBlocks = {" ",
                                                "\xE2\x96\x81",
                                                "\xE2\x96\x82",
                                                "\xE2\x96\x83",
                                                "\xE2\x96\x84",
                                                "\xE2\x96\x85",
                                                "\xE2\x96\x86",
                                                "\xE2\x96\x87",
                                                "\xE2\x96\x88"};
constexpr std::array<const char*, 9> kAscii = {" ", ".", ":", "-", "=", "+", "*", "#", "@"};

/// A bar for each bin; one that is not empty shows.
template <typename Bins>
std::string sparkline(const Bins& bins, const TerminalStyle& style) {
  const auto& levels = style.blocks ? kBlocks : kAscii;
  const auto largest = static_cast<double>(*std::max_element(bins.begin(), bins.end()));
  std::string text;
  for (const std::int64_t bin : bins) {
    const double height = largest == 0 ? 0 : 8 * static_cast<double>(bin) / largest;
    text += levels.at(static_cast<std::size_t>(std::ceil(height)));
  }
  return text;
}

std::string colored(const std::string& text, const char* code, const TerminalStyle& style) {
  return style.color ? std::string("\x1B[") + code + "m" + text + "\x1B[0m" : text;
}

std::string plural(std::int64_t count, const std::string& noun) {
  return grouped(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string headline(const RunReport& report, const TerminalStyle& style) {
  const std::string verdict = verdict_name(report);
  const char* code = verdict == "complete" ? "1;32" : verdict == "incomplete" ? "1;33" : "1;31";
  std::string text = colored(verdict, code, style) + ": " + grouped(report.shards_done) + " of " +
                     plural(report.shards_expected, "shard") + ", " +
                     plural(report.summary.read, "pair");
  if (report.problems.empty()) text += "; files, rows and keys agree";
  return text + "\n";
}

std::string funnel(const Summary& summary) {
  const auto line = [&](const std::string& name, std::int64_t count) {
    return label(name) + right(grouped(count), 13) + share(count, summary.read);
  };
  std::string text = label("read") + right(grouped(summary.read), 13) + "\n";
  text += line("  kept", summary.kept);
  if (const std::int64_t refused = summary.refused(); refused > 0) {
    text += "   of these " + grouped(refused) + " whose rewrite was refused";
  }
  text += "\n" + line("  rewritten", summary.rewritten);
  if (summary.rewritten > 0) {
    const auto count = static_cast<double>(summary.rewritten);
    text += "   words a caption: " + fixed(static_cast<double>(summary.words_before) / count, 1) +
            " before, " + fixed(static_cast<double>(summary.words_after) / count, 1) + " after";
  }
  text += "\n" + line("  failed", summary.failed) + "\n";
  if (summary.captions_suspect == 0) return text;
  return text + line("suspect", summary.captions_suspect) +
         "   captions that may speak to the judge\n";
}

std::string shards(const RunReport& report) {
  if (report.tallies.by_shard.size() < 2) return "";
  std::string text;
  for (const bool is_best : {false, true}) {
    text += label(is_best ? "best shards" : "worst shards");
    for (const NamedTally& shard : extreme_shards(report, is_best, kMostShards)) {
      text += "  " + name_cell(shard.name, 14) + right(fixed(shard.tally.mean_score(), 2), 5);
    }
    text += "\n";
  }
  return text;
}

/// The largest groups, as many as fit with names of that width: percentage of the pairs, mean
/// score.
std::string groups(const std::string& name, const GroupTallies& tallies, std::int64_t read,
                   std::size_t name_width) {
  constexpr std::size_t kNumbersWidth = 14;
  const std::size_t most = (kLineWidth - kLabelWidth) / (name_width + kNumbersWidth);
  std::vector<NamedTally> largest = tallies.largest(most);
  largest.resize(std::min(largest.size(), most));  // without the others
  std::string text;
  for (const auto& [group, tally] : largest) {
    const double percent = 100 * static_cast<double>(tally.read) / static_cast<double>(read);
    text += "  " + name_cell(group, name_width) + right(fixed(percent, 0), 4) + " %" +
            right(tally.scored > 0 ? fixed(tally.mean_score(), 2) : "-", 6);
  }
  return text.empty() ? "" : label(name) + text + "\n";
}

/// Those that the model gave scores for, two on a line.
std::string dimensions(const Tallies& tallies, const TerminalStyle& style) {
  constexpr std::size_t kNameWidth = 23;
  std::string text;
  bool starts_line = true;
  for (std::size_t i = 1; i < kNumScoreFields; ++i) {  // the first one is the overall score
    const Tallies::ScoreBins& bins = tallies.dimensions[i];
    if (std::ranges::all_of(bins, [](std::int64_t pairs) { return pairs == 0; })) continue;
    const std::string name(score_field_name(static_cast<ScoreField>(i)));
    text += starts_line ? (text.empty() ? label("dimensions") : "\n" + label("")) : "  ";
    text += name_cell(name, kNameWidth) + sparkline(bins, style);
    starts_line = !starts_line;
  }
  return text.empty() ? "" : text + "\n";
}

std::string drift(const Tallies& tallies) {
  const CaptionStatistics &before = tallies.before, &after = tallies.after;
  const auto percent = [](double part) { return fixed(100 * part, 1) + " %"; };
  const auto lost_words = [&](std::uint64_t most_often) {
    return percent(CaptionStatistics::lost_words_share(before, after, most_often));
  };
  return label("drift") + fixed(CaptionStatistics::word_divergence_bits(before, after), 3) +
         " bits; lost: words " + lost_words(CaptionStatistics::kAnyWord) + ", rare words " +
         lost_words(CaptionStatistics::kRareWord) + ", facts " +
         percent(CaptionStatistics::lost_facts_share(before, after)) + "\n";
}

std::string damage(const Summary& summary) {
  if (summary.damage.empty()) return "";
  const ShardDamage& first = summary.damage.front();
  return label("damage") + plural(std::ssize(summary.damage), "place") +
         " in the input, the first: " + name_cell(first.shard + " " + first.kind, 28) + "\n";
}

std::string problems(const RunReport& report, const TerminalStyle& style) {
  std::string text;
  for (std::size_t i = 0; i < std::min(report.problems.size(), kMostProblems); ++i) {
    const ShardProblem& problem = report.problems[i];
    std::string line = problem.shard + (problem.shard.empty() ? "" : ": ") + problem.detail;
    line = name_cell(line, std::min(line.size(), kLineWidth - kLabelWidth - 20));
    text += label(i == 0 ? "problems" : "") + colored(name_cell(problem.kind, 20), "33", style) +
            line + "\n";
  }
  if (report.problems.size() <= kMostProblems) return text;
  return text + label("") + "and " +
         grouped(std::ssize(report.problems) - std::int64_t{kMostProblems}) +
         " more (--json lists all)\n";
}

std::string advice(const RunReport& report) {
  const auto outcome = report.outcome();
  if (!outcome) return "";
  if (*outcome == ErrorCategory::Resumable) {
    const std::string& command = report.run.command;
    return label("to go on") +
           (command.empty() ? "run the same command again" : name_cell(command, command.size())) +
           "\n";
  }
  const bool is_wrong = std::any_of(report.problems.begin(), report.problems.end(),
                                    [](const auto& problem) { return !problem.rerun_mends; });
  if (is_wrong) {
    return label("to mend") + "a shard whose .aitqe.stats.json is removed is made again\n";
  }
  if (report.has_too_many_failures()) {
    return label("") + "more failed than --max-failed " + fixed(report.max_failed_percent, 2) +
           "% allows\n";
  }
  const std::string drift = report.drift_beyond();
  return drift.empty() ? "" : label("drift") + drift + "\n";
}

}  // namespace

std::string label(const std::string& text) { return name_cell(text, kLabelWidth); }

std::string histograms(const RunReport& report, const TerminalStyle& style) {
  const Tallies& tallies = report.tallies;
  std::string text;
  if (report.summary.scored > 0) {
    text += label("score") + "1 " + sparkline(report.summary.score_histogram, style) +
            " 10             mean " + fixed(report.summary.mean_score(), 2) + "\n";
  }
  if (tallies.before.captions() == 0) return text;
  text += label("characters") + "0 " + sparkline(tallies.length_before, style) + " 200+ mean " +
          fixed(tallies.before.mean_characters(), 1) + " before\n";
  return text + label("") + "0 " + sparkline(tallies.length_after, style) + " 200+ mean " +
         fixed(tallies.after.mean_characters(), 1) + " after\n";
}

std::string failures(const Summary& summary) {
  std::vector<std::pair<std::string, std::int64_t>> kinds(summary.failures.begin(),
                                                          summary.failures.end());
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (std::size_t i = 0; i < std::min(kinds.size(), kMostFailures); ++i) {
    text += label(i == 0 ? "failures" : "") + right(grouped(kinds[i].second), 13) + "  " +
            name_cell(kinds[i].first, 50) + "\n";
  }
  if (kinds.size() > kMostFailures) {
    text += label("") + right("", 13) + "  and " +
            plural(std::ssize(kinds) - std::int64_t{kMostFailures}, "kind") + " more\n";
  }
  return text;
}

std::string render_report(const RunReport& report, const TerminalStyle& style) {
  const Summary& summary = report.summary;
  const Tallies& tallies = report.tallies;
  std::string text = headline(report, style) + funnel(summary) + histograms(report, style);
  // Problems take the place of the dimensions on the screen.
  if (report.problems.empty()) text += dimensions(tallies, style);
  text += failures(summary) + shards(report);
  if (tallies.by_source.num_names() > 1) {
    text += groups("sources", tallies.by_source, summary.read, kSourceWidth);
  }
  text += groups("languages", tallies.by_language, summary.read, kLanguageWidth);
  if (summary.rewritten > 0) text += drift(tallies);
  return text + damage(summary) + problems(report, style) + advice(report);
}

}  // namespace aitqe
