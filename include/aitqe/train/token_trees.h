#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

namespace aitqe {

/// One text a model is to learn about an image: prompt and answer.
struct TargetSequence {
  /// As Prompt::ids: kImageSlot where image features go.
  std::vector<std::int32_t> ids;
  /// How much it counts to predict each id from what stands before it; 0 for the prompt.
  std::vector<float> weights;
};

/// Rows of one tree in a packed batch.
struct TreeRows {
  std::int64_t first_row = 0;
  std::int64_t num_rows = 0;
  at::Tensor mask;  ///< [num_rows, num_rows] f32: 0 where a row may look, else -inf
};

/// Sequences packed so that what they have in common runs once: all sequences of one image form a
/// tree, and a token sees the tokens on its way to the root. Every sequence gets exactly what it
/// would get alone.
struct TokenTrees {
  std::vector<TreeRows> trees;
  at::Tensor ids;         ///< [R] int64, 0 in image slots
  at::Tensor positions;   ///< [R] int64, from 0 in every sequence
  at::Tensor image_rows;  ///< [images * image tokens] int64: rows of the slots, in order
  /// Predictions that count: from which row, which id, how much. [T] each.
  at::Tensor target_rows;
  at::Tensor target_ids;
  at::Tensor target_weights;
  /// For each sequence of each tree, in order: the row of its last token.
  std::vector<std::int64_t> last_rows;
};

/// @param sequences_of_image  the texts of each image; every one has the image's slots in front
TokenTrees pack_trees(std::span<const std::vector<TargetSequence>> sequences_of_image,
                      at::Device device);

}  // namespace aitqe
