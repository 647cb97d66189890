#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace aitqe {

/// The id of the largest logit; of equal ones the lowest id, as torch.argmax. @pre not empty, no
/// NaN
std::int32_t argmax(std::span<const float> logits);

/// log(sum(exp(logits))), in double precision and one fixed order.
double log_sum_exp(std::span<const float> logits);

/// softmax(logits)[id].
double probability(std::span<const float> logits, std::int32_t id);

struct TopLogits {
  std::vector<std::int32_t> ids;
  std::vector<float> values;
};
/// The `count` largest, largest first; of equal ones the lower id first.
TopLogits top_logits(std::span<const float> logits, std::size_t count);

/// False when any logit is NaN or all are -inf.
bool are_usable(std::span<const float> logits);

}  // namespace aitqe
