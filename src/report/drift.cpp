#include "aitqe/report/drift.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "aitqe/base/ascii.h"
#include "aitqe/base/random.h"
#include "aitqe/quality/rewrite_guard.h"

namespace aitqe {
namespace {

constexpr std::size_t kPlaces = std::size_t{1} << 20;
constexpr std::size_t kMostCaptionsSeen = std::size_t{1} << 17;
constexpr std::uint64_t kWordSeed = 1;
constexpr std::uint64_t kCaptionSeed = 2;

double ratio(std::int64_t sum, std::int64_t count) {
  return count == 0 ? 0.0 : static_cast<double>(sum) / static_cast<double>(count);
}

bool ends_in_zeros(std::uint64_t hash, int bits) {
  return (hash & ((std::uint64_t{1} << bits) - 1)) == 0;
}

std::size_t place_of(std::string_view word) { return hash_text(word, kWordSeed) % kPlaces; }

/// How many different things fell into the places, when so many stayed empty (linear counting).
std::int64_t estimate_different(std::int64_t empty_places) {
  const auto places = static_cast<double>(kPlaces);
  const auto empty = static_cast<double>(std::max<std::int64_t>(1, empty_places));
  return std::llround(-places * std::log(empty / places));
}

std::uint64_t sum_of(const std::vector<std::uint64_t>& counts) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counts) sum += count;
  return sum;
}

}  // namespace

CaptionStatistics::CaptionStatistics()
    : word_counts_(kPlaces), pair_counts_(kPlaces), facts_(kPlaces), bare_words_(kPlaces) {}

void CaptionStatistics::add(std::string_view caption) {
  ++captions_;
  characters_ += std::count_if(caption.begin(), caption.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
  const std::uint64_t whole = hash_text(caption, kCaptionSeed);
  if (ends_in_zeros(whole, hash_zero_bits_)) {
    ++captions_seen_[whole];
    shrink_captions_seen();
  }
  const std::string text = ascii::lower(caption);
  std::string_view rest = ascii::trim(text);
  std::uint64_t before = 0;
  for (bool is_first = true; !rest.empty(); is_first = false) {
    const std::size_t end = std::min(rest.find_first_of(ascii::kSpace), rest.size());
    const std::uint64_t word = hash_text(rest.substr(0, end), kWordSeed);
    rest = ascii::trim(rest.substr(end));
    ++words_;
    ++word_counts_[word % kPlaces];
    if (!is_first) ++pair_counts_[mix_bits(before + 3 * word) % kPlaces];
    before = word;
  }
  for (const std::string& fact : find_facts(caption)) facts_[place_of(fact_key(fact))] = true;
  for (const std::string& word : fact_words(caption)) bare_words_[place_of(word)] = true;
}

void CaptionStatistics::merge(const CaptionStatistics& other) {
  captions_ += other.captions_;
  words_ += other.words_;
  characters_ += other.characters_;
  for (std::size_t i = 0; i < kPlaces; ++i) {
    word_counts_[i] += other.word_counts_[i];
    pair_counts_[i] += other.pair_counts_[i];
    facts_[i] = facts_[i] || other.facts_[i];
    bare_words_[i] = bare_words_[i] || other.bare_words_[i];
  }
  hash_zero_bits_ = std::max(hash_zero_bits_, other.hash_zero_bits_);
  for (const auto& [hash, count] : other.captions_seen_) captions_seen_[hash] += count;
  std::erase_if(captions_seen_,
                [this](const auto& entry) { return !ends_in_zeros(entry.first, hash_zero_bits_); });
  shrink_captions_seen();
}

void CaptionStatistics::shrink_captions_seen() {
  while (captions_seen_.size() > kMostCaptionsSeen) {
    ++hash_zero_bits_;
    std::erase_if(captions_seen_, [this](const auto& entry) {
      return !ends_in_zeros(entry.first, hash_zero_bits_);
    });
  }
}

double CaptionStatistics::mean_words() const { return ratio(words_, captions_); }
double CaptionStatistics::mean_characters() const { return ratio(characters_, captions_); }

std::int64_t CaptionStatistics::vocabulary() const {
  return estimate_different(std::count(word_counts_.begin(), word_counts_.end(), std::uint64_t{0}));
}

std::int64_t CaptionStatistics::facts() const {
  return estimate_different(std::count(facts_.begin(), facts_.end(), false));
}

double CaptionStatistics::entropy_bits(const Counts& counts) {
  const auto total = static_cast<double>(sum_of(counts));
  double bits = 0;
  for (const std::uint64_t count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / total;
    bits -= share * std::log2(share);
  }
  return bits;
}

double CaptionStatistics::word_entropy_bits() const { return entropy_bits(word_counts_); }
double CaptionStatistics::word_pair_entropy_bits() const { return entropy_bits(pair_counts_); }

double CaptionStatistics::repeated_share() const {
  std::uint64_t all = 0;
  std::uint64_t repeated = 0;
  for (const auto& [hash, count] : captions_seen_) {
    all += count;
    if (count > 1) repeated += count;
  }
  return all == 0 ? 0.0 : static_cast<double>(repeated) / static_cast<double>(all);
}

double CaptionStatistics::word_divergence_bits(const CaptionStatistics& a,
                                               const CaptionStatistics& b) {
  if (a.words_ == 0 || b.words_ == 0) return 0.0;
  const auto total_a = static_cast<double>(a.words_);
  const auto total_b = static_cast<double>(b.words_);
  double bits = 0;
  for (std::size_t i = 0; i < kPlaces; ++i) {
    const double share_a = static_cast<double>(a.word_counts_[i]) / total_a;
    const double share_b = static_cast<double>(b.word_counts_[i]) / total_b;
    const double middle = (share_a + share_b) / 2;
    if (share_a > 0) bits += share_a * std::log2(share_a / middle) / 2;
    if (share_b > 0) bits += share_b * std::log2(share_b / middle) / 2;
  }
  return std::clamp(bits, 0.0, 1.0);
}

double CaptionStatistics::lost_words_share(const CaptionStatistics& before,
                                           const CaptionStatistics& after,
                                           std::uint64_t most_often) {
  std::int64_t all = 0;
  std::int64_t lost = 0;
  for (std::size_t i = 0; i < kPlaces; ++i) {
    if (before.word_counts_[i] == 0 || before.word_counts_[i] > most_often) continue;
    ++all;
    if (after.word_counts_[i] == 0) ++lost;
  }
  return ratio(lost, all);
}

double CaptionStatistics::lost_facts_share(const CaptionStatistics& before,
                                           const CaptionStatistics& after) {
  std::int64_t all = 0;
  std::int64_t lost = 0;
  for (std::size_t i = 0; i < kPlaces; ++i) {
    if (!before.facts_[i]) continue;
    ++all;
    if (!after.bare_words_[i]) ++lost;
  }
  return ratio(lost, all);
}

}  // namespace aitqe
