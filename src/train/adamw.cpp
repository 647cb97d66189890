#include "aitqe/train/adamw.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

namespace aitqe {

void Adamw::step(const std::map<std::string, at::Tensor>& masters,
                 const std::map<std::string, double>& rates) {
  const at::NoGradGuard no_grad;
  ++num_steps_;
  // Those that are treated alike in one call each, whatever the number of tensors.
  struct Group {
    std::vector<at::Tensor> values, gradients, m, v, steps;
  };
  std::map<std::pair<double, double>, Group> groups;  // rate, weight decay
  at::Tensor steps;
  for (const auto& [name, master] : masters) {
    if (!master.grad().defined()) continue;
    Moments& moments = moments_[name];
    if (!moments.m.defined()) moments = {at::zeros_like(master), at::zeros_like(master)};
    if (moments.m.device() != master.device()) {
      moments = {moments.m.to(master.device()), moments.v.to(master.device())};
    }
    if (!steps.defined()) {
      steps = at::full({}, static_cast<double>(num_steps_), master.options().requires_grad(false));
    }
    Group& group = groups[{rates.at(name), master.dim() > 1 ? options_.weight_decay : 0.0}];
    group.values.push_back(master);
    group.gradients.push_back(master.grad());
    group.m.push_back(moments.m);
    group.v.push_back(moments.v);
    group.steps.push_back(steps);
  }
  for (auto& [key, group] : groups) {
    at::_fused_adamw_(group.values, group.gradients, group.m, group.v, {}, group.steps, key.first,
                      options_.beta1, options_.beta2, key.second, options_.eps, /*amsgrad=*/false,
                      /*maximize=*/false);
  }
  for (const auto& [name, master] : masters) at::Tensor(master).mutable_grad() = at::Tensor();
}

std::map<std::string, at::Tensor> Adamw::state() const {
  std::map<std::string, at::Tensor> state;
  for (const auto& [name, moments] : moments_) {
    state["m." + name] = moments.m;
    state["v." + name] = moments.v;
  }
  return state;
}

void Adamw::restore(std::int64_t num_steps, const std::map<std::string, at::Tensor>& state) {
  num_steps_ = num_steps;
  moments_.clear();
  for (const auto& [key, value] : state) {
    Moments& moments = moments_[key.substr(2)];
    (key.starts_with("m.") ? moments.m : moments.v) = value.clone();
  }
}

double schedule(std::int64_t step, std::int64_t num_steps, std::int64_t warmup_steps,
                double final_rate) {
  if (step < warmup_steps) {
    return static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  }
  const auto rest = static_cast<double>(std::max<std::int64_t>(1, num_steps - warmup_steps));
  const double done = std::min(1.0, static_cast<double>(step - warmup_steps) / rest);
  return final_rate + (1.0 - final_rate) * 0.5 * (1.0 + std::cos(std::numbers::pi * done));
}

double clip_gradients(const std::map<std::string, at::Tensor>& masters, double most) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const auto& [name, master] : masters) {
    if (master.grad().defined()) gradients.push_back(master.grad());
  }
  if (gradients.empty()) return 0;
  const double norm = at::stack(at::_foreach_norm(gradients)).norm().item<double>();
  if (most > 0 && norm > most) at::_foreach_mul_(gradients, most / norm);
  return norm;
}

}  // namespace aitqe
