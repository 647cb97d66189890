#include "aitqe/engine/device_logits.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "aitqe/nn/compute.h"

namespace aitqe {

DeviceLogits::DeviceLogits(at::Tensor logits)
    : logits_(std::move(logits)), fetched_(static_cast<std::size_t>(logits_.size(0))) {
  const auto [values, ids] = logits_.max(1);  // a NaN beats every number
  const at::Tensor usable =
      at::logical_not(at::isnan(values)) & (values != -std::numeric_limits<float>::infinity());
  const at::Tensor total = logits_.to(at::kFloat).logsumexp(1);
  digest_ = at::stack({ids.to(at::kDouble), usable.to(at::kDouble), total.to(at::kDouble)}).cpu();
}

std::int32_t DeviceLogits::largest(std::int64_t row) const {
  return static_cast<std::int32_t>(digest_.const_data_ptr<double>()[row]);
}

bool DeviceLogits::is_usable(std::int64_t row) const {
  return digest_.const_data_ptr<double>()[logits_.size(0) + row] != 0;
}

std::vector<double> DeviceLogits::probabilities(std::int64_t row,
                                                std::span<const std::int32_t> ids) const {
  const at::Tensor wanted = at::tensor(at::ArrayRef<std::int32_t>(ids.data(), ids.size()));
  const at::Tensor values =
      logits_[row]
          .index_select(0, nn::to_device(wanted.clamp_min(0), logits_.device()))
          .to(at::kCPU, at::kDouble);
  const double total = digest_.const_data_ptr<double>()[2 * logits_.size(0) + row];
  std::vector<double> probabilities;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    probabilities.push_back(ids[i] < 0 ? 0.0
                                       : std::exp(values.const_data_ptr<double>()[i] - total));
  }
  return probabilities;
}

TopLogits DeviceLogits::top(std::int64_t row, std::size_t count) const {
  const auto most = std::min<std::int64_t>(static_cast<std::int64_t>(count), logits_.size(1));
  const auto [there, where] = logits_[row].topk(most);
  const at::Tensor values = there.to(at::kCPU, at::kFloat);
  const at::Tensor ids = where.to(at::kCPU, at::kInt);
  const auto* first_value = values.const_data_ptr<float>();
  const auto* first_id = ids.const_data_ptr<std::int32_t>();
  return {{first_id, first_id + most}, {first_value, first_value + most}};
}

const float* DeviceLogits::fetch(std::int64_t row) const {
  at::Tensor& there = fetched_[static_cast<std::size_t>(row)];
  if (!there.defined()) there = logits_[row].to(at::kFloat).cpu();
  return there.const_data_ptr<float>();
}

}  // namespace aitqe
