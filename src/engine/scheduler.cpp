#include "aitqe/engine/scheduler.h"

namespace aitqe {

namespace {

struct Admission {
  int num_prompts = 0;
  bool is_full = false;  ///< one more could not join this step
};

Admission admit(const SchedulerState& state, const SchedulerLimits& limits) {
  Admission admission;
  std::int64_t tokens = 0;
  std::int64_t kv_tokens = state.kv_tokens_in_use;
  for (const Waiting& request : state.waiting) {
    const bool first_of_all = state.num_running + admission.num_prompts == 0;
    const bool fits_cache = first_of_all || kv_tokens + request.kv_tokens <= limits.max_kv_tokens;
    const bool fits_step =
        admission.num_prompts == 0 || tokens + request.prompt_tokens <= limits.batch_tokens;
    if (!fits_cache || !fits_step ||
        state.num_running + admission.num_prompts >= limits.max_sequences) {
      admission.is_full = true;
      return admission;
    }
    tokens += request.prompt_tokens;
    kv_tokens += request.kv_tokens;
    ++admission.num_prompts;
  }
  admission.is_full = state.num_running + admission.num_prompts >= limits.max_sequences ||
                      tokens >= limits.batch_tokens;
  return admission;
}

}  // namespace

Step plan_step(const SchedulerState& state, const SchedulerLimits& limits) {
  // With a quarter of the places free a prefill step is large enough to be worth the wait of the
  // rest.
  const int free_places = limits.max_sequences - state.num_running;
  const bool worthwhile = state.num_running == 0 || free_places * 4 >= limits.max_sequences;
  if (worthwhile) {
    const Admission admission = admit(state, limits);
    if (!admission.is_full && !state.input_ended) return {Step::Kind::Pull, 0};
    if (admission.num_prompts > 0) return {Step::Kind::Prefill, admission.num_prompts};
  }
  return {state.num_running > 0 ? Step::Kind::Decode : Step::Kind::Stop, 0};
}

}  // namespace aitqe
