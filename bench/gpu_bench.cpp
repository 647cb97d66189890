// What the engine makes of a GPU, with weights of the released model's shapes drawn on the device.
//
//   gpu_bench prefill|score|rewrite|again [--preset full|tiny] [--device cuda] [--dtype
//   bf16|fp8|f32]
//             [--pairs 256] [--rounds 5] [--text-tokens 71] [--new-tokens 45] [--sequences 256]
//             [--batch-tokens 16384]
//
//   prefill   image and prompt, logits of the last token
//   score     the same, then what a score takes when every draft is right: eight forced tokens, the
//   digits' probabilities, one look ahead, and three tokens behind the digit
//   rewrite   the same, then --new-tokens forced tokens one at a time, each behind a look at its
//   logits again     the same, then another question of --text-tokens about the image, as --verify
//   asks
//
// All sequences run through Engine, as in the program; no image is decoded, no text tokenised. With
// --device cpu the same code runs on a CPU, with stand-ins for the kernels: to see that it runs.
// Prints a round a line, then the median, then the first logits of pair 0, which bench/gpu_peer.py
// prints too.

#include <ATen/Context.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "aitqe/engine/engine.h"
#include "aitqe/model/cost.h"
#include "aitqe/nn/device.h"

namespace aitqe {

namespace {

struct BenchOptions {
  std::string mode;
  std::string preset = "full";
  std::string device = "cuda";
  std::string dtype = "bf16";
  int num_pairs = 256;
  int num_rounds = 5;
  int text_tokens = 71;
  int new_tokens = 45;
  SchedulerLimits limits{256, 16384, std::int64_t{1} << 40};
};

/// As scripts/make_random_checkpoint.py has them.
ModelConfig config_of(const std::string& preset) {
  ModelConfig config;
  const bool full = preset == "full";
  config.text = full ? TextConfig{3584, 18944, 28, 28, 4, 128, 152064, 1e-6, 1e6, false}
                     : TextConfig{64, 160, 3, 4, 2, 16, 512, 1e-6, 1e6, false};
  config.vision.hidden_size = full ? 1152 : 32;
  config.vision.intermediate_size = full ? 4304 : 80;
  config.vision.num_layers = full ? 27 : 3;
  config.vision.num_heads = full ? 16 : 2;
  config.vision.image_size = full ? 384 : 56;
  config.vision.patch_size = 14;
  config.image.side_px = config.vision.image_size;
  const std::int64_t grid = config.vision.image_size / config.vision.patch_size;
  config.num_image_tokens = grid * grid;
  config.visual_hidden_dim = config.vision.hidden_size;
  config.projector_hidden_size = config.text.hidden_size;
  return config;
}

nn::Compute compute_of(const BenchOptions& options) {
  nn::Compute compute;
  compute.device = nn::open_device(options.device);
  compute.backend = nn::has_fused_kernels(compute.device) ? nn::Backend::Fused : nn::Backend::Aten;
  compute.dtype = options.dtype == "f32" ? at::kFloat : at::kBFloat16;
  if (options.dtype == "fp8") compute.products = nn::Products::Fp8;
  return compute;
}

/// Feeds what the mode asks for and reads of the logits what the program would.
class Forced : public Guide {
 public:
  Forced(const BenchOptions& options, std::vector<std::vector<std::int32_t>> feeds, Feed::From from)
      : feeds_(std::move(feeds)), from_(from), reads_digits_(options.mode == "score") {}

  std::optional<Feed> next(const LogitsRows& logits) override {
    const std::int64_t last = logits.num_rows - 1;
    if (!logits.is_usable(last)) throw std::runtime_error("unusable logits");
    if (first.ids.empty()) first = logits.top(last, 8);
    largest_sum += logits.largest(last);  // greedy looks at every row
    if (reads_digits_ && next_ > 0) logits.probabilities(last, kDigits);
    if (next_ == feeds_.size()) return std::nullopt;
    return Feed{std::move(feeds_[next_++]), from_, /*keep=*/true, /*num_logits=*/1};
  }

  TopLogits first;
  std::int64_t largest_sum = 0;

 private:
  inline static const std::vector<std::int32_t> kDigits{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  std::vector<std::vector<std::int32_t>> feeds_;
  std::size_t next_ = 0;
  Feed::From from_;
  bool reads_digits_;
};

/// Ids that the peer makes too: a linear congruence over the pair, the piece and the place.
std::vector<std::int32_t> ids_of(std::int64_t pair, int piece, int count, std::int64_t vocabulary) {
  std::vector<std::int32_t> ids;
  for (int i = 0; i < count; ++i) {
    ids.push_back(
        static_cast<std::int32_t>((pair * 7919 + piece * 104729 + i * 31337 + 17) % vocabulary));
  }
  return ids;
}

std::unique_ptr<Forced> guide_of(const BenchOptions& options, std::int64_t pair,
                                 std::int64_t vocabulary) {
  std::vector<std::vector<std::int32_t>> feeds;
  Feed::From from = Feed::From::Here;
  if (options.mode == "score") {
    feeds = {ids_of(pair, 1, 8, vocabulary), ids_of(pair, 2, 1, vocabulary),
             ids_of(pair, 3, 3, vocabulary)};
  } else if (options.mode == "rewrite") {
    for (const std::int32_t id : ids_of(pair, 1, options.new_tokens, vocabulary)) {
      feeds.push_back({id});
    }
  } else if (options.mode == "again") {
    feeds = {ids_of(pair, 1, options.text_tokens, vocabulary)};
    from = Feed::From::Image;
  }
  return std::make_unique<Forced>(options, std::move(feeds), from);
}

struct Round {
  double seconds = 0;
  EngineTimes times;
  TopLogits first;  ///< of pair 0
};

Round run_round(const Mllm& model, const BenchOptions& options, const at::Tensor& pixels) {
  const ModelConfig& config = model.config();
  const std::int64_t most_new_tokens = std::max({options.new_tokens, options.text_tokens, 16});
  SchedulerLimits limits = options.limits;
  limits.max_kv_tokens =
      limits.max_sequences *
      KvCache::capacity_for(config.num_image_tokens + options.text_tokens + most_new_tokens);
  Engine engine(model, limits);
  Round round;
  std::int64_t next = 0;
  const auto pull = [&]() -> std::optional<Request> {
    if (next == options.num_pairs) return std::nullopt;
    Request request;
    request.id = next++;
    request.num_image_tokens = config.num_image_tokens;
    request.prompt.assign(static_cast<std::size_t>(config.num_image_tokens), kImageFeature);
    const auto text = ids_of(request.id, 0, options.text_tokens, config.text.vocab_size);
    request.prompt.insert(request.prompt.end(), text.begin(), text.end());
    request.pixels = pixels;
    request.max_new_tokens = most_new_tokens;
    request.guide = guide_of(options, request.id, config.text.vocab_size);
    return request;
  };
  const auto start = std::chrono::steady_clock::now();
  engine.run(pull, [&](const Finished& finished) {
    if (!finished.failure.empty()) throw std::runtime_error(finished.failure);
    if (finished.id == 0) round.first = static_cast<Forced&>(*finished.guide).first;
  });
  round.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  round.times = engine.times();
  return round;
}

/// Of what a pair takes with no trick: image, prompt, and what the mode feeds behind it.
double gflop_of_pair(const ModelConfig& config, const BenchOptions& options) {
  const PairCost cost = pair_cost(config, options.text_tokens);
  const int behind = options.mode == "score"     ? 12
                     : options.mode == "rewrite" ? options.new_tokens
                     : options.mode == "again"   ? options.text_tokens
                                                 : 0;
  return cost.vision_gflop + cost.projector_gflop + cost.prefill_gflop +
         behind * cost.decode_gflop_per_token;
}

int run(const BenchOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const nn::Compute compute = compute_of(options);
  const auto model = Mllm::drawn(config_of(options.preset), compute);
  const std::int64_t side = model->config().image.side_px;
  at::manual_seed(0);
  const at::Tensor pixels = at::rand({3, side, side}) * 2 - 1;
  Round round = run_round(*model, options, pixels);  // warms caches, plans and memory
  std::printf(
      "mode=%s preset=%s device=%s dtype=%s backend=%s pairs=%d text_tokens=%d new_tokens=%d "
      "ready_s=%.1f\n",
      options.mode.c_str(), options.preset.c_str(), compute.device.str().c_str(),
      options.dtype.c_str(), compute.backend == nn::Backend::Fused ? "fused" : "aten",
      options.num_pairs, options.text_tokens, options.new_tokens,
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  std::vector<double> rates;
  const double tflop = gflop_of_pair(model->config(), options) / 1e3;
  for (int i = 0; i < options.num_rounds; ++i) {
    round = run_round(*model, options, pixels);
    rates.push_back(options.num_pairs / round.seconds);
    std::printf(
        "round %d: pairs_per_s=%.3f vision_s=%.3f prefill_s=%.3f decode_s=%.3f "
        "prompt_tokens=%ld decode_steps=%ld decode_rows=%ld\n",
        i + 1, rates.back(), round.times.vision_s, round.times.prefill_s, round.times.decode_s,
        round.times.prompt_tokens, round.times.decode_steps, round.times.decode_rows);
    std::fflush(stdout);
  }
  std::sort(rates.begin(), rates.end());
  const double median = rates[rates.size() / 2];
  std::printf("median: pairs_per_s=%.3f (%.3f to %.3f) tflop_per_pair=%.3f tflop_per_s=%.1f\n",
              median, rates.front(), rates.back(), tflop, tflop * median);
  std::printf("first logits of pair 0:");
  for (std::size_t i = 0; i < round.first.ids.size(); ++i) {
    std::printf(" %d=%.4f", round.first.ids[i], round.first.values[i]);
  }
  std::printf("\n");
  return 0;
}

}  // namespace

}  // namespace aitqe

int main(int argc, char** argv) {
  aitqe::BenchOptions options;
  CLI::App app("what the engine makes of a GPU");
  app.add_option("mode", options.mode)
      ->required()
      ->check(CLI::IsMember({"prefill", "score", "rewrite", "again"}));
  app.add_option("--preset", options.preset)->check(CLI::IsMember({"full", "tiny"}));
  app.add_option("--device", options.device);
  app.add_option("--dtype", options.dtype)->check(CLI::IsMember({"bf16", "fp8", "f32"}));
  app.add_option("--pairs", options.num_pairs)->check(CLI::PositiveNumber);
  app.add_option("--rounds", options.num_rounds)->check(CLI::PositiveNumber);
  app.add_option("--text-tokens", options.text_tokens)->check(CLI::PositiveNumber);
  app.add_option("--new-tokens", options.new_tokens)->check(CLI::PositiveNumber);
  app.add_option("--sequences", options.limits.max_sequences)->check(CLI::PositiveNumber);
  app.add_option("--batch-tokens", options.limits.batch_tokens)->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  try {
    return aitqe::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
