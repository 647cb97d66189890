// What the second caption of an image costs beside the first: the image's keys and values stay, so
// only the new caption's tokens run. `--verify` scores rewrites so.
//
//   rescore_bench MODEL [--pairs 8] [--rounds 5] [--text-tokens 60] [--threads N] [--dtype T]
//   [--device D]
//
// Each round judges fresh random pictures, and then each of them with another text. Printed:
// seconds a pair and the ratio of each round, then the median ratio. Weights may be random: no
// answer is read.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "aitqe/base/random.h"
#include "aitqe/engine/engine.h"
#include "aitqe/pipeline/judge.h"
#include "aitqe/pipeline/loaded_model.h"

namespace aitqe {

namespace {

struct BenchOptions {
  ModelOptions model;
  int num_pairs = 8;
  int num_rounds = 5;
  int text_tokens = 60;
};

/// Asks once more about the same image, and is content.
class AskAgain : public Guide {
 public:
  explicit AskAgain(std::vector<std::int32_t> text) : text_(std::move(text)) {}

  std::optional<Feed> next(const LogitsRows&) override {
    if (text_.empty()) return std::nullopt;
    Feed feed;
    feed.tokens = std::exchange(text_, {});
    feed.from = Feed::From::Image;
    feed.num_logits = 1;
    return feed;
  }

 private:
  std::vector<std::int32_t> text_;
};

std::vector<std::int32_t> random_text(int count, std::int64_t vocabulary, Random& random) {
  std::vector<std::int32_t> ids;
  for (int i = 0; i < count; ++i) {
    ids.push_back(static_cast<std::int32_t>(random.below(static_cast<std::size_t>(vocabulary))));
  }
  return ids;
}

EngineTimes run_round(const LoadedModel& model, const BenchOptions& options, Random& random) {
  const ModelConfig& config = model.config;
  const auto text = [&] {
    return random_text(options.text_tokens, config.text.vocab_size, random);
  };
  Engine engine(model.mllm(), choose_limits(model, /*batch_size=*/0, /*batch_tokens=*/0));
  int asked = 0;
  const auto pull = [&]() -> std::optional<Request> {
    if (asked == options.num_pairs) return std::nullopt;
    Request request;
    request.id = asked++;
    request.num_image_tokens = config.num_image_tokens;
    request.prompt.assign(static_cast<std::size_t>(config.num_image_tokens), kImageFeature);
    const std::vector<std::int32_t> question = text();
    request.prompt.insert(request.prompt.end(), question.begin(), question.end());
    request.pixels = at::rand({3, model.image_side_px, model.image_side_px});
    request.max_new_tokens = options.text_tokens;
    request.guide = std::make_unique<AskAgain>(text());
    return request;
  };
  engine.run(pull, [](const Finished& finished) {
    if (!finished.failure.empty()) throw std::runtime_error(finished.failure);
  });
  return engine.times();
}

int run(const BenchOptions& options) {
  const LoadedModel model = load_model(options.model);
  std::printf("%s\n%d pairs a round, %ld image tokens and %d of text, then %d of another text\n",
              model.description.c_str(), options.num_pairs, model.config.num_image_tokens,
              options.text_tokens, options.text_tokens);
  Random random(1);
  run_round(model, options, random);  // warms caches and memory
  std::vector<double> ratios;
  for (int round = 0; round < options.num_rounds; ++round) {
    const EngineTimes times = run_round(model, options, random);
    const double pairs = options.num_pairs;
    const double first = (times.vision_s + times.prefill_s) / pairs;
    ratios.push_back(times.decode_s / pairs / first);
    std::printf("round %d: first %.3f s (vision %.3f), again %.3f s, ratio %.3f\n", round + 1,
                first, times.vision_s / pairs, times.decode_s / pairs, ratios.back());
  }
  std::sort(ratios.begin(), ratios.end());
  std::printf("ratio: median %.3f (%.3f to %.3f)\n", ratios[ratios.size() / 2], ratios.front(),
              ratios.back());
  return 0;
}

}  // namespace

}  // namespace aitqe

int main(int argc, char** argv) {
  aitqe::BenchOptions options;
  CLI::App app("cost of a second caption of an image");
  app.add_option("model", options.model.folder)->required();
  app.add_option("--pairs", options.num_pairs)->check(CLI::PositiveNumber);
  app.add_option("--rounds", options.num_rounds)->check(CLI::PositiveNumber);
  app.add_option("--text-tokens", options.text_tokens)->check(CLI::PositiveNumber);
  app.add_option("--threads", options.model.num_threads);
  app.add_option("--dtype", options.model.dtype);
  app.add_option("--device", options.model.device);
  CLI11_PARSE(app, argc, argv);
  try {
    return aitqe::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
