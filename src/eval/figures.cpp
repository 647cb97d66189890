#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "aitqe/base/ascii.h"
#include "aitqe/base/log.h"
#include "aitqe/eval/evaluate.h"

namespace aitqe {

namespace {

/// What a rule without a model says: the longer the better.
double length_score(const std::string& caption) {
  const std::string_view text = ascii::trim(caption);
  return static_cast<double>(std::count(text.begin(), text.end(), ' ') + (text.empty() ? 0 : 1));
}

/// And another: file names, digits and the words of shops and sites are bad.
double junk_score(const std::string& caption) {
  constexpr std::array kWords = std::to_array<std::string_view>(
      {"image", "photo", "untitled", "click",  "buy",        "shipping",  "download", "copyright",
       "logo",  "icon",  "img",      "dsc",    ".jpg",       ".png",      "http",     "www",
       "free",  "share", "theme",    "series", "collection", "converted", "null",     "undefined"});
  const std::string low = ascii::lower(caption);
  double junk = 0;
  for (const std::string_view word : kWords) junk += low.find(word) != std::string::npos ? 1 : 0;
  junk += 0.2 * static_cast<double>(std::count_if(low.begin(), low.end(), ascii::is_digit));
  junk += static_cast<double>(std::count(low.begin(), low.end(), '_'));
  return -junk;
}

/// Every image's results by kind.
using ByImage = std::map<std::string, std::map<std::string, const TrialResult*>>;

using Score = double (*)(const TrialResult&);

/// Scores of the images that have both captions.
std::vector<ScorePair> pairs_of(const ByImage& images, const std::string& good,
                                const std::string& bad, Score score) {
  std::vector<ScorePair> pairs;
  for (const auto& [key, kinds] : images) {
    const auto one = kinds.find(good);
    const auto other = kinds.find(bad);
    if (one == kinds.end() || other == kinds.end()) continue;
    pairs.push_back({score(*one->second), score(*other->second)});
  }
  return pairs;
}

std::vector<double> scores_of(const ByImage& images, const std::string& kind, Score score) {
  std::vector<double> scores;
  for (const auto& [key, kinds] : images) {
    if (kinds.contains(kind)) scores.push_back(score(*kinds.at(kind)));
  }
  return scores;
}

/// Good captions against those of a kind.
Estimate estimate(const ByImage& images, const std::string& kind, Score score, std::uint64_t seed) {
  if (kind != kShippedTrial) return estimate_auroc(pairs_of(images, kGoodTrial, kind, score), seed);
  // An image that came with a generic caption has no good one: good ones of other images.
  return estimate_auroc(scores_of(images, kGoodTrial, score), scores_of(images, kind, score), seed);
}

KindFigures figures_of_kind(const ByImage& images, const std::string& kind, std::uint64_t seed) {
  KindFigures figures;
  figures.by_score = estimate(
      images, kind, [](const TrialResult& r) { return r.score; }, seed);
  figures.by_p_rewrite = estimate(
      images, kind, [](const TrialResult& r) { return -r.p_rewrite; }, seed);
  figures.by_length =
      estimate(
          images, kind, [](const TrialResult& r) { return length_score(r.caption); }, seed)
          .value;
  figures.by_junk_words =
      estimate(
          images, kind, [](const TrialResult& r) { return junk_score(r.caption); }, seed)
          .value;
  std::vector<char> rewritten;
  for (const auto& [key, kinds] : images) {
    const auto found = kinds.find(kind);
    if (found != kinds.end()) rewritten.push_back(found->second->rewrites ? 1 : 0);
  }
  figures.num_images = std::ssize(rewritten);
  figures.rewritten = estimate_share(rewritten, seed);
  return figures;
}

nlohmann::ordered_json to_json(double figure) {
  return std::isnan(figure) ? nlohmann::ordered_json() : nlohmann::ordered_json(figure);
}

nlohmann::ordered_json to_json(const Estimate& estimate) {
  return {{"value", to_json(estimate.value)},
          {"low", to_json(estimate.low)},
          {"high", to_json(estimate.high)}};
}

std::string in_words(double figure) { return std::isnan(figure) ? "-" : formatted("%.3f", figure); }

std::string in_words(const Estimate& estimate) {
  if (std::isnan(estimate.value)) return "-";
  return formatted("%.3f (%.3f to %.3f)", estimate.value, estimate.low, estimate.high);
}

}  // namespace

EvalFigures summarise(const std::vector<TrialResult>& results, const std::string& source,
                      std::uint64_t seed) {
  ByImage images;
  EvalFigures figures;
  std::vector<char> kept;
  std::set<std::string> kinds;
  for (const TrialResult& result : results) {
    if (!source.empty() && result.source != source) continue;
    if (!result.failure.empty()) ++figures.failed;
    if (!result.is_answered()) continue;
    images[result.key][result.kind] = &result;
    if (result.kind == kGoodTrial) {
      kept.push_back(result.failure.empty() && !result.rewrites ? 1 : 0);
    } else if (result.kind != kControlGood && result.kind != kControlBad) {
      kinds.insert(result.kind);
    }
  }
  figures.num_good = std::ssize(kept);
  figures.kept = estimate_share(kept, seed);
  for (const std::string& kind : kinds) {
    figures.by_kind[kind] = figures_of_kind(images, kind, seed);
  }
  figures.control = estimate_auroc(
      pairs_of(images, kControlGood, kControlBad, [](const TrialResult& r) { return r.score; }),
      seed);
  return figures;
}

std::string figures_to_json(const std::map<std::string, EvalFigures>& by_source,
                            const Skipped& skipped) {
  const std::string kAll = "all";
  nlohmann::ordered_json sources = nlohmann::ordered_json::object();
  for (const auto& [source, figures] : by_source) {
    nlohmann::ordered_json kinds = nlohmann::ordered_json::object();
    for (const auto& [kind, one] : figures.by_kind) {
      kinds[kind] = {{"images", one.num_images},
                     {"auroc_by_score", to_json(one.by_score)},
                     {"auroc_by_p_rewrite", to_json(one.by_p_rewrite)},
                     {"rewritten", to_json(one.rewritten)},
                     {"auroc_by_length", to_json(one.by_length)},
                     {"auroc_by_junk_words", to_json(one.by_junk_words)}};
    }
    const std::string name = source.empty() ? kAll : source == kAll ? kAll + " (a source)" : source;
    sources[name] = {{"good", figures.num_good},
                     {"kept", to_json(figures.kept)},
                     {"failed", figures.failed},
                     {"control", to_json(figures.control)},
                     {"kinds", kinds}};
  }
  const nlohmann::ordered_json json = {
      {"schema", "aitqe.eval/1"}, {"sources", sources}, {"skipped", skipped.counts()}};
  return json.dump(2);
}

std::string render_figures(const std::map<std::string, EvalFigures>& by_source) {
  std::string text;
  for (const auto& [source, figures] : by_source) {
    text += formatted("%s: %ld good captions, kept %s; %ld trials failed\n",
                      source.empty() ? "all" : source.c_str(), figures.num_good,
                      in_words(figures.kept).c_str(), figures.failed);
    text += formatted("  %-16s %7s  %-23s %-23s %-23s %6s %6s\n", "bad captions", "images",
                      "AUROC by score", "by p_rewrite", "rewritten", "length", "words");
    for (const auto& [kind, one] : figures.by_kind) {
      text += formatted("  %-16s %7ld  %-23s %-23s %-23s %6s %6s\n", kind.c_str(), one.num_images,
                        in_words(one.by_score).c_str(), in_words(one.by_p_rewrite).c_str(),
                        in_words(one.rewritten).c_str(), in_words(one.by_length).c_str(),
                        in_words(one.by_junk_words).c_str());
    }
    text += formatted("  %-16s %7s  %-23s 0.5 when the image is looked at\n", "other images", "",
                      in_words(figures.control).c_str());
  }
  return text;
}

}  // namespace aitqe
