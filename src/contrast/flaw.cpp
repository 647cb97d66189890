#include "aitqe/contrast/flaw.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "aitqe/base/ascii.h"
#include "aitqe/base/error.h"

namespace aitqe {

namespace {

struct FlawEntry {
  std::string_view name;
  double usual_weight;
};

constexpr std::array<FlawEntry, kNumFlaws> kFlaws = {{
    {"other_image", 8},
    {"near_miss", 4},
    {"wrong_object", 1},
    {"wrong_colour", 1},
    {"wrong_count", 1},
    {"wrong_name", 1},
    {"truncated", 2},
    {"shuffled", 1},
    {"alt_text_junk", 3},
    {"boilerplate", 1},
    {"wrong_language", 1},
}};

const FlawEntry& entry(Flaw flaw) { return kFlaws[static_cast<std::size_t>(flaw)]; }

std::string known_names() {
  std::string names;
  for (const FlawEntry& flaw : kFlaws)
    names += (names.empty() ? "" : ", ") + std::string(flaw.name);
  return names;
}

double parse_weight(std::string_view text, std::string_view whole) {
  double weight = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(weight) &&
      weight >= 0) {
    return weight;
  }
  throw Error(ErrorCategory::Usage,
              "--flaws: \"" + std::string(whole) + "\": expected a weight of at least 0 behind =");
}

}  // namespace

std::string_view flaw_name(Flaw flaw) { return entry(flaw).name; }

Flaw parse_flaw(std::string_view name) {
  for (std::size_t i = 0; i < kNumFlaws; ++i) {
    if (kFlaws[i].name == name) return static_cast<Flaw>(i);
  }
  throw Error(ErrorCategory::Usage, "--flaws: \"" + std::string(name) +
                                        "\" is no flaw; there are " + known_names() +
                                        ", all and none");
}

FlawMix::FlawMix() {
  for (std::size_t i = 0; i < kNumFlaws; ++i) weights_[i] = kFlaws[i].usual_weight;
}

FlawMix FlawMix::parse(std::string_view text) {
  FlawMix mix;
  const std::string_view first = ascii::trim(text.substr(0, text.find(',')));
  if (first != "all" && !first.starts_with('-')) mix.weights_.fill(0);
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view item = ascii::trim(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (item == "all") {
      mix = FlawMix();
    } else if (item == "none") {
      mix.weights_.fill(0);
    } else if (item.starts_with('-')) {
      mix.set(parse_flaw(item.substr(1)), 0);
    } else {
      const std::size_t equals = std::min(item.find('='), item.size());
      const Flaw flaw = parse_flaw(item.substr(0, equals));
      mix.set(flaw, equals == item.size() ? entry(flaw).usual_weight
                                          : parse_weight(item.substr(equals + 1), item));
    }
  }
  if (std::all_of(mix.weights_.begin(), mix.weights_.end(), [](double w) { return w == 0; })) {
    throw Error(ErrorCategory::Usage, "--flaws: no flaw is left");
  }
  return mix;
}

std::string FlawMix::to_string() const {
  std::string text;
  for (std::size_t i = 0; i < kNumFlaws; ++i) {
    if (weights_[i] == 0) continue;
    char number[32];
    const auto [end, error] = std::to_chars(number, number + sizeof number, weights_[i]);
    text +=
        (text.empty() ? "" : ",") + std::string(kFlaws[i].name) + "=" + std::string(number, end);
  }
  return text;
}

std::vector<Flaw> FlawMix::order(Random& random) const {
  // Exponential clocks: the first to ring is each flaw with its share of the weight.
  std::vector<std::pair<double, Flaw>> rings;
  for (std::size_t i = 0; i < kNumFlaws; ++i) {
    const double unit = random.unit();
    if (weights_[i] > 0) rings.emplace_back(-std::log1p(-unit) / weights_[i], static_cast<Flaw>(i));
  }
  std::sort(rings.begin(), rings.end());
  std::vector<Flaw> flaws;
  for (const auto& [time, flaw] : rings) flaws.push_back(flaw);
  return flaws;
}

}  // namespace aitqe
