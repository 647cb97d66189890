#include "aitqe/engine/logits.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

#include "aitqe/engine/guide.h"

namespace aitqe {

namespace {

/// Several runs side by side, so that they are looked at together. @pre not empty, no NaN
float largest_of(std::span<const float> logits) {
  assert(!logits.empty() && !std::isnan(logits.front()));
  constexpr std::size_t kSideBySide = 64;
  std::array<float, kSideBySide> best;
  best.fill(logits.front());
  std::size_t i = 0;
  for (; i + kSideBySide <= logits.size(); i += kSideBySide) {
    for (std::size_t j = 0; j < kSideBySide; ++j) {
      best[j] = logits[i + j] > best[j] ? logits[i + j] : best[j];
    }
  }
  for (; i < logits.size(); ++i) best[0] = logits[i] > best[0] ? logits[i] : best[0];
  return *std::max_element(best.begin(), best.end());
}

}  // namespace

std::int32_t LogitsRows::largest(std::int64_t index) const {
  return on_device != nullptr ? on_device->largest(first_on_device + index) : argmax(row(index));
}

bool LogitsRows::is_usable(std::int64_t index) const {
  return on_device != nullptr ? on_device->is_usable(first_on_device + index)
                              : are_usable(row(index));
}

std::vector<double> LogitsRows::probabilities(std::int64_t index,
                                              std::span<const std::int32_t> ids) const {
  if (on_device != nullptr) return on_device->probabilities(first_on_device + index, ids);
  const std::span<const float> logits = row(index);
  const double total = log_sum_exp(logits);
  std::vector<double> probabilities;
  for (const std::int32_t id : ids) {
    probabilities.push_back(
        id < 0 ? 0.0 : std::exp(static_cast<double>(logits[static_cast<std::size_t>(id)]) - total));
  }
  return probabilities;
}

TopLogits LogitsRows::top(std::int64_t index, std::size_t count) const {
  return on_device != nullptr ? on_device->top(first_on_device + index, count)
                              : top_logits(row(index), count);
}

std::int32_t argmax(std::span<const float> logits) {
  const float most = largest_of(logits);
  return static_cast<std::int32_t>(std::find(logits.begin(), logits.end(), most) - logits.begin());
}

double log_sum_exp(std::span<const float> logits) {
  const double largest = largest_of(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return largest + std::log(sum);
}

double probability(std::span<const float> logits, std::int32_t id) {
  return std::exp(static_cast<double>(logits[static_cast<std::size_t>(id)]) - log_sum_exp(logits));
}

TopLogits top_logits(std::span<const float> logits, std::size_t count) {
  count = std::min(count, logits.size());
  TopLogits top;
  top.ids.resize(logits.size());
  std::iota(top.ids.begin(), top.ids.end(), 0);
  const auto larger = [&](std::int32_t a, std::int32_t b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  };
  std::partial_sort(top.ids.begin(), top.ids.begin() + static_cast<std::ptrdiff_t>(count),
                    top.ids.end(), larger);
  top.ids.resize(count);
  for (const std::int32_t id : top.ids) top.values.push_back(logits[id]);
  return top;
}

bool are_usable(std::span<const float> logits) {
  // Without a way out of the loop, which can then look at many at once.
  int any_nan = 0;
  int any_finite = 0;
  for (const float logit : logits) {
    any_nan |= static_cast<int>(logit != logit);
    any_finite |= static_cast<int>(std::abs(logit) <= std::numeric_limits<float>::max());
  }
  return any_nan == 0 && any_finite != 0;
}

}  // namespace aitqe
