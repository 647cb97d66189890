#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "aitqe/base/random.h"

namespace aitqe {

/// How a concept is laid over the features of a picture, which stand in a square grid.
struct Painting {
  std::size_t concept_index = 0;
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  double background = 1;  ///< how much of the picture stays
  double strength = 1;    ///< times the concept's direction
};

/// Directions of a vision tower's output that a text is known for: the rows of the classifier that
/// a trunk was trained with, and the names of its classes. They are image-text pairs without
/// images: what a trunk knows from photographs is kept in training from drawings.
/// A .safetensors file: `rows` F32 [K, D] and `texts` U8, UTF-8 in K lines; a line may hold several
/// texts, with tabs between. Immutable; any number of threads.
class Concepts {
 public:
  /// @param device  of the features that will be painted
  /// @throws Error(Model) naming the file and what was expected.
  static Concepts read(const std::filesystem::path& path, at::Device device = at::kCPU);

  std::int64_t dim() const { return rows_.defined() ? rows_.size(1) : 0; }
  std::size_t size() const { return texts_.size(); }
  const std::vector<std::string>& texts(std::size_t index) const { return texts_[index]; }
  const at::Tensor& rows() const { return rows_; }  ///< [K, D] f32, on the device of `read`

  /// A function of `random` alone. @param side  of the grid
  Painting draw(std::int64_t side, Random& random) const;
  /// The picture's features with the concept in a part of them, within the range of ReLU6.
  /// @param features  [P, D] f32, P a square   @return the same shape
  at::Tensor paint(const at::Tensor& features, const Painting& painting) const;

 private:
  at::Tensor rows_;  // [K, D] f32
  std::vector<std::vector<std::string>> texts_;
};

}  // namespace aitqe
