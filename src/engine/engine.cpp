#include "aitqe/engine/engine.h"

#include <algorithm>
#include <chrono>

#include "aitqe/base/error.h"
#include "aitqe/engine/device_logits.h"
#include "aitqe/engine/out_of_memory.h"

namespace aitqe {

namespace {

/// Adds the seconds of its own life to a total.
class Stopwatch {
 public:
  explicit Stopwatch(double& total_s) : total_s_(total_s) {}
  ~Stopwatch() {
    total_s_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& total_s_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// [images, 3, S, S] on the host, in memory that `device` can fetch from by itself.
at::Tensor stack_for(at::Device device, const std::vector<at::Tensor>& images) {
  if (device.is_cpu()) return at::stack(images);
  std::vector<std::int64_t> shape = images.front().sizes().vec();
  shape.insert(shape.begin(), std::ssize(images));
  at::Tensor stacked = at::empty(shape, at::TensorOptions(at::kFloat).pinned_memory(true));
  return at::stack_out(stacked, images);
}

/// Rows of a pool for Backend::Fused: what the limits let in at once, with long answers behind long
/// prompts, and at least the longest sequence there can be.
std::int64_t pool_tokens(const SchedulerLimits& limits, std::int64_t max_positions) {
  constexpr std::int64_t kLongSequence = 1536;
  return std::max(std::min(limits.max_kv_tokens, limits.max_sequences * kLongSequence),
                  KvCache::capacity_for(max_positions));
}

}  // namespace

struct Engine::Sequence {
  Request request;
  KvCache::Place place;
  std::int64_t num_kept = 0;  ///< tokens whose keys and values count
  Feed feed;                  ///< what goes next
};

/// [wanted, vocab], on the host or, with Backend::Fused, where the model is.
struct Engine::StepLogits {
  at::Tensor rows;
  std::optional<DeviceLogits> on_device;
};

/// What a guide made of its logits: what to feed, or nothing where its sequence has ended.
struct Engine::Decision {
  std::optional<Feed> feed;
  std::string failure;  ///< why this sequence cannot go on

  static Decision of(Guide& guide, const LogitsRows& logits) {
    try {
      return {guide.next(logits), {}};
    } catch (const SampleError& error) {
      return {std::nullopt, error.what()};
    }
  }
};

/// What a step of prompts is made of.
struct Engine::Prompts {
  std::vector<std::unique_ptr<Sequence>> started;
  std::vector<SequenceRows> rows;
  std::vector<Waiting> waiting;  ///< what they were before
  std::int64_t num_rows = 0;

  std::vector<Sequence*> sequences() const {
    std::vector<Sequence*> all;
    for (const auto& sequence : started) all.push_back(sequence.get());
    return all;
  }
};

Engine::Engine(const Mllm& model, SchedulerLimits limits)
    : model_(model),
      limits_(limits),
      cache_(model.compute(), model.language_model().attention_shape(),
             model.language_model().num_layers(),
             pool_tokens(limits, model.language_model().max_positions())) {}

Engine::~Engine() = default;

void Engine::run(const Pull& pull, const Done& done, const BeginStep& begin_step) {
  done_ = &done;
  bool input_ended = false;
  while (true) {
    const SchedulerState state{waiting_, static_cast<int>(running_.size()), cache_.tokens_in_use(),
                               input_ended};
    const Step step = plan_step(state, limits_);
    const bool runs_model = step.kind == Step::Kind::Prefill || step.kind == Step::Kind::Decode;
    if (runs_model && begin_step) begin_step();
    switch (step.kind) {
      case Step::Kind::Pull:
        if (auto request = pull()) {
          admit(std::move(*request), done);
        } else {
          input_ended = true;
        }
        break;
      case Step::Kind::Prefill:
        // Where no gap of the pool is long enough, running sequences have to end first.
        if (!prefill(static_cast<std::size_t>(step.num_prompts))) decode();
        break;
      case Step::Kind::Decode:
        decode();
        break;
      case Step::Kind::Stop:
        return;
    }
  }
}

void Engine::admit(Request request, const Done& done) {
  const auto prompt_tokens = static_cast<std::int64_t>(request.prompt.size());
  const std::int64_t tokens = prompt_tokens + request.max_new_tokens;
  if (tokens > model_.language_model().max_positions()) {
    done({request.id, std::move(request.guide),
          "prompt_too_long: " + std::to_string(prompt_tokens) + " tokens and " +
              std::to_string(request.max_new_tokens) + " more may follow, the model has " +
              std::to_string(model_.language_model().max_positions()) + " positions"});
    return;
  }
  const std::int64_t num_ahead = std::ssize(request.guide->look_ahead());
  waiting_.push_back({prompt_tokens + num_ahead, KvCache::capacity_for(tokens)});
  queue_.push_back(std::move(request));
}

at::Tensor Engine::embed_prompts(const std::vector<Sequence*>& sequences, std::int64_t num_rows) {
  std::vector<at::Tensor> images;
  for (const Sequence* sequence : sequences) {
    if (sequence->request.pixels.defined()) images.push_back(sequence->request.pixels);
  }
  at::Tensor features;  // [images, num_image_tokens, hidden]
  if (!images.empty()) {
    const Stopwatch stopwatch(times_.vision_s);
    features = model_.encode_images(stack_for(model_.compute().device, images));
  }
  const std::int64_t hidden_size = model_.config().text.hidden_size;
  at::Tensor rows = at::empty({num_rows, hidden_size}, model_.compute().activation_options());
  std::int64_t row = 0;
  std::int64_t image = 0;
  for (const Sequence* sequence : sequences) {
    const std::vector<std::int32_t>& prompt = sequence->request.prompt;
    std::int64_t feature = 0;
    for (std::size_t begin = 0; begin < prompt.size();) {
      // A run of slots, or a run of tokens.
      const bool slots = prompt[begin] == kImageFeature;
      std::size_t end = begin;
      while (end < prompt.size() && (prompt[end] == kImageFeature) == slots) ++end;
      const auto count = static_cast<std::int64_t>(end - begin);
      if (slots) {
        rows.narrow(0, row, count).copy_(features.select(0, image).narrow(0, feature, count));
        feature += count;
      } else {
        model_.language_model().embed({prompt.data() + begin, end - begin}, rows, row);
      }
      row += count;
      begin = end;
    }
    if (sequence->request.pixels.defined()) ++image;
    const std::span<const std::int32_t> ahead = sequence->request.guide->look_ahead();
    if (!ahead.empty()) model_.language_model().embed(ahead, rows, row);
    row += std::ssize(ahead);
  }
  return rows;
}

std::optional<KvCache::Place> Engine::find_place(std::int64_t tokens, bool is_alone) {
  while (cache_.has_room(tokens)) {
    try {
      return cache_.acquire(tokens);
    } catch (...) {
      if (!is_out_of_memory(std::current_exception())) throw;
      if (cache_.trim()) continue;
      if (is_alone) throw;
      limits_.max_kv_tokens = std::max<std::int64_t>(1, cache_.tokens_in_use());
      break;
    }
  }
  return std::nullopt;
}

Engine::Prompts Engine::take_prompts(std::size_t most) {
  Prompts prompts;
  while (prompts.started.size() < most) {
    const auto prompt_tokens = static_cast<std::int64_t>(queue_.front().prompt.size());
    const bool is_alone = prompts.started.empty() && running_.empty();
    auto place = find_place(prompt_tokens + queue_.front().max_new_tokens, is_alone);
    if (!place) break;
    auto sequence = std::make_unique<Sequence>();
    sequence->place = std::move(*place);
    sequence->request = std::move(queue_.front());
    queue_.pop_front();
    const std::int64_t num_ahead = std::ssize(sequence->request.guide->look_ahead());
    sequence->num_kept = prompt_tokens + num_ahead;
    prompts.rows.push_back(
        {{prompts.num_rows, sequence->num_kept, 0}, &sequence->place.layers, 1 + num_ahead});
    prompts.num_rows += sequence->num_kept;
    prompts.started.push_back(std::move(sequence));
  }
  const auto count = static_cast<std::ptrdiff_t>(prompts.started.size());
  prompts.waiting.assign(waiting_.begin(), waiting_.begin() + count);
  waiting_.erase(waiting_.begin(), waiting_.begin() + count);
  return prompts;
}

void Engine::put_back(Prompts prompts) {
  for (auto sequence = prompts.started.rbegin(); sequence != prompts.started.rend(); ++sequence) {
    cache_.release(std::move((*sequence)->place));
    queue_.push_front(std::move((*sequence)->request));
  }
  waiting_.insert(waiting_.begin(), prompts.waiting.begin(), prompts.waiting.end());
}

bool Engine::prefill(std::size_t most) {
  Prompts prompts = take_prompts(most);
  const std::size_t count = prompts.started.size();
  if (count == 0) return false;

  const std::vector<Sequence*> sequences = prompts.sequences();
  StepLogits logits;
  try {
    at::Tensor hidden = embed_prompts(sequences, prompts.num_rows);
    const Stopwatch stopwatch(times_.prefill_s);
    hidden = model_.language_model().forward(hidden, prompts.rows);
    logits = logits_of(hidden);
  } catch (...) {
    if (!is_out_of_memory(std::current_exception())) throw;
    if (!cache_.trim()) {
      if (count > 1) {
        limits_.batch_tokens = std::max<std::int64_t>(1, prompts.num_rows / 2);
      } else if (!running_.empty()) {
        limits_.max_sequences = static_cast<int>(running_.size());
      } else {
        throw;
      }
    }
    put_back(std::move(prompts));
    cache_.trim();
    return true;
  }
  for (Sequence* sequence : sequences) sequence->request.pixels.reset();
  times_.prompt_tokens += prompts.num_rows;
  const std::vector<bool> goes_on = advance_all(sequences, prompts.rows, logits);
  for (std::size_t i = 0; i < count; ++i) {
    if (goes_on[i]) running_.push_back(std::move(prompts.started[i]));
  }
  return true;
}

Engine::StepLogits Engine::logits_of(const at::Tensor& hidden) const {
  const Qwen2& language_model = model_.language_model();
  if (model_.compute().backend != nn::Backend::Fused) return {language_model.logits(hidden), {}};
  const at::Tensor logits = language_model.logits_on_device(hidden);
  return {logits, DeviceLogits(logits)};
}

std::vector<bool> Engine::advance_all(std::span<Sequence* const> sequences,
                                      std::span<const SequenceRows> rows,
                                      const StepLogits& logits) {
  std::vector<LogitsRows> own;
  std::int64_t first = 0;
  for (const SequenceRows& one : rows) {
    LogitsRows of_one{nullptr, one.num_wanted, logits.rows.size(1)};
    if (logits.on_device) {
      of_one.on_device = &*logits.on_device;
      of_one.first_on_device = first;
    } else {
      of_one.data = logits.rows.const_data_ptr<float>() + first * of_one.vocab_size;
    }
    first += of_one.num_rows;
    own.push_back(of_one);
  }
  std::vector<Decision> decisions(sequences.size());
  const auto decide = [&](std::size_t i) {
    decisions[i] = Decision::of(*sequences[i]->request.guide, own[i]);
  };
  if (logits.on_device) {  // one thread speaks to the device
    for (std::size_t i = 0; i < sequences.size(); ++i) decide(i);
  } else {
    model_.compute().pool->parallel_for(sequences.size(), decide);
  }
  std::vector<bool> goes_on;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    goes_on.push_back(advance(*sequences[i], std::move(decisions[i])));
  }
  return goes_on;
}

Engine::StepLogits Engine::run_decode(std::span<Sequence* const> sequences,
                                      std::vector<SequenceRows>& rows) {
  std::vector<std::int32_t> ids;
  for (const Sequence* sequence : sequences) {
    const Feed& feed = sequence->feed;
    const auto first_row = static_cast<std::int64_t>(ids.size());
    const auto num_rows = static_cast<std::int64_t>(feed.tokens.size());
    const std::int64_t num_wanted = feed.num_logits > 0 ? feed.num_logits : num_rows;
    rows.push_back(
        {{first_row, num_rows, sequence->num_kept}, &sequence->place.layers, num_wanted});
    ids.insert(ids.end(), feed.tokens.begin(), feed.tokens.end());
  }
  const auto num_rows = static_cast<std::int64_t>(ids.size());
  const Stopwatch stopwatch(times_.decode_s);
  at::Tensor hidden = at::empty({num_rows, model_.config().text.hidden_size},
                                model_.compute().activation_options());
  model_.language_model().embed(ids, hidden, 0);
  hidden = model_.language_model().forward(hidden, rows);
  StepLogits logits = logits_of(hidden);
  times_.decode_rows += num_rows;
  ++times_.decode_steps;
  return logits;
}

void Engine::decode() {
  std::vector<Sequence*> sequences;
  for (const auto& sequence : running_) sequences.push_back(sequence.get());
  std::vector<bool> goes_on;
  while (goes_on.size() < sequences.size()) {
    const std::size_t count = std::min(sequences.size() - goes_on.size(),
                                       static_cast<std::size_t>(limits_.max_sequences));
    const auto some = std::span(sequences).subspan(goes_on.size(), count);
    std::vector<SequenceRows> rows;
    StepLogits logits;
    try {
      logits = run_decode(some, rows);
    } catch (...) {
      if (!is_out_of_memory(std::current_exception())) throw;
      if (cache_.trim()) continue;
      if (count == 1) throw;
      limits_.max_sequences = static_cast<int>(count / 2);
      continue;
    }
    for (Sequence* sequence : some) {
      if (sequence->feed.keep) sequence->num_kept += std::ssize(sequence->feed.tokens);
    }
    const std::vector<bool> some_go_on = advance_all(some, rows, logits);
    goes_on.insert(goes_on.end(), some_go_on.begin(), some_go_on.end());
  }
  std::vector<std::unique_ptr<Sequence>> still_running;
  for (std::size_t i = 0; i < running_.size(); ++i) {
    if (goes_on[i]) still_running.push_back(std::move(running_[i]));
  }
  running_ = std::move(still_running);
}

bool Engine::advance(Sequence& sequence, Decision decision) {
  if (std::optional<Feed>& feed = decision.feed) {
    if (feed->from == Feed::From::Prompt) {
      sequence.num_kept = static_cast<std::int64_t>(sequence.request.prompt.size());
    } else if (feed->from == Feed::From::Image) {
      sequence.num_kept = sequence.request.num_image_tokens;
    } else {
      sequence.num_kept -= feed->num_forgotten;
    }
    const std::int64_t end = sequence.num_kept + static_cast<std::int64_t>(feed->tokens.size());
    if (end <= sequence.place.capacity) {
      sequence.feed = std::move(*feed);
      return true;
    }
    decision.failure = "too_many_tokens: the answer outgrew the " +
                       std::to_string(sequence.request.max_new_tokens) + " tokens set aside for it";
  }
  cache_.release(std::move(sequence.place));
  (*done_)({sequence.request.id, std::move(sequence.request.guide), std::move(decision.failure)});
  return false;
}

}  // namespace aitqe
