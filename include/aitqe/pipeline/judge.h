#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "aitqe/engine/engine.h"
#include "aitqe/pipeline/activity.h"
#include "aitqe/pipeline/loaded_model.h"
#include "aitqe/pipeline/types.h"

namespace aitqe {

struct JudgeOptions {
  SchedulerLimits limits;             ///< of each device
  std::optional<int> max_new_tokens;  ///< not set: AnswerKeys::max_new_tokens of the model
  bool full = false;
  bool verify = false;             ///< score every new caption too
  bool with_first_logits = false;  ///< see Answer::first_logits
  /// Pairs of a batch that one device runs by itself, see Judge::batch_pairs; 0 = as needed.
  std::int64_t batch_pairs = 0;
};

/// One pair for the model.
struct Question {
  PreparedSample prepared;
  AnswerOrder order;
  /// The answer, where an earlier run was given it: the model is not asked again.
  std::optional<Answer> known;
  /// The first pair of a batch: see Judge::batch_pairs.
  bool begins_batch = false;
  /// Told as soon as it is finished, before others that came earlier are: by any thread, but never
  /// two at the same time, nor with `next` or `done`. May be empty.
  std::function<void(const AssessedSample&)> answered = nullptr;
};

/// PreparedSample -> AssessedSample, many at once and on all devices, given back in order.
class Judge {
 public:
  Judge(const LoadedModel& model, const JudgeOptions& options);

  using Next = std::function<std::optional<Question>()>;
  using Done = std::function<void(AssessedSample)>;

  /// Asks the model about every sample of `next` that has neither failed nor an answer, and hands
  /// all of them to `done` in the order they came. Both are called by several threads where there
  /// are several devices, but never at the same time. What they throw ends the run and is thrown.
  /// @param activity  told of every step of the models; may be null
  void run(const Next& next, const Done& done, Activity* activity = nullptr);

  /// Pairs that should make up a batch where answers may depend on who shares it (a GPU's products
  /// do, in their last bits); 0 where they do not, and `begins_batch` changes nothing.
  /// Batches that always begin at the same pairs make a run repeatable, on any number of devices.
  std::int64_t batch_pairs() const { return batch_pairs_; }

  /// Of all devices together.
  EngineTimes times() const;
  const AnswerKeys& keys() const { return rules_->keys; }

 private:
  Request make_request(std::int64_t place, PreparedSample& prepared,
                       const AnswerOrder& order) const;

  std::shared_ptr<const AnswerRules> rules_;
  std::int64_t num_image_tokens_;
  std::int64_t batch_pairs_;
  std::vector<std::unique_ptr<Engine>> engines_;  // one a device
};

/// Limits for this model and machine where the user gave none: 0 = not given.
SchedulerLimits choose_limits(const LoadedModel& model, int batch_size, std::int64_t batch_tokens);

/// Tokens after which an answer is cut off: the user's wish, or else the model's.
int choose_max_new_tokens(const LoadedModel& model, const JudgeOptions& options);

/// Pairs of a shard that are always judged together; 0 where answers do not depend on that.
std::int64_t choose_batch_pairs(const LoadedModel& model, const JudgeOptions& options);

}  // namespace aitqe
