#include "aitqe/report/gallery.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <unordered_map>

#include "aitqe/base/error.h"
#include "aitqe/base/random.h"
#include "aitqe/image/thumbnail.h"
#include "aitqe/report/summary.h"
#include "aitqe/text/unicode.h"

namespace aitqe {
namespace {

constexpr double kBandsPerPoint = 4;

std::string reason_group(const ReportRow& row) {
  const bool has_failed = row.decision == Decision::Failed;
  return "why " + std::string(decision_name(row.decision)) + " " +
         (has_failed ? failure_kind(row.failure) : row.reason);
}

std::string decision_group(const ReportRow& row) {
  return "decision " + std::string(decision_name(row.decision));
}

void cut(std::string& text) {
  text = repair_utf8(text);
  if (text.size() <= kLongestGalleryText) return;
  std::size_t end = kLongestGalleryText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text = text.substr(0, end) + "\xE2\x80\xA6";  // an ellipsis
}

ReportRow shortened(const ReportRow& row) {
  ReportRow kept = row;
  kept.answer.clear();
  for (std::string* text : {&kept.key, &kept.caption, &kept.caption_out, &kept.recaption, &kept.url,
                            &kept.uid, &kept.failure.reason}) {
    cut(*text);
  }
  kept.explanations = {};
  return kept;
}

}  // namespace

bool Gallery::wants(const std::string& group, std::size_t most, std::uint64_t order) const {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return most > 0;
  return found->second.size() < most || order < found->second.rbegin()->first;
}

void Gallery::keep(const std::string& group, std::size_t most,
                   const std::shared_ptr<GalleryPair>& pair) {
  Group& kept = groups_[group];
  kept.emplace(pair->order, pair);
  while (kept.size() > most) kept.erase(std::prev(kept.end()));
}

GalleryPair* Gallery::add(const ReportRow& row) {
  const std::uint64_t order = mix_bits(hash_text(row.shard, mix_bits(options_.seed)) ^
                                       mix_bits(static_cast<std::uint64_t>(row.index)));
  const double score = best_score(row);
  std::vector<std::pair<std::string, std::size_t>> wanting;
  const auto ask = [&](const std::string& group, std::size_t most) {
    if (wants(group, most, order)) wanting.emplace_back(group, most);
  };
  const std::string reason = reason_group(row);
  const bool is_known = groups_.contains(reason) || groups_.size() < options_.most_kinds;
  if (is_known) ask(reason, options_.per_reason);
  ask(decision_group(row), options_.per_decision);
  if (score >= 0.0) {
    ask("score " + std::to_string(std::lround(std::floor(score * kBandsPerPoint))),
        options_.per_score_band);
  }
  if (wanting.empty()) return nullptr;
  const auto pair = std::make_shared<GalleryPair>();
  pair->row = shortened(row);
  pair->score = score;
  pair->order = order;
  for (const auto& [group, most] : wanting) keep(group, most, pair);
  return pair.use_count() > 1 ? pair.get() : nullptr;  // it was there before
}

void add_thumbnail(const Sample& sample, GalleryPair& pair) {
  const Member* image = find_image(sample);
  if (image == nullptr) return;
  try {
    pair.thumbnail_jpeg = make_thumbnail(image->bytes);
  } catch (const SampleError&) {
    // The row says what is wrong with the image; the page shows none.
  }
}

std::map<std::int64_t, GalleryPair*> Gallery::pairs_of(const std::string& shard) const {
  std::map<std::int64_t, GalleryPair*> found;
  for (const auto& [name, group] : groups_) {
    for (const auto& [order, pair] : group) {
      if (pair->row.shard == shard) found[pair->row.index] = pair.get();
    }
  }
  return found;
}

std::vector<const GalleryPair*> Gallery::pairs() const {
  struct Ranked {
    std::size_t rank;
    const GalleryPair* pair;
  };
  std::map<std::uint64_t, const GalleryPair*> by_order;
  for (const auto& [name, group] : groups_) {
    for (const auto& [order, pair] : group) by_order[order] = pair.get();
  }
  std::unordered_map<std::string, std::size_t> of_reason;
  std::vector<Ranked> ranked;
  for (const auto& [order, pair] : by_order) {
    ranked.push_back({of_reason[reason_group(pair->row)]++, pair});
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Ranked& a, const Ranked& b) { return a.rank < b.rank; });
  std::vector<const GalleryPair*> pairs;
  for (const Ranked& entry : ranked) pairs.push_back(entry.pair);
  return pairs;
}

}  // namespace aitqe
