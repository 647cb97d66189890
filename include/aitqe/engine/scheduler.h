#pragma once

#include <cstdint>
#include <span>

namespace aitqe {

struct SchedulerLimits {
  /// Sequences in the cache at once. At least 1.
  int max_sequences = 16;
  /// Prompt tokens run in one step; one prompt longer than this runs alone. At least 1.
  std::int64_t batch_tokens = 2048;
  /// Tokens of cache in use at once; one sequence is always let in. At least 1.
  std::int64_t max_kv_tokens = std::int64_t{1} << 40;

  bool operator==(const SchedulerLimits&) const = default;
};

/// What a waiting request would take.
struct Waiting {
  std::int64_t prompt_tokens = 0;
  std::int64_t kv_tokens = 0;  ///< prompt and all that may follow
};

struct SchedulerState {
  std::span<const Waiting> waiting;  ///< in order of arrival
  int num_running = 0;
  std::int64_t kv_tokens_in_use = 0;
  bool input_ended = false;
};

struct Step {
  enum class Kind {
    Pull,     ///< fetch one more request, waiting for it if need be
    Prefill,  ///< run the prompts of the first `num_prompts` waiting requests
    Decode,   ///< run one step of all running sequences
    Stop,     ///< nothing left
  };
  Kind kind = Kind::Stop;
  int num_prompts = 0;

  bool operator==(const Step&) const = default;
};

/// What to do next: a pure function, so that a schedule follows from the requests alone and not
/// from how fast they arrive (Note [Same bits at any batch] in kernels/gemm.h; on devices whose
/// products do depend on the batch this makes runs repeatable, unless memory runs out on the way).
/// Prompts go first, first come first served, but while others are running only when a worthwhile
/// share of the places is free.
Step plan_step(const SchedulerState& state, const SchedulerLimits& limits);

}  // namespace aitqe
