#include "base_tensors.h"

#include <array>
#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/io/gguf.h"
#include "aitqe/model/tensor_table.h"

namespace aitqe {

namespace {

namespace fs = std::filesystem;

constexpr std::array kLayerNames = std::to_array<std::pair<const char*, const char*>>({
    {"attn_norm.weight", "input_layernorm.weight"},
    {"attn_q.weight", "self_attn.q_proj.weight"},
    {"attn_k.weight", "self_attn.k_proj.weight"},
    {"attn_v.weight", "self_attn.v_proj.weight"},
    {"attn_q.bias", "self_attn.q_proj.bias"},
    {"attn_k.bias", "self_attn.k_proj.bias"},
    {"attn_v.bias", "self_attn.v_proj.bias"},
    {"attn_output.weight", "self_attn.o_proj.weight"},
    {"ffn_norm.weight", "post_attention_layernorm.weight"},
    {"ffn_gate.weight", "mlp.gate_proj.weight"},
    {"ffn_up.weight", "mlp.up_proj.weight"},
    {"ffn_down.weight", "mlp.down_proj.weight"},
});

/// Rows of each head (x0, y0, x1, y1, ...) -> (x0, x1, ..., y0, y1, ...).
at::Tensor rows_in_halves(const at::Tensor& matrix, std::int64_t heads) {
  const std::int64_t half = matrix.size(0) / heads / 2;
  return matrix.view({heads, half, 2, -1}).transpose(1, 2).reshape(matrix.sizes());
}

class GgufBase {
 public:
  GgufBase(const fs::path& path, const TextConfig& config)
      : path_(path), file_(GgufFile::open(path)), config_(config) {
    const auto found = file_->header().values.find("general.architecture");
    const std::string* architecture =
        found == file_->header().values.end() ? nullptr : std::get_if<std::string>(&found->second);
    // In the llama family q and k lie interleaved; in Qwen2's files they do not.
    if (architecture == nullptr || *architecture != "llama") {
      throw Error(
          ErrorCategory::Model,
          path.string() + ": general.architecture is not \"llama\", the only one converted");
    }
  }

  std::map<std::string, at::Tensor> read() {
    std::map<std::string, at::Tensor> tensors;
    tensors["model.model.embed_tokens.weight"] = tensor("token_embd.weight");
    tensors["model.model.norm.weight"] = tensor("output_norm.weight");
    if (has("output.weight")) tensors["model.lm_head.weight"] = tensor("output.weight");
    for (std::int64_t layer = 0; layer < config_.num_layers; ++layer) {
      const std::string from = "blk." + std::to_string(layer) + ".";
      const std::string to = "model.model.layers." + std::to_string(layer) + ".";
      for (const auto& [theirs, ours] : kLayerNames) {
        const std::string name = theirs;
        if (name.ends_with(".bias") && !has(from + name)) {
          const bool is_query = name == "attn_q.bias";
          const std::int64_t heads = is_query ? config_.num_heads : config_.num_kv_heads;
          tensors[to + ours] = at::zeros({heads * config_.head_dim}, at::kBFloat16);
          continue;
        }
        at::Tensor value = tensor(from + name);
        if (name.starts_with("attn_q.")) value = rows_in_halves(value, config_.num_heads);
        if (name.starts_with("attn_k.")) value = rows_in_halves(value, config_.num_kv_heads);
        tensors[to + ours] = value;
      }
    }
    return tensors;
  }

 private:
  bool has(const std::string& name) const { return file_->header().tensors.contains(name); }

  at::Tensor tensor(const std::string& name) const {
    const std::vector<float> values = file_->to_floats(name);
    return at::tensor(values, at::kFloat)
        .view(file_->header().tensors.at(name).shape)
        .to(at::kBFloat16);
  }

  fs::path path_;
  std::unique_ptr<GgufFile> file_;
  const TextConfig& config_;
};

}  // namespace

std::map<std::string, at::Tensor> read_base(const fs::path& base, const TextConfig& config) {
  if (!fs::is_directory(base)) return GgufBase(base, config).read();
  std::map<std::string, at::Tensor> tensors;
  TensorTable table(base);
  for (const auto& [name, shape] : table.shapes()) {
    tensors[name] = table.take(name, shape).to_tensor(at::kCPU, at::kBFloat16);
  }
  return tensors;
}

}  // namespace aitqe
