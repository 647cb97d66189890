#include "aitqe/train/adamw.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace aitqe {

void Adamw::step(const std::map<std::string, at::Tensor>& masters,
                 const std::map<std::string, double>& rates) {
  const at::NoGradGuard no_grad;
  ++num_steps_;
  const auto steps = static_cast<double>(num_steps_);
  const double correction1 = 1.0 - std::pow(options_.beta1, steps);
  const double correction2 = 1.0 - std::pow(options_.beta2, steps);
  for (const auto& [name, shared] : masters) {
    at::Tensor master = shared;
    if (!master.grad().defined()) continue;
    const at::Tensor& gradient = master.grad();
    Moments& moments = moments_[name];
    if (!moments.m.defined()) moments = {at::zeros_like(master), at::zeros_like(master)};
    const double rate = rates.at(name);
    if (options_.weight_decay > 0 && master.dim() > 1) {
      master.mul_(1.0 - rate * options_.weight_decay);
    }
    moments.m.lerp_(gradient, 1.0 - options_.beta1);
    moments.v.mul_(options_.beta2).addcmul_(gradient, gradient, 1.0 - options_.beta2);
    const at::Tensor divisor = (moments.v.sqrt() / std::sqrt(correction2)).add_(options_.eps);
    master.addcdiv_(moments.m, divisor, -rate / correction1);
    master.mutable_grad() = at::Tensor();
  }
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
  double squares = 0;
  for (const auto& [name, master] : masters) {
    if (master.grad().defined()) squares += master.grad().square().sum().item<double>();
  }
  const double norm = std::sqrt(squares);
  if (most > 0 && norm > most) {
    for (const auto& [name, master] : masters) {
      if (master.grad().defined()) master.grad().mul_(most / norm);
    }
  }
  return norm;
}

}  // namespace aitqe
