#include "losses.h"

#include <limits>

namespace aitqe {

namespace {

/// Mean of the score under its digits: [n, vocab] -> [n].
at::Tensor expected_scores(const at::Tensor& logits, const std::vector<std::int32_t>& digits,
                           const AnswerKeys& keys) {
  std::vector<std::int64_t> ids;
  std::vector<float> values;
  for (std::size_t digit = 0; digit < digits.size(); ++digit) {
    const auto value = static_cast<float>(digit);
    if (digits[digit] < 0 || value < keys.lowest_score || value > keys.highest_score) continue;
    ids.push_back(digits[digit]);
    values.push_back(value);
  }
  const at::Tensor index = at::tensor(ids, at::kLong).to(logits.device());
  const at::Tensor shares = logits.index_select(1, index).softmax(-1);
  return at::matmul(shares, at::tensor(values, at::kFloat).to(logits.device()));
}

}  // namespace

JudgeLoss judge_loss(const Network& network, std::span<const Lesson> lessons,
                     const at::Tensor& images, const LessonBuilder& builder, bool with_ranking) {
  std::vector<std::vector<TargetSequence>> sequences;
  for (const Lesson& lesson : lessons) sequences.push_back(lesson.sequences);
  const TokenTrees trees = pack_trees(sequences, images.device());
  const at::Tensor hidden = network.read(trees, images);

  std::vector<std::int64_t> good;
  std::vector<std::int64_t> bad;
  std::size_t first_sequence = 0;
  for (const Lesson& lesson : lessons) {
    for (const Lesson::ScoreProbe& probe : lesson.probes) {
      (probe.is_good ? good : bad).push_back(trees.last_rows[first_sequence + probe.sequence]);
    }
    first_sequence += lesson.sequences.size();
  }
  const at::Tensor target_logits = network.logits(hidden.index_select(0, trees.target_rows));
  const at::Tensor losses =
      at::cross_entropy_loss(target_logits, trees.target_ids, {}, at::Reduction::None);
  JudgeLoss loss;
  loss.tokens = (losses * trees.target_weights).sum();
  loss.ranking = at::zeros({}, hidden.options());
  if (!with_ranking || good.empty() || bad.empty()) return loss;
  const auto score = [&](const std::vector<std::int64_t>& rows) {
    const at::Tensor index = at::tensor(rows, at::kLong).to(hidden.device());
    return expected_scores(network.logits(hidden.index_select(0, index)), builder.digits(),
                           builder.keys());
  };
  // Every good caption against every bad one, as AUROC counts them.
  loss.ranking = at::softplus(score(bad).unsqueeze(0) - score(good).unsqueeze(1)).mean();
  return loss;
}

at::Tensor align_loss(const at::Tensor& images, const at::Tensor& captions) {
  constexpr double kSharpness = 20;  // 1 / temperature
  const at::Tensor unit = images / images.norm(2, {1}, /*keepdim=*/true).clamp_min(1e-6);
  const at::Tensor alike = at::matmul(captions, captions.t()) > 1 - 1e-4;
  const at::Tensor same_but_other =
      alike.logical_and(at::eye(alike.size(0), alike.options()).logical_not());
  const at::Tensor scores =
      (at::matmul(unit, captions.t()) * kSharpness)
          .masked_fill(same_but_other, -std::numeric_limits<float>::infinity());
  const at::Tensor own = at::arange(scores.size(0), scores.options().dtype(at::kLong));
  return (at::cross_entropy_loss(scores, own) + at::cross_entropy_loss(scores.t(), own)) / 2;
}

}  // namespace aitqe
