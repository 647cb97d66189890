#pragma once

#include <ATen/ATen.h>

#include "aitqe/model/config.h"
#include "aitqe/train/parameters.h"
#include "aitqe/train/token_trees.h"

namespace aitqe {

/// The whole model as a function that can be differentiated: the same arithmetic as Mllm, over
/// tensors that may carry gradients. Loss and gradients equal PyTorch's with transformers' modules
/// to 1e-4 in f32 (network_test.cpp). Borrows its parameters; one thread at a time.
class Network {
 public:
  Network(const ModelConfig& config, const Parameters& parameters)
      : config_(config), parameters_(parameters) {}

  /// One feature a place of the picture. @param pixels  [B, 3, S, S] f32
  /// @return  [B, P, vision_dim] f32
  at::Tensor vision(const at::Tensor& pixels) const;
  /// The projector, behind VisionConfig::with_mean.
  /// @param places  as `vision` gives them   @return [B, image tokens, hidden]
  at::Tensor project(const at::Tensor& places) const;
  /// The language model over packed trees.
  /// @param images  [B, P, hidden], one for each tree   @return [R, hidden], normalised
  at::Tensor read(const TokenTrees& trees, const at::Tensor& images) const;
  /// @param hidden  [n, hidden]   @return [n, vocab] f32
  at::Tensor logits(const at::Tensor& hidden) const;

 private:
  const ModelConfig& config_;
  const Parameters& parameters_;
};

}  // namespace aitqe
