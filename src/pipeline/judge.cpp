#include "aitqe/pipeline/judge.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <map>
#include <thread>

#include "aitqe/base/log.h"
#include "question_feed.h"

namespace aitqe {

namespace {

std::shared_ptr<const AnswerRules> make_rules(const LoadedModel& model,
                                              const JudgeOptions& options) {
  auto rules = std::make_shared<AnswerRules>(model.tokenizer, model.prompts->prompt_template().keys,
                                             model.mllm().config().eos_ids);
  rules->max_new_tokens = choose_max_new_tokens(model, options);
  rules->full = options.full;
  rules->with_first_logits = options.with_first_logits;
  if (options.verify) rules->verify_with = model.prompts;
  return rules;
}

/// Batches are this many times what a device holds at once, so that its places are refilled.
constexpr std::int64_t kFillsPerBatch = 2;

EngineTimes operator+(const EngineTimes& a, const EngineTimes& b) {
  return {a.vision_s + b.vision_s,       a.prefill_s + b.prefill_s,
          a.decode_s + b.decode_s,       a.prompt_tokens + b.prompt_tokens,
          a.decode_rows + b.decode_rows, a.decode_steps + b.decode_steps};
}

/// @param told  what the log has; becomes what the engine has
void tell_lower_limits(const Engine& engine, SchedulerLimits& told) {
  const SchedulerLimits& limits = engine.limits();
  if (limits == told) return;
  told = limits;
  log_warning(formatted(
      "the model ran out of memory: it goes on with at most %ld prompt tokens (--batch-tokens), %d "
      "pairs (--batch-size) and %ld tokens of keys and values at a time",
      limits.batch_tokens, limits.max_sequences, limits.max_kv_tokens));
}

}  // namespace

Judge::Judge(const LoadedModel& model, const JudgeOptions& options)
    : rules_(make_rules(model, options)),
      num_image_tokens_(model.prompts->num_image_ids()),
      batch_pairs_(choose_batch_pairs(model, options)) {
  for (const auto& replica : model.replicas) {
    engines_.push_back(std::make_unique<Engine>(*replica, options.limits));
  }
}

Request Judge::make_request(std::int64_t place, PreparedSample& prepared,
                            const AnswerOrder& order) const {
  Request request;
  request.id = place;
  request.prompt = prepared.prompt;
  request.num_image_tokens = num_image_tokens_;
  const std::int64_t side = prepared.pixels.side_px;
  // The tensor owns the floats: they go when the engine has run the prompt.
  auto* pixels = new std::vector<float>(std::move(prepared.pixels.chw));
  request.pixels = at::from_blob(
      pixels->data(), {3, side, side}, [pixels](void*) { delete pixels; }, at::kFloat);
  request.max_new_tokens = rules_->most_tokens();
  request.guide = std::make_unique<AnswerGuide>(rules_, order);
  return request;
}

void Judge::run(const Next& next, const Done& done, Activity* activity) {
  const auto share =
      batch_pairs_ > 0 ? QuestionFeed::Share::WholeBatches : QuestionFeed::Share::Singles;
  QuestionFeed feed(next, done, engines_.size(), share);
  const auto work = [&](std::size_t index) {
    at::set_num_threads(1);                         // holds for the thread that says so
    std::map<std::int64_t, AssessedSample*> asked;  // this engine's, by place
    Activity::Doing step;                           // of the model; none while it waits for input
    SchedulerLimits told = engines_[index]->limits();
    const auto begin_step = [&] {
      tell_lower_limits(*engines_[index], told);
      const PreparedSample& first = asked.begin()->second->prepared;
      step.end();
      step = Activity::begin(activity, RunStage::Model, first.shard, first.sample.key);
    };
    const auto pull = [&]() -> std::optional<Request> {
      step.end();
      const auto task = feed.next(index);
      if (!task) return std::nullopt;
      asked[task->place] = task->sample;
      return make_request(task->place, task->sample->prepared, task->order);
    };
    const auto finish = [&](Finished finished) {
      step.end();  // what `done` waits for is not the model
      AssessedSample& sample = *asked.at(finished.id);
      asked.erase(finished.id);
      sample.answer = static_cast<AnswerGuide&>(*finished.guide).take_answer();
      if (!finished.failure.empty())
        sample.prepared.failure = RowFailure{"generate", finished.failure};
      feed.finish(finished.id);
    };
    try {
      while (feed.begin_batch(index)) {
        engines_[index]->run(pull, finish, begin_step);
        tell_lower_limits(*engines_[index], told);
        step.end();
      }
    } catch (...) {
      feed.fail(std::current_exception());
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < engines_.size(); ++i) threads.emplace_back(work, i);
    work(0);
  }
  feed.rethrow();
}

EngineTimes Judge::times() const {
  EngineTimes sum;
  for (const auto& engine : engines_) sum = sum + engine->times();
  return sum;
}

int choose_max_new_tokens(const LoadedModel& model, const JudgeOptions& options) {
  return options.max_new_tokens.value_or(model.prompts->prompt_template().keys.max_new_tokens);
}

std::int64_t choose_batch_pairs(const LoadedModel& model, const JudgeOptions& options) {
  if (options.batch_pairs > 0) return options.batch_pairs;
  // Note [Same bits at any batch] in kernels/gemm.h: our own kernels need no batches.
  if (model.mllm().compute().backend == nn::Backend::Kernels) return 0;
  return kFillsPerBatch * options.limits.max_sequences;
}

SchedulerLimits choose_limits(const LoadedModel& model, int batch_size, std::int64_t batch_tokens) {
  constexpr std::int64_t kCpuKvBytes = std::int64_t{1} << 30;
  constexpr std::int64_t kCudaKvBytes = std::int64_t{12} << 30;
  const bool on_cuda = model.mllm().compute().device.is_cuda();
  const Qwen2& language_model = model.mllm().language_model();
  const std::int64_t per_token = KvCache::bytes_per_token(
      model.mllm().compute(), language_model.attention_shape(), language_model.num_layers());
  SchedulerLimits limits;
  limits.max_sequences = batch_size > 0 ? batch_size : (on_cuda ? 256 : 64);
  limits.batch_tokens = batch_tokens > 0 ? batch_tokens : (on_cuda ? 16384 : 2048);
  limits.max_kv_tokens =
      std::max<std::int64_t>(1, (on_cuda ? kCudaKvBytes : kCpuKvBytes) / per_token);
  return limits;
}

}  // namespace aitqe
