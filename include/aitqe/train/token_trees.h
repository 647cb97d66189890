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

/// How attention goes over the trees of a batch.
enum class TreeLayout {
  EachTree,  ///< one after the other, as they are: no work is wasted
  Padded,    ///< all at once, filled up to the longest: few large operations
};

/// Rows of one tree in a packed batch.
struct TreeRows {
  std::int64_t first_row = 0;
  std::int64_t num_rows = 0;
  /// [num_rows, num_rows] f32: 0 where a row may look, else -inf. TreeLayout::EachTree.
  at::Tensor mask;
};

/// The rows of B trees side by side, each filled up to L rows. TreeLayout::Padded.
struct PaddedTrees {
  at::Tensor rows;    ///< [B, L] int64: row of the batch at each place; 0 where there is none
  at::Tensor places;  ///< [R] int64: each row's place among the B * L
  at::Tensor mask;    ///< [B, 1, L, L] f32: 0 where a row may look, else -inf
};

/// Sequences packed so that what they have in common runs once: all sequences of one image form a
/// tree, and a token sees the tokens on its way to the root. Every sequence gets exactly what it
/// would get alone.
struct TokenTrees {
  std::vector<TreeRows> trees;
  PaddedTrees padded;
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
                      at::Device device, TreeLayout layout);
/// EachTree on the CPU, else Padded.
TokenTrees pack_trees(std::span<const std::vector<TargetSequence>> sequences_of_image,
                      at::Device device);

}  // namespace aitqe
