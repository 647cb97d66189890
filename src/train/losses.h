#pragma once

#include <ATen/ATen.h>

#include <span>
#include <vector>

#include "aitqe/quality/answer_keys.h"
#include "aitqe/train/lesson.h"
#include "aitqe/train/network.h"

namespace aitqe {

struct JudgeLoss {
  at::Tensor tokens;  ///< sum of weight * cross-entropy over the targets
  /// Logistic loss of expected scores that stand in the wrong order: mean over pairs of a good and
  /// a bad caption, plus mean over the swapped captions of an image; 0 without any.
  at::Tensor ranking;
};

/// Loss of packed lessons.
/// @param images  [B, P, hidden], one for each lesson
/// @param with_ranking  also compute `ranking`
JudgeLoss judge_loss(const Network& network, std::span<const Lesson> lessons,
                     const at::Tensor& images, const LessonBuilder& builder, bool with_ranking);

/// InfoNCE both ways between image vectors and caption vectors; rows of equal captions are no
/// negatives of each other.
/// @param images  [B, D]   @param captions  [B, D] of unit length
at::Tensor align_loss(const at::Tensor& images, const at::Tensor& captions);

}  // namespace aitqe
