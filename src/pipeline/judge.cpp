#include "aitqe/pipeline/judge.h"

#include <algorithm>
#include <map>

namespace aitqe {

namespace {

std::shared_ptr<const AnswerRules> make_rules(const LoadedModel& model,
                                              const JudgeOptions& options) {
  auto rules = std::make_shared<AnswerRules>(model.tokenizer, model.prompts->prompt_template().keys,
                                             model.mllm->config().eos_ids);
  rules->max_new_tokens = options.max_new_tokens;
  rules->full = options.full;
  if (options.verify) rules->verify_with = model.prompts;
  return rules;
}

/// Samples between input and output, by their place in the order.
class InOrder {
 public:
  explicit InOrder(const Judge::Done& done) : done_(done) {}

  std::int64_t add(PreparedSample sample) {
    held_.emplace(next_in_, Held{{std::move(sample), {}}, false});
    return next_in_++;
  }

  AssessedSample& at(std::int64_t place) { return held_.at(place).sample; }

  void finish(std::int64_t place) {
    held_.at(place).is_finished = true;
    while (!held_.empty() && held_.begin()->second.is_finished) {
      done_(std::move(held_.begin()->second.sample));
      held_.erase(held_.begin());
    }
  }

 private:
  struct Held {
    AssessedSample sample;
    bool is_finished;
  };
  const Judge::Done& done_;
  std::int64_t next_in_ = 0;
  std::map<std::int64_t, Held> held_;
};

}  // namespace

Judge::Judge(const LoadedModel& model, const JudgeOptions& options)
    : rules_(make_rules(model, options)),
      num_image_tokens_(model.prompts->num_image_ids()),
      engine_(*model.mllm, options.limits) {}

void Judge::run(const Next& next, const Order& order, const Done& done) {
  InOrder samples(done);
  const auto pull = [&]() -> std::optional<Request> {
    while (auto sample = next()) {
      const bool failed = sample->failure.has_value();
      const std::int64_t place = samples.add(std::move(*sample));
      if (failed) {
        samples.finish(place);
        continue;
      }
      PreparedSample& prepared = samples.at(place).prepared;
      Request request;
      request.id = place;
      request.prompt = prepared.prompt;
      request.num_image_tokens = num_image_tokens_;
      const std::int64_t side = prepared.pixels.side_px;
      // The tensor owns the floats: they go when the engine has encoded them.
      auto* pixels = new std::vector<float>(std::move(prepared.pixels.chw));
      request.pixels = at::from_blob(
          pixels->data(), {3, side, side}, [pixels](void*) { delete pixels; }, at::kFloat);
      request.max_new_tokens = rules_->most_tokens();
      request.guide = std::make_unique<AnswerGuide>(rules_, order(prepared));
      return request;
    }
    return std::nullopt;
  };
  engine_.run(pull, [&](Finished finished) {
    AssessedSample& sample = samples.at(finished.id);
    sample.answer = static_cast<AnswerGuide&>(*finished.guide).take_answer();
    if (!finished.failure.empty())
      sample.prepared.failure = RowFailure{"generate", finished.failure};
    samples.finish(finished.id);
  });
}

SchedulerLimits choose_limits(const LoadedModel& model, int batch_size, std::int64_t batch_tokens) {
  constexpr std::int64_t kCpuKvBytes = std::int64_t{1} << 30;
  constexpr std::int64_t kCudaKvBytes = std::int64_t{12} << 30;
  const bool on_cuda = model.mllm->compute().device.is_cuda();
  const Qwen2& language_model = model.mllm->language_model();
  const std::int64_t per_token = KvCache::bytes_per_token(
      model.mllm->compute(), language_model.attention_shape(), language_model.num_layers());
  SchedulerLimits limits;
  limits.max_sequences = batch_size > 0 ? batch_size : (on_cuda ? 256 : 32);
  limits.batch_tokens = batch_tokens > 0 ? batch_tokens : (on_cuda ? 16384 : 2048);
  limits.max_kv_tokens =
      std::max<std::int64_t>(1, (on_cuda ? kCudaKvBytes : kCpuKvBytes) / per_token);
  return limits;
}

}  // namespace aitqe
