#include "aitqe/engine/logits.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "aitqe/engine/guide.h"

namespace aitqe {

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
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

double log_sum_exp(std::span<const float> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
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
  bool any_finite = false;
  for (const float logit : logits) {
    if (std::isnan(logit)) return false;
    any_finite = any_finite || std::isfinite(logit);
  }
  return any_finite;
}

}  // namespace aitqe
