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

/// Where scores are probed, and which of them should be above which.
struct Comparisons {
  std::vector<std::int64_t> rows;  ///< of the packed batch, one for each probe
  std::vector<std::int64_t> good;  ///< places in `rows`
  std::vector<std::int64_t> bad;
  std::vector<std::int64_t> higher;  ///< [n] places, each to be above its partner in `lower`
  std::vector<std::int64_t> lower;
};

Comparisons find_comparisons(std::span<const Lesson> lessons, const TokenTrees& trees) {
  Comparisons found;
  std::vector<std::int64_t> good_of_lesson(lessons.size(), -1);
  std::size_t first_sequence = 0;
  const auto place = [&](std::size_t sequence) {
    found.rows.push_back(trees.last_rows[first_sequence + sequence]);
    return static_cast<std::int64_t>(found.rows.size()) - 1;
  };
  std::vector<std::pair<std::int64_t, std::pair<std::size_t, std::size_t>>> swapped;
  for (std::size_t i = 0; i < lessons.size(); ++i) {
    for (const Lesson::ScoreProbe& probe : lessons[i].probes) {
      (probe.is_good ? found.good : found.bad).push_back(place(probe.sequence));
      if (probe.is_good) {
        good_of_lesson[i] = found.good.back();
      } else if (good_of_lesson[i] >= 0) {
        found.higher.push_back(good_of_lesson[i]);
        found.lower.push_back(found.bad.back());
      }
    }
    for (const Lesson::SwappedProbe& probe : lessons[i].swapped) {
      swapped.push_back({place(probe.sequence), {i, probe.lesson}});
    }
    first_sequence += lessons[i].sequences.size();
  }
  // A caption under the wrong image is worse than the image's own, and than itself where it fits.
  for (const auto& [probe, owners] : swapped) {
    for (const std::size_t owner : {owners.first, owners.second}) {
      if (good_of_lesson[owner] < 0) continue;
      found.higher.push_back(good_of_lesson[owner]);
      found.lower.push_back(probe);
    }
  }
  return found;
}

at::Tensor at_places(const at::Tensor& values, const std::vector<std::int64_t>& places) {
  return values.index_select(0, at::tensor(places, at::kLong).to(values.device()));
}

at::Tensor ranking_loss(const at::Tensor& scores, const Comparisons& compared) {
  at::Tensor loss = at::zeros({}, scores.options());
  if (!compared.good.empty() && !compared.bad.empty()) {
    // Every good caption against every bad one, as AUROC counts them.
    loss = loss + at::softplus(at_places(scores, compared.bad).unsqueeze(0) -
                               at_places(scores, compared.good).unsqueeze(1))
                      .mean();
  }
  if (!compared.higher.empty()) {
    loss =
        loss +
        at::softplus(at_places(scores, compared.lower) - at_places(scores, compared.higher)).mean();
  }
  return loss;
}

}  // namespace

JudgeLoss judge_loss(const Network& network, std::span<const Lesson> lessons,
                     const at::Tensor& images, const LessonBuilder& builder, bool with_ranking) {
  std::vector<std::vector<TargetSequence>> sequences;
  for (const Lesson& lesson : lessons) sequences.push_back(lesson.sequences);
  const TokenTrees trees = pack_trees(sequences, images.device());
  const at::Tensor hidden = network.read(trees, images);

  const at::Tensor target_logits = network.logits(hidden.index_select(0, trees.target_rows));
  const at::Tensor losses =
      at::cross_entropy_loss(target_logits, trees.target_ids, {}, at::Reduction::None);
  JudgeLoss loss;
  loss.tokens = (losses * trees.target_weights).sum();
  loss.ranking = at::zeros({}, hidden.options());
  const Comparisons compared = find_comparisons(lessons, trees);
  if (!with_ranking || compared.rows.empty()) return loss;
  const at::Tensor scores = expected_scores(network.logits(at_places(hidden, compared.rows)),
                                            builder.digits(), builder.keys());
  loss.ranking = ranking_loss(scores, compared);
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
