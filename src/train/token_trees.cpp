#include "aitqe/train/token_trees.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "aitqe/quality/prompt.h"

namespace aitqe {

namespace {

/// The sequences of one image as a tree of tokens; a parent stands before its children.
class TreeBuilder {
 public:
  /// @return the node of the sequence's last token.
  std::int64_t add(const TargetSequence& sequence) {
    std::int64_t node = -1;
    for (std::size_t i = 0; i < sequence.ids.size(); ++i) {
      const auto key = std::pair(node, static_cast<std::int64_t>(sequence.ids[i]));
      // Image slots follow each other and differ by their place only.
      const auto [found, is_new] = children_.try_emplace(key, std::ssize(parents_));
      if (is_new) {
        parents_.push_back(node);
        ids_.push_back(sequence.ids[i]);
        depths_.push_back(node < 0 ? 0 : depths_[static_cast<std::size_t>(node)] + 1);
        weights_.push_back(0.0F);
      }
      float& weight = weights_[static_cast<std::size_t>(found->second)];
      weight = std::max(weight, sequence.weights[i]);
      node = found->second;
    }
    return node;
  }

  std::int64_t size() const { return std::ssize(parents_); }
  const std::vector<std::int64_t>& parents() const { return parents_; }
  const std::vector<std::int32_t>& ids() const { return ids_; }
  const std::vector<std::int64_t>& depths() const { return depths_; }
  const std::vector<float>& weights() const { return weights_; }

  /// Says for each node, in a row of `stride` flags that are false, which nodes it may look at.
  void mark_visible(bool* flags, std::int64_t stride) const {
    const std::int64_t count = size();
    for (std::int64_t node = 0; node < count; ++node) {
      const std::int64_t parent = parents_[static_cast<std::size_t>(node)];
      if (parent >= 0) std::copy_n(flags + parent * stride, count, flags + node * stride);
      flags[node * stride + node] = true;
    }
  }

 private:
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> children_;
  std::vector<std::int64_t> parents_;
  std::vector<std::int32_t> ids_;
  std::vector<std::int64_t> depths_;
  std::vector<float> weights_;
};

at::Tensor to_device(const std::vector<std::int64_t>& values, at::Device device) {
  return at::tensor(values, at::kLong).to(device);
}

/// 0 where true, else -inf: what is added to attention scores.
at::Tensor additive(const at::Tensor& visible) {
  return at::full(visible.sizes(), -std::numeric_limits<float>::infinity(),
                  visible.options().dtype(at::kFloat))
      .masked_fill_(visible, 0);
}

at::Tensor mask_of(const TreeBuilder& tree) {
  at::Tensor visible = at::zeros({tree.size(), tree.size()}, at::kBool);
  tree.mark_visible(visible.mutable_data_ptr<bool>(), tree.size());
  return additive(visible);
}

PaddedTrees pad(std::span<const TreeBuilder> trees, std::span<const TreeRows> rows,
                at::Device device) {
  constexpr std::int64_t kAlignedRows = 16;  // what fused attention wants of a mask's rows
  const std::int64_t count = std::ssize(trees);
  std::int64_t longest = 1;
  for (const TreeBuilder& tree : trees) longest = std::max(longest, tree.size());
  longest = (longest + kAlignedRows - 1) / kAlignedRows * kAlignedRows;
  at::Tensor visible = at::zeros({count, 1, longest, longest}, at::kBool);
  at::Tensor row_at = at::zeros({count, longest}, at::kLong);
  std::vector<std::int64_t> places;
  auto* flags = visible.mutable_data_ptr<bool>();
  auto* row_numbers = row_at.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    const TreeBuilder& tree = trees[static_cast<std::size_t>(i)];
    bool* own = flags + i * longest * longest;
    tree.mark_visible(own, longest);
    // A row of nothing but -inf has no softmax; what stands in for no row looks at itself.
    for (std::int64_t row = tree.size(); row < longest; ++row) own[row * longest + row] = true;
    for (std::int64_t row = 0; row < tree.size(); ++row) {
      row_numbers[i * longest + row] = rows[static_cast<std::size_t>(i)].first_row + row;
      places.push_back(i * longest + row);
    }
  }
  return {row_at.to(device), to_device(places, device), additive(visible.to(device))};
}

}  // namespace

TokenTrees pack_trees(std::span<const std::vector<TargetSequence>> sequences_of_image,
                      at::Device device) {
  return pack_trees(sequences_of_image, device,
                    device.is_cpu() ? TreeLayout::EachTree : TreeLayout::Padded);
}

TokenTrees pack_trees(std::span<const std::vector<TargetSequence>> sequences_of_image,
                      at::Device device, TreeLayout layout) {
  TokenTrees packed;
  std::vector<TreeBuilder> trees;
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> positions;
  std::vector<std::int64_t> image_rows;
  std::vector<std::int64_t> target_rows;
  std::vector<std::int64_t> target_ids;
  std::vector<float> target_weights;
  for (const std::vector<TargetSequence>& sequences : sequences_of_image) {
    TreeBuilder& tree = trees.emplace_back();
    const std::int64_t first_row = std::ssize(ids);
    for (const TargetSequence& sequence : sequences) {
      packed.last_rows.push_back(first_row + tree.add(sequence));
    }
    packed.trees.push_back({first_row, tree.size(), {}});
    if (layout == TreeLayout::EachTree) packed.trees.back().mask = mask_of(tree).to(device);
    for (std::size_t node = 0; node < tree.ids().size(); ++node) {
      const std::int32_t id = tree.ids()[node];
      if (id == kImageSlot) image_rows.push_back(std::ssize(ids));
      ids.push_back(id == kImageSlot ? 0 : id);
      positions.push_back(tree.depths()[node]);
      if (tree.weights()[node] > 0) {
        target_rows.push_back(first_row + tree.parents()[node]);
        target_ids.push_back(id);
        target_weights.push_back(tree.weights()[node]);
      }
    }
  }
  if (layout == TreeLayout::Padded) packed.padded = pad(trees, packed.trees, device);
  packed.ids = to_device(ids, device);
  packed.positions = to_device(positions, device);
  packed.image_rows = to_device(image_rows, device);
  packed.target_rows = to_device(target_rows, device);
  packed.target_ids = to_device(target_ids, device);
  packed.target_weights = at::tensor(target_weights, at::kFloat).to(device);
  return packed;
}

}  // namespace aitqe
