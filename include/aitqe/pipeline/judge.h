#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "aitqe/engine/engine.h"
#include "aitqe/pipeline/loaded_model.h"
#include "aitqe/pipeline/types.h"

namespace aitqe {

struct JudgeOptions {
  SchedulerLimits limits;
  int max_new_tokens = 384;
  bool full = false;
  bool verify = false;  ///< score every new caption too
};

/// PreparedSample -> AssessedSample, many at once, given back in order. One thread at a time.
class Judge {
 public:
  Judge(const LoadedModel& model, const JudgeOptions& options);

  using Order = std::function<AnswerOrder(const PreparedSample&)>;
  using Next = std::function<std::optional<PreparedSample>()>;
  using Done = std::function<void(AssessedSample)>;

  /// Asks the model about every sample of `next` that has not failed already, and hands all of them
  /// to `done` in the order they came.
  void run(const Next& next, const Order& order, const Done& done);

  const EngineTimes& times() const { return engine_.times(); }
  const AnswerKeys& keys() const { return rules_->keys; }

 private:
  std::shared_ptr<const AnswerRules> rules_;
  std::int64_t num_image_tokens_;
  Engine engine_;
};

/// Limits for this model and machine where the user gave none: 0 = not given.
SchedulerLimits choose_limits(const LoadedModel& model, int batch_size, std::int64_t batch_tokens);

}  // namespace aitqe
