#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <string>

namespace aitqe {

struct AdamwOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.0;  ///< decoupled; of matrices only
};

/// AdamW (arXiv 1711.05101): ATen's fused one, as torch.optim.AdamW(fused=True), in f32; its whole
/// state can be saved and put back.
class Adamw {
 public:
  explicit Adamw(AdamwOptions options) : options_(options) {}

  /// One step over all masters that have a gradient; the gradients are cleared.
  /// @param rates  learning rate of each master, by name
  void step(const std::map<std::string, at::Tensor>& masters,
            const std::map<std::string, double>& rates);

  std::int64_t num_steps() const { return num_steps_; }
  /// `m.NAME` and `v.NAME`.
  std::map<std::string, at::Tensor> state() const;
  void restore(std::int64_t num_steps, const std::map<std::string, at::Tensor>& state);

 private:
  struct Moments {
    at::Tensor m;
    at::Tensor v;
  };
  AdamwOptions options_;
  std::int64_t num_steps_ = 0;
  std::map<std::string, Moments> moments_;
};

/// Linear warm-up from 0 to 1 over `warmup_steps`, then a cosine down to `final_rate` at the last
/// step. @param step  from 0
double schedule(std::int64_t step, std::int64_t num_steps, std::int64_t warmup_steps,
                double final_rate);

/// Scales all gradients so that their common norm is at most `most`; 0 leaves them alone.
/// @return the norm before.
double clip_gradients(const std::map<std::string, at::Tensor>& masters, double most);

}  // namespace aitqe
