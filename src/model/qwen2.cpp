#include "aitqe/model/qwen2.h"

#include <algorithm>
#include <cmath>

#include "aitqe/kernels/cpu_dispatch.h"
#include "aitqe/nn/mlp.h"

namespace aitqe {

namespace {

const std::string kQwen2Prefix = "model.model.";
/// Rows of the rotary table: more than any prompt that makes sense here. A checkpoint's
/// `max_position_embeddings` is a record of its training and decides nothing, as in transformers.
constexpr std::int64_t kMostPositions = 16384;

kernels::AttentionShape attention_shape_of(const TextConfig& config) {
  return {static_cast<int>(config.num_heads), static_cast<int>(config.num_kv_heads),
          static_cast<int>(config.head_dim), 1.0F / std::sqrt(static_cast<float>(config.head_dim)),
          /*causal=*/true};
}

nn::Weight take_head(const TextConfig& config, TensorTable& tensors) {
  const std::vector<std::int64_t> shape{config.vocab_size, config.hidden_size};
  const bool tied = config.tie_word_embeddings && !tensors.contains("model.lm_head.weight");
  return tensors.take(tied ? kQwen2Prefix + "embed_tokens.weight" : "model.lm_head.weight", shape);
}

nn::LinearWeights take_biased(TensorTable& tensors, const std::string& name, std::int64_t outputs,
                              std::int64_t inputs) {
  return {tensors.take(name + ".weight", {outputs, inputs}),
          tensors.take(name + ".bias", {outputs})};
}

nn::LinearWeights take_plain(TensorTable& tensors, const std::string& name, std::int64_t outputs,
                             std::int64_t inputs) {
  return {tensors.take(name + ".weight", {outputs, inputs}), std::nullopt};
}

}  // namespace

/// What the layers have in common in one pass.
struct Qwen2::Pass {
  const nn::Rope& rope;
  std::vector<std::int64_t> positions;    ///< of every row
  std::vector<nn::AttentionRows> rows;    ///< of every sequence
  std::vector<nn::AttentionRows> wanted;  ///< the same once only wanted rows are left
  at::Tensor wanted_index;                ///< [wanted rows] int64; undefined: all are
  nn::PackedIndex packed;                 ///< Fused: of `rows`
  nn::PackedIndex packed_wanted;          ///< Fused: of `wanted`
};

Qwen2::Pass Qwen2::plan_pass(std::span<const SequenceRows> sequences) const {
  const nn::Compute& compute = *compute_;
  Pass pass{rope_, {}, {}, {}, {}, {}, {}};
  std::vector<std::int64_t> index;
  std::vector<nn::KvView> kv;
  for (const SequenceRows& sequence : sequences) {
    const nn::AttentionRows& rows = sequence.rows;
    const std::int64_t num_unwanted = rows.num_rows - sequence.num_wanted;
    pass.rows.push_back(rows);
    kv.push_back(sequence.kv->front());
    pass.wanted.push_back(
        {std::ssize(index), sequence.num_wanted, rows.first_position + num_unwanted});
    for (std::int64_t i = 0; i < rows.num_rows; ++i) {
      pass.positions.push_back(rows.first_position + i);
      if (i >= num_unwanted) index.push_back(rows.first_row + i);
    }
  }
  if (index.size() < pass.positions.size()) {
    pass.wanted_index = nn::to_device(at::tensor(index, at::kLong), compute.device);
  }
  if (compute.backend == nn::Backend::Fused) {
    pass.packed = make_packed_index(compute, pass.rows, kv);
    pass.packed_wanted = make_packed_index(compute, pass.wanted, kv);
  }
  return pass;
}

/// One pre-norm decoder block.
class Qwen2::Layer {
 public:
  Layer(const TextConfig& config, TensorTable& tensors, const std::string& name,
        const std::shared_ptr<const nn::Compute>& compute)
      : compute_(compute),
        query_width_(config.num_heads * config.head_dim),
        kv_width_(config.num_kv_heads * config.head_dim),
        input_norm_(tensors.take(name + "input_layernorm.weight", {config.hidden_size}),
                    static_cast<float>(config.rms_norm_eps), compute),
        qkv_({take_biased(tensors, name + "self_attn.q_proj", query_width_, config.hidden_size),
              take_biased(tensors, name + "self_attn.k_proj", kv_width_, config.hidden_size),
              take_biased(tensors, name + "self_attn.v_proj", kv_width_, config.hidden_size)},
             compute, compute->products),
        attention_(attention_shape_of(config), compute),
        out_({take_plain(tensors, name + "self_attn.o_proj", config.hidden_size, query_width_)},
             compute, compute->products),
        post_norm_(tensors.take(name + "post_attention_layernorm.weight", {config.hidden_size}),
                   static_cast<float>(config.rms_norm_eps), compute),
        mlp_(
            take_plain(tensors, name + "mlp.gate_proj", config.intermediate_size,
                       config.hidden_size),
            take_plain(tensors, name + "mlp.up_proj", config.intermediate_size, config.hidden_size),
            take_plain(tensors, name + "mlp.down_proj", config.hidden_size,
                       config.intermediate_size),
            compute, compute->products) {}

  /// @param hidden  [R, hidden], changed in place; in the last layer what is wanted of it is left
  /// @param update  what the layer before adds to it; undefined in the first
  /// @param kv      of every sequence; Fused: the pool
  /// @return        what is to be added to `hidden` after this layer
  at::Tensor operator()(at::Tensor& hidden, const at::Tensor& update, const Pass& pass,
                        std::span<const nn::KvView> kv, bool is_last) const {
    const at::Tensor qkv = qkv_(input_norm_.add_and_norm(
        hidden, update, qkv_.input_dtype()));  // [R, query_width + 2 * kv_width]
    store(qkv, pass, kv);
    at::Tensor queries = qkv.narrow(1, 0, query_width_);
    const bool trims = is_last && pass.wanted_index.defined();
    if (trims) {
      hidden = hidden.index_select(0, pass.wanted_index);
      queries = queries.index_select(0, pass.wanted_index);
    }
    const at::Tensor attended = attend(queries, pass, kv, trims);
    return mlp_(post_norm_.add_and_norm(hidden, out_(attended), mlp_.input_dtype()));
  }

 private:
  /// Turns queries and keys by their positions; keys and values go into the cache.
  void store(const at::Tensor& qkv, const Pass& pass, std::span<const nn::KvView> kv) const {
    if (compute_->backend == nn::Backend::Fused) {
      pass.rope.turn_and_store(qkv, attention_.shape(), pass.packed, kv.front());
      return;
    }
    const at::Tensor keys = qkv.narrow(1, query_width_, kv_width_);
    pass.rope.apply(qkv.narrow(1, 0, query_width_), pass.positions);
    pass.rope.apply(keys, pass.positions);
    attention_.write(keys, qkv.narrow(1, query_width_ + kv_width_, kv_width_), pass.rows, kv);
  }

  at::Tensor attend(const at::Tensor& queries, const Pass& pass, std::span<const nn::KvView> kv,
                    bool only_wanted) const {
    if (compute_->backend == nn::Backend::Fused) {
      return attention_.attend(queries, only_wanted ? pass.packed_wanted : pass.packed, kv.front());
    }
    return attention_.attend(queries, only_wanted ? pass.wanted : pass.rows, kv,
                             out_.input_dtype());
  }

  std::shared_ptr<const nn::Compute> compute_;
  std::int64_t query_width_;
  std::int64_t kv_width_;
  nn::RmsNorm input_norm_;
  nn::Linear qkv_;
  nn::Attention attention_;
  nn::Linear out_;
  nn::RmsNorm post_norm_;
  nn::SwigluMlp mlp_;
};

Qwen2::Qwen2(const TextConfig& config, TensorTable& tensors,
             std::shared_ptr<const nn::Compute> compute)
    : config_(config),
      compute_(std::move(compute)),
      shape_(attention_shape_of(config)),
      embeddings_(tensors.take(kQwen2Prefix + "embed_tokens.weight",
                               {config.vocab_size, config.hidden_size})),
      rope_(config.rope_theta, config.head_dim, kMostPositions, compute_),
      norm_(tensors.take(kQwen2Prefix + "norm.weight", {config.hidden_size}),
            static_cast<float>(config.rms_norm_eps), compute_),
      head_({nn::LinearWeights{take_head(config, tensors), std::nullopt}}, compute_) {
  if (compute_->backend != nn::Backend::Kernels) {
    embeddings_on_device_ = embeddings_.to_tensor(compute_->device, compute_->dtype);
  }
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
    const std::string name = kQwen2Prefix + "layers." + std::to_string(layer) + ".";
    layers_.push_back(std::make_unique<Layer>(config, tensors, name, compute_));
    tensors.ignore_prefix(name + "self_attn.rotary_emb.");
  }
}

Qwen2::~Qwen2() = default;

std::int64_t Qwen2::num_layers() const { return static_cast<std::int64_t>(layers_.size()); }

void Qwen2::embed(std::span<const std::int32_t> ids, at::Tensor& to, std::int64_t first_row) const {
  if (compute_->backend != nn::Backend::Kernels) {
    const at::Tensor index = nn::to_device(
        at::tensor(at::ArrayRef<std::int32_t>(ids.data(), ids.size()), at::kInt), to.device());
    to.narrow(0, first_row, static_cast<std::int64_t>(ids.size()))
        .copy_(embeddings_on_device_.index_select(0, index));
    return;
  }
  const std::int64_t width = config_.hidden_size;
  const auto* rows = static_cast<const char*>(embeddings_.data);
  const auto row_bytes = width * static_cast<std::int64_t>(kernels::size_bytes(embeddings_.type));
  float* out = to.mutable_data_ptr<float>() + first_row * width;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    kernels::cpu_kernels().to_f32(rows + ids[i] * row_bytes, embeddings_.type, width,
                                  out + static_cast<std::int64_t>(i) * width);
  }
}

at::Tensor Qwen2::forward(at::Tensor hidden, std::span<const SequenceRows> sequences) const {
  const Pass pass = plan_pass(sequences);
  // With Backend::Fused all sequences have the same pool.
  const std::size_t num_views = compute_->backend == nn::Backend::Fused ? 1 : sequences.size();
  return run_layers(std::move(hidden), pass, [&](std::size_t layer, std::vector<nn::KvView>& kv) {
    kv.resize(num_views);
    for (std::size_t i = 0; i < num_views; ++i) kv[i] = (*sequences[i].kv)[layer];
  });
}

at::Tensor Qwen2::forward_packed(at::Tensor hidden, const nn::PackedIndex& index,
                                 const SequenceKv& pool) const {
  const Pass pass{rope_, {}, {}, {}, {}, index, {}};
  return run_layers(std::move(hidden), pass, [&](std::size_t layer, std::vector<nn::KvView>& kv) {
    kv.assign(1, pool[layer]);
  });
}

at::Tensor Qwen2::run_layers(at::Tensor hidden, const Pass& pass, const KvOfLayer& kv_of) const {
  at::Tensor update;  // what the layer before adds to `hidden`
  std::vector<nn::KvView> kv;
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    kv_of(layer, kv);
    update = (*layers_[layer])(hidden, update, pass, kv, layer + 1 == layers_.size());
  }
  if (update.defined()) nn::add_residual(hidden, update, *compute_);
  return hidden;
}

at::Tensor Qwen2::logits_on_device(const at::Tensor& hidden) const {
  at::Tensor rows = hidden.contiguous();
  return head_(norm_.add_and_norm(rows, {}, head_.input_dtype()));
}

at::Tensor Qwen2::logits(const at::Tensor& hidden) const {
  return logits_on_device(hidden).to(at::kCPU, at::kFloat);
}

}  // namespace aitqe
