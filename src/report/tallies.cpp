#include "aitqe/report/tallies.h"

#include <algorithm>
#include <cmath>

#include "aitqe/base/ascii.h"
#include "aitqe/text/language.h"
#include "aitqe/text/script.h"

namespace aitqe {
namespace {

constexpr std::size_t kLongestNameBytes = 100;

std::size_t length_bin(std::string_view caption) {
  const auto characters = std::count_if(caption.begin(), caption.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
  return std::min(static_cast<std::size_t>(characters / kLengthBinCharacters), kNumLengthBins - 1);
}

std::size_t fine_bin(double score) {
  // The half millionth: 1.15 is 23 steps of 0.05, whatever its last bit says.
  const double bin = std::floor((score - 1.0) / kFineScoreBin + 5e-7);
  return static_cast<std::size_t>(std::clamp(bin, 0.0, static_cast<double>(kNumFineScoreBins - 1)));
}

/// Names come from outside: hosts of a gigabyte are not kept.
std::string_view short_name(std::string_view name) { return name.substr(0, kLongestNameBytes); }

}  // namespace

void GroupTally::add(const ReportRow& row) {
  ++read;
  rewritten += row.decision == Decision::Rewrite ? 1 : 0;
  failed += row.decision == Decision::Failed ? 1 : 0;
  const double score = best_score(row);
  if (!(score >= 0.0) || !std::isfinite(score)) return;
  ++scored;
  score_sum_millionths += std::llround(score * kMillionths);
}

void GroupTally::merge(const GroupTally& other) {
  read += other.read;
  rewritten += other.rewritten;
  failed += other.failed;
  scored += other.scored;
  score_sum_millionths += other.score_sum_millionths;
}

double GroupTally::mean_score() const {
  if (scored == 0) return kNoScore;
  return static_cast<double>(score_sum_millionths) / kMillionths / static_cast<double>(scored);
}

void GroupTallies::add(std::string_view name, const ReportRow& row) {
  const auto found = tallies_.find(short_name(name));
  if (found != tallies_.end()) {
    found->second.add(row);
  } else if (tallies_.size() < most_names_) {
    tallies_[std::string(short_name(name))].add(row);
  } else {
    beyond_.add(row);
  }
}

std::vector<NamedTally> GroupTallies::largest(std::size_t most) const {
  std::vector<NamedTally> groups;
  for (const auto& [name, tally] : tallies_) groups.push_back({name, tally});
  std::stable_sort(groups.begin(), groups.end(), [](const NamedTally& a, const NamedTally& b) {
    return a.tally.read > b.tally.read;
  });
  GroupTally others = beyond_;
  const std::size_t num_others = groups.size() - std::min(groups.size(), most);
  for (; groups.size() > most; groups.pop_back()) others.merge(groups.back().tally);
  if (others.read == 0) return groups;
  const bool is_known = beyond_.read == 0;
  groups.push_back(
      {(is_known ? "" : "more than ") + std::to_string(num_others) + " others", others});
  return groups;
}

std::string source_of(std::string_view url) {
  const std::size_t scheme = url.find(':');
  if (scheme == std::string_view::npos) return "";
  if (url.substr(scheme, 3) != "://") return std::string(url.substr(0, scheme));
  std::string_view host = url.substr(scheme + 3);
  host = host.substr(0, host.find_first_of("/?#"));
  if (const std::size_t user = host.rfind('@'); user != std::string_view::npos) {
    host.remove_prefix(user + 1);
  }
  host = host.substr(0, host.find(':'));
  std::string name = ascii::lower(host);
  return name.starts_with("www.") ? name.substr(4) : name;
}

void FilterTally::add(const ReportRow& row, const std::string& source, std::string_view language) {
  const double score = best_score(row);
  if (row.decision == Decision::Failed || !(score >= below)) return;
  ++left;
  if (!source.empty()) by_source.add(source, row);
  if (!row.caption_present) return;
  by_language.add(language, row);
  by_script.add(dominant_script(row.caption), row);
  captions.add(row.caption);
}

void Tallies::add(const ReportRow& row) {
  by_shard[row.shard].add(row);
  const std::string source = source_of(row.url);
  if (!source.empty()) by_source.add(source, row);
  const std::string_view language = row.caption_present ? likely_language(row.caption) : "";
  if (filter) filter->add(row, source, language);
  for (std::size_t i = 0; i < kNumScoreFields; ++i) {
    const double score = row.scores.at(static_cast<ScoreField>(i));
    if (score >= 0.0) ++dimensions[i][score_bin(score)];
  }
  const double score = best_score(row);
  if (row.decision != Decision::Failed && score >= 0.0) ++fine_scores[fine_bin(score)];
  if (!row.caption_present) return;
  by_language.add(language, row);
  by_script.add(dominant_script(row.caption), row);
  ++length_before[length_bin(row.caption)];
  ++length_after[length_bin(row.caption_out)];
  before.add(row.caption);
  after.add(row.caption_out);
  if (row.decision != Decision::Rewrite) return;
  rewritten_before.add(row.caption);
  rewritten_after.add(row.caption_out);
}

}  // namespace aitqe
