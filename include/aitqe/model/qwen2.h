#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "aitqe/model/config.h"
#include "aitqe/model/tensor_table.h"
#include "aitqe/nn/attention.h"
#include "aitqe/nn/compute.h"
#include "aitqe/nn/linear.h"
#include "aitqe/nn/norm.h"
#include "aitqe/nn/packed_index.h"
#include "aitqe/nn/rope.h"

namespace aitqe {

/// Keys and values of one sequence in every layer.
using SequenceKv = std::vector<nn::KvView>;

/// Consecutive rows of a packed batch that belong to one sequence.
struct SequenceRows {
  nn::AttentionRows rows;
  const SequenceKv* kv = nullptr;  ///< room for first_position + num_rows tokens
  std::int64_t num_wanted = 0;     ///< how many of the last rows' results are wanted
};

/// Qwen2: the language model. Tensors `model.model.*` and `model.lm_head.weight` (or the
/// embeddings, where tied). Source: transformers' Qwen2ForCausalLM, eager; checked by parity with
/// its answers. Immutable; one thread at a time per Compute.
class Qwen2 {
 public:
  Qwen2(const TextConfig& config, TensorTable& tensors, std::shared_ptr<const nn::Compute> compute);
  ~Qwen2();

  const kernels::AttentionShape& attention_shape() const { return shape_; }
  std::int64_t num_layers() const;
  /// Positions a sequence can have.
  std::int64_t max_positions() const { return rope_.max_positions(); }

  /// Writes the embeddings of `ids` into consecutive rows of `to`, from `first_row` on.
  /// @param ids  each in [0, vocab_size)   @param to  [R, hidden]
  void embed(std::span<const std::int32_t> ids, at::Tensor& to, std::int64_t first_row) const;

  /// Runs all layers over packed rows, any mix of whole prompts and single tokens.
  /// The last layer is spared the rows whose results nobody wants.
  /// @param hidden  [R, hidden] embeddings; changed
  /// @return        [wanted rows of all sequences, hidden] before the final norm
  at::Tensor forward(at::Tensor hidden, std::span<const SequenceRows> sequences) const;

  /// Backend::Fused: the same over a pool, with the index made by the caller and all rows wanted.
  at::Tensor forward_packed(at::Tensor hidden, const nn::PackedIndex& index,
                            const SequenceKv& pool) const;

  /// @param hidden  rows of what `forward` returned, [n, hidden]
  /// @return        [n, vocab] f32 on the CPU
  at::Tensor logits(const at::Tensor& hidden) const;
  /// The same where the model is, in the activation dtype.
  at::Tensor logits_on_device(const at::Tensor& hidden) const;

 private:
  class Layer;
  struct Pass;
  /// Fills in the views that a layer reads and writes.
  using KvOfLayer = std::function<void(std::size_t layer, std::vector<nn::KvView>& kv)>;

  Pass plan_pass(std::span<const SequenceRows> sequences) const;
  at::Tensor run_layers(at::Tensor hidden, const Pass& pass, const KvOfLayer& kv_of) const;

  TextConfig config_;
  std::shared_ptr<const nn::Compute> compute_;
  kernels::AttentionShape shape_;
  nn::Weight embeddings_;            // Kernels: rows are read where they lie
  at::Tensor embeddings_on_device_;  // Aten
  nn::Rope rope_;
  std::vector<std::unique_ptr<Layer>> layers_;
  nn::RmsNorm norm_;
  nn::Linear head_;
};

}  // namespace aitqe
