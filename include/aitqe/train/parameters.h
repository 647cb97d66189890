#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "aitqe/base/random.h"
#include "aitqe/model/adapter.h"

namespace aitqe {

/// A low-rank addition to a linear layer: y += (alpha / rank) x A^T B^T (arXiv 2106.09685).
struct LoraOptions {
  /// Glob over tensor names without `.weight`: `model.model.layers.*.mlp.*_proj`.
  std::string modules;
  int rank = 16;
  double alpha = 32;
};

/// [rows, columns] f32, even in +-1/sqrt(columns): where a new linear layer begins.
at::Tensor random_matrix(std::int64_t rows, std::int64_t columns, Random random);

/// The tensors of a model under training. Frozen ones are kept in the dtype they are computed in;
/// one that is or was trained has a master copy in f32. One thread at a time.
class Parameters {
 public:
  /// Reads every float tensor of a model folder.
  /// @param dtype  of products: at::kFloat or at::kBFloat16
  /// @throws Error(Model).
  static Parameters load(const std::filesystem::path& folder, at::Device device,
                         at::ScalarType dtype);

  at::ScalarType dtype() const { return dtype_; }
  at::Device device() const { return device_; }
  bool contains(const std::string& name) const { return values_.contains(name); }

  /// In f32, with its gradient path where it is trained. @throws Error(Model) when missing.
  at::Tensor wide(const std::string& name) const;
  /// x W^T + b, with the low-rank addition where the layer has one, all in `dtype()`.
  /// @param x  [R, inputs], any float dtype  @param name  of the layer, without `.weight`
  at::Tensor linear(const at::Tensor& x, const std::string& name) const;
  /// Rows of a matrix in f32. @param rows  [n] int64
  at::Tensor rows(const std::string& name, const at::Tensor& rows) const;

  /// Puts a tensor of its own beside the checkpoint's; it is trained and saved with the state, and
  /// is no part of the model that is written.
  void add(const std::string& name, const at::Tensor& value);
  /// Gives layers a low-rank addition, the same for the same seed: A random_matrix, B 0.
  /// Layers that an earlier stage or training gave one keep it. @return the names of the additions'
  /// tensors.
  /// @throws Error(Usage) when no layer fits, or one has a factor of another rank or scale.
  std::vector<std::string> add_lora(const LoraOptions& options, std::uint64_t seed);

  /// Goes on from what was trained before on this model. To be called before any stage.
  /// @throws Error(Model) naming what does not fit.
  void start_from(const Adapter& adapter);
  /// What was trained until now, without the tensors that are no part of the model.
  Adapter trained_part() const;

  /// Names of the checkpoint that fit a glob (`*` stands for anything, dots included). Sorted.
  std::vector<std::string> matching(const std::string& glob) const;

  /// From now on these alone are trained; their masters are made where they have none.
  void set_trained(const std::vector<std::string>& names);
  /// The masters that are trained now, by name.
  const std::map<std::string, at::Tensor>& trained() const { return trained_; }
  /// All masters: everything that ever was trained. What a saved state holds.
  const std::map<std::string, at::Tensor>& masters() const { return masters_; }
  /// Puts a saved master back. @throws Error(Usage) when name or shape do not fit.
  void restore(const std::string& name, const at::Tensor& value);

  /// The tensors of the checkpoint as they are now, additions merged, in f32 on the CPU.
  std::map<std::string, at::Tensor> merged() const;

 private:
  struct Lora {
    std::string a;
    std::string b;
    double scale = 1;
  };
  static Lora name_factors(const std::string& layer, double scale);
  void require_same(const std::string& layer, const Lora& earlier, const Lora& wanted,
                    int rank) const;
  at::Tensor factor(const std::string& name) const;
  const at::Tensor& value_of(const std::string& name) const;

  std::filesystem::path folder_;
  at::Device device_ = at::kCPU;
  at::ScalarType dtype_ = at::kFloat;
  std::map<std::string, at::Tensor> values_;   // frozen
  std::map<std::string, at::Tensor> masters_;  // f32; shadow values_
  std::map<std::string, at::Tensor> trained_;  // of masters_
  std::map<std::string, Lora> lora_;           // by layer
  std::vector<std::string> own_;               // names that `add` and `add_lora` made
};

}  // namespace aitqe
