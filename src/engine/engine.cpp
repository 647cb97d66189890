#include "aitqe/engine/engine.h"

#include <algorithm>
#include <chrono>

#include "aitqe/base/error.h"
#include "aitqe/engine/device_logits.h"

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
  waiting_.push_back({prompt_tokens, KvCache::capacity_for(tokens)});
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
  }
  return rows;
}

bool Engine::prefill(std::size_t most) {
  std::vector<std::unique_ptr<Sequence>> started;
  std::vector<Sequence*> sequences;
  std::vector<SequenceRows> rows;
  std::int64_t num_rows = 0;
  while (started.size() < most) {
    const auto prompt_tokens = static_cast<std::int64_t>(queue_.front().prompt.size());
    const std::int64_t tokens = prompt_tokens + queue_.front().max_new_tokens;
    if (!cache_.has_room(tokens)) break;
    auto sequence = std::make_unique<Sequence>();
    sequence->request = std::move(queue_.front());
    queue_.pop_front();
    sequence->place = cache_.acquire(tokens);
    sequence->num_kept = prompt_tokens;
    rows.push_back({{num_rows, prompt_tokens, 0}, &sequence->place.layers, /*num_wanted=*/1});
    num_rows += prompt_tokens;
    sequences.push_back(sequence.get());
    started.push_back(std::move(sequence));
  }
  const std::size_t count = started.size();
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
  if (count == 0) return false;

  at::Tensor hidden = embed_prompts(sequences, num_rows);
  for (Sequence* sequence : sequences) sequence->request.pixels.reset();
  {
    const Stopwatch stopwatch(times_.prefill_s);
    hidden = model_.language_model().forward(hidden, rows);
  }
  times_.prompt_tokens += num_rows;
  const std::vector<bool> goes_on = advance_all(sequences, rows, hidden, times_.prefill_s);
  for (std::size_t i = 0; i < count; ++i) {
    if (goes_on[i]) running_.push_back(std::move(started[i]));
  }
  return true;
}

std::vector<bool> Engine::advance_all(const std::vector<Sequence*>& sequences,
                                      std::span<const SequenceRows> rows, const at::Tensor& hidden,
                                      double& seconds) {
  at::Tensor logits;  // [wanted, vocab], on the host or where the model is
  std::optional<DeviceLogits> on_device;
  {
    const Stopwatch stopwatch(seconds);
    if (model_.compute().backend == nn::Backend::Fused) {
      logits = model_.language_model().logits_on_device(hidden);
      on_device.emplace(logits);
    } else {
      logits = model_.language_model().logits(hidden);
    }
  }
  std::vector<bool> goes_on;
  std::int64_t first = 0;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    LogitsRows own{nullptr, rows[i].num_wanted, logits.size(1)};
    if (on_device) {
      own.on_device = &*on_device;
      own.first_on_device = first;
    } else {
      own.data = logits.const_data_ptr<float>() + first * logits.size(1);
    }
    first += own.num_rows;
    goes_on.push_back(advance(*sequences[i], own, *done_));
  }
  return goes_on;
}

void Engine::decode() {
  std::vector<std::int32_t> ids;
  std::vector<SequenceRows> rows;
  std::vector<Sequence*> sequences;
  for (const auto& sequence : running_) {
    sequences.push_back(sequence.get());
    const Feed& feed = sequence->feed;
    const auto first_row = static_cast<std::int64_t>(ids.size());
    const auto num_rows = static_cast<std::int64_t>(feed.tokens.size());
    const std::int64_t num_wanted = feed.num_logits > 0 ? feed.num_logits : num_rows;
    rows.push_back(
        {{first_row, num_rows, sequence->num_kept}, &sequence->place.layers, num_wanted});
    ids.insert(ids.end(), feed.tokens.begin(), feed.tokens.end());
    if (feed.keep) sequence->num_kept += num_rows;
  }
  const auto num_rows = static_cast<std::int64_t>(ids.size());
  at::Tensor hidden = at::empty({num_rows, model_.config().text.hidden_size},
                                model_.compute().activation_options());
  {
    const Stopwatch stopwatch(times_.decode_s);
    model_.language_model().embed(ids, hidden, 0);
    hidden = model_.language_model().forward(hidden, rows);
  }
  times_.decode_rows += num_rows;
  ++times_.decode_steps;

  const std::vector<bool> goes_on = advance_all(sequences, rows, hidden, times_.decode_s);
  std::vector<std::unique_ptr<Sequence>> still_running;
  for (std::size_t i = 0; i < running_.size(); ++i) {
    if (goes_on[i]) still_running.push_back(std::move(running_[i]));
  }
  running_ = std::move(still_running);
}

bool Engine::advance(Sequence& sequence, const LogitsRows& logits, const Done& done) {
  std::string failure;
  try {
    if (auto feed = sequence.request.guide->next(logits)) {
      if (feed->from == Feed::From::Prompt) {
        sequence.num_kept = static_cast<std::int64_t>(sequence.request.prompt.size());
      } else if (feed->from == Feed::From::Image) {
        sequence.num_kept = sequence.request.num_image_tokens;
      } else {
        sequence.num_kept -= feed->num_forgotten;
      }
      const std::int64_t end = sequence.num_kept + static_cast<std::int64_t>(feed->tokens.size());
      if (end > sequence.place.capacity) {
        throw SampleError("too_many_tokens: the answer outgrew the " +
                          std::to_string(sequence.request.max_new_tokens) +
                          " tokens set aside for it");
      }
      sequence.feed = std::move(*feed);
      return true;
    }
  } catch (const SampleError& error) {
    failure = error.what();
  }
  cache_.release(std::move(sequence.place));
  done({sequence.request.id, std::move(sequence.request.guide), failure});
  return false;
}

}  // namespace aitqe
