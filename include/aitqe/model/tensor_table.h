#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "aitqe/io/safetensors.h"
#include "aitqe/nn/weight.h"

namespace aitqe {

/// The tensors of a checkpoint as a model takes them: each asked for by name and shape, so that
/// what is missing, mis-shaped or left over is told. One thread at a time.
class TensorTable {
 public:
  /// What to do with a tensor that does not fit: throw, or note it and go on with zeros, so that
  /// all of them can be told. A model made from a table with notes must not be run.
  enum class Misfits { Throw, Note };

  /// Called before each tensor that is taken; may throw, to end a load.
  using Listener = std::function<void()>;

  /// @throws Error(Model) as SafetensorsFolder::open.
  explicit TensorTable(const std::filesystem::path& folder, Misfits misfits = Misfits::Throw,
                       Listener listener = {});
  explicit TensorTable(SafetensorsFolder files, Misfits misfits = Misfits::Throw);

  /// A table without files that has whatever is asked for, drawn where it is used: norms about 1,
  /// matrices about 1 / sqrt(inputs), vectors small. For benchmarks.
  static TensorTable drawn();

  /// Every tensor there is, by name.
  std::map<std::string, std::vector<std::int64_t>> shapes() const;

  bool contains(const std::string& name) const { return !files_ || files_->contains(name); }
  std::int64_t total_bytes() const { return files_ ? files_->total_bytes() : 0; }

  /// @throws Error(Model): `FILE: tensor "x": shape [3584, 1152], expected [3584, 3584]`, or that
  ///         it is missing, or of a dtype that is no float; see Misfits.
  nn::Weight take(const std::string& name, const std::vector<std::int64_t>& shape);

  /// Marks tensors that lie in the file and are known to be of no use.
  void ignore_prefix(const std::string& prefix);

  /// @throws Error(Model) listing tensors that were neither taken nor ignored; see Misfits.
  void require_all_used();

  /// What did not fit, a line each; always empty under Misfits::Throw.
  const std::vector<std::string>& misfits() const { return noted_; }

 private:
  TensorTable() = default;
  nn::Weight take_stored(const std::string& name, const std::vector<std::int64_t>& shape);

  std::filesystem::path folder_;
  std::optional<SafetensorsFolder> files_;  // none: drawn
  std::set<std::string> unused_;
  Misfits on_misfit_ = Misfits::Throw;
  std::vector<std::string> noted_;
  Listener listener_;
};

}  // namespace aitqe
