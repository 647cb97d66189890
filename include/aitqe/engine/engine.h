#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "aitqe/engine/kv_cache.h"
#include "aitqe/engine/request.h"
#include "aitqe/engine/scheduler.h"
#include "aitqe/model/mllm.h"

namespace aitqe {

/// Time and work of an engine so far.
struct EngineTimes {
  double vision_s = 0;
  double prefill_s = 0;  ///< language model over prompts, without the vision tower
  double decode_s = 0;
  std::int64_t prompt_tokens = 0;
  std::int64_t decode_rows = 0;  ///< tokens fed behind prompts, looks ahead included
  std::int64_t decode_steps = 0;
};

/// Runs many sequences through one model: prompts packed into large steps, running sequences
/// decoded together, each leaving when its guide is finished and its place going to the next. With
/// Backend::Kernels a sequence's logits do not depend on who runs beside it. A step that does not
/// fit into memory is taken again in halves, and the limits go down. One thread at a time.
class Engine {
 public:
  Engine(const Mllm& model, SchedulerLimits limits);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  using Pull = std::function<std::optional<Request>()>;
  using Done = std::function<void(Finished)>;
  /// Called before every step of the model, for who watches.
  using BeginStep = std::function<void()>;

  /// Pulls requests until there are none and calls `done` for each as it finishes, in any order.
  /// Returns when all are finished.
  /// @throws what libtorch throws: out of memory when not even one sequence fits, or none of the
  ///         running ones can go on beside the others. The engine is not to be used any more then.
  void run(const Pull& pull, const Done& done, const BeginStep& begin_step = {});

  const EngineTimes& times() const { return times_; }
  /// Lower than those given where memory ran out.
  const SchedulerLimits& limits() const { return limits_; }

 private:
  struct Sequence;
  struct Prompts;
  struct StepLogits;
  struct Decision;

  /// Runs the prompts of the first `most` waiting requests, or of those that find a place.
  /// @return  false when none did
  bool prefill(std::size_t most);
  /// Nothing when there is none free; also when memory runs out, unless the sequence is alone.
  std::optional<KvCache::Place> find_place(std::int64_t tokens, bool is_alone);
  /// Gives the first `most` waiting requests a place, or as many as find one.
  Prompts take_prompts(std::size_t most);
  void put_back(Prompts prompts);
  /// One step of all running sequences.
  void decode();
  /// The results of some of them, before anything else has changed: may be called again.
  StepLogits run_decode(std::span<Sequence* const> sequences, std::vector<SequenceRows>& rows);
  /// @param hidden  of Qwen2::forward
  StepLogits logits_of(const at::Tensor& hidden) const;
  at::Tensor embed_prompts(const std::vector<Sequence*>& sequences, std::int64_t num_rows);
  /// Does what the guide decided; false when the sequence is finished (and then handed to `done`).
  bool advance(Sequence& sequence, Decision decision);
  /// Gives consecutive rows of the results to one sequence each, `rows[i].num_wanted` at a time:
  /// guides decide together, what they decided is done one by one.
  /// @return  for each whether it goes on
  std::vector<bool> advance_all(std::span<Sequence* const> sequences,
                                std::span<const SequenceRows> rows, const StepLogits& logits);
  void admit(Request request, const Done& done);

  const Mllm& model_;
  SchedulerLimits limits_;
  KvCache cache_;
  std::deque<Request> queue_;
  std::vector<Waiting> waiting_;  // one for each of queue_
  std::vector<std::unique_ptr<Sequence>> running_;
  const Done* done_ = nullptr;
  EngineTimes times_;
};

}  // namespace aitqe
