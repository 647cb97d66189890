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

  at::Tensor mask() const {
    const std::int64_t count = size();
    at::Tensor result =
        at::full({count, count}, -std::numeric_limits<float>::infinity(), at::kFloat);
    auto* rows = result.mutable_data_ptr<float>();
    for (std::int64_t node = 0; node < count; ++node) {
      const std::int64_t parent = parents_[static_cast<std::size_t>(node)];
      if (parent >= 0) std::copy_n(rows + parent * count, count, rows + node * count);
      rows[node * count + node] = 0;
    }
    return result;
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

}  // namespace

TokenTrees pack_trees(std::span<const std::vector<TargetSequence>> sequences_of_image,
                      at::Device device) {
  TokenTrees packed;
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> positions;
  std::vector<std::int64_t> image_rows;
  std::vector<std::int64_t> target_rows;
  std::vector<std::int64_t> target_ids;
  std::vector<float> target_weights;
  for (const std::vector<TargetSequence>& sequences : sequences_of_image) {
    TreeBuilder tree;
    const std::int64_t first_row = std::ssize(ids);
    for (const TargetSequence& sequence : sequences) {
      packed.last_rows.push_back(first_row + tree.add(sequence));
    }
    packed.trees.push_back({first_row, tree.size(), tree.mask().to(device)});
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
  packed.ids = to_device(ids, device);
  packed.positions = to_device(positions, device);
  packed.image_rows = to_device(image_rows, device);
  packed.target_rows = to_device(target_rows, device);
  packed.target_ids = to_device(target_ids, device);
  packed.target_weights = at::tensor(target_weights, at::kFloat).to(device);
  return packed;
}

}  // namespace aitqe
