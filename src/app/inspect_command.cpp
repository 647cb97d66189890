#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/model/cost.h"
#include "aitqe/model/fingerprint.h"
#include "aitqe/model/mllm.h"
#include "aitqe/model/tensor_table.h"
#include "aitqe/pipeline/loaded_model.h"
#include "command.h"
#include "default_model.h"

namespace aitqe::app {

namespace {

/// Prompt tokens behind the image that costs are told for: the reference's prompt and a caption of
/// some forty tokens.
constexpr std::int64_t kTypicalTextTokens = 71;
constexpr std::size_t kMostProblems = 20;

class InspectCommand : public Command {
 public:
  std::string name() const override { return "inspect"; }
  std::string summary() const override {
    return "Say what a model folder holds, what a pair costs and what does not fit";
  }
  std::string examples() const override {
    return "  aitqe inspect models/aitqe-tiny\n  aitqe inspect AITQE --json\n";
  }

  void add_options(CLI::App& app) override {
    app.add_option("model", model_.folder, "Model folder; default: the model that comes with aitqe")
        ->type_name("DIR");
    app.add_option("--vision-model", model_.vision_folder,
                   "Folder of the vision tower's config.json")
        ->type_name("DIR");
    app.add_flag("--json", json_, "Print JSON");
  }

  int run() override {
    if (model_.folder.empty()) model_.folder = default_model_folder();
    const ModelConfig config = load_model_config(model_.folder, model_.vision_folder);
    const TensorTable tensors(model_.folder);
    const PairCost cost = pair_cost(config, kTypicalTextTokens);
    const std::vector<std::string> problems = find_problems(config);
    if (json_) {
      print_json(config, tensors, cost, problems);
    } else {
      print_text(config, tensors, cost);
      print_problems(problems);
    }
    return problems.empty() ? 0 : exit_code(ErrorCategory::Model);
  }

 private:
  /// Everything that would stop a run with this folder, a line each.
  std::vector<std::string> find_problems(const ModelConfig& config) const {
    std::vector<std::string> problems;
    try {
      load_model_inputs(model_.folder, model_.vision_folder);
    } catch (const Error& error) {
      problems.emplace_back(error.what());
    }
    for (std::string& misfit : Mllm::misfits(model_.folder, config))
      problems.push_back(std::move(misfit));
    return problems;
  }

  static void print_problems(const std::vector<std::string>& problems) {
    if (problems.empty()) std::printf("  everything fits\n");
    for (std::size_t i = 0; i < std::min(problems.size(), kMostProblems); ++i)
      std::printf("  does not fit: %s\n", problems[i].c_str());
    if (problems.size() > kMostProblems)
      std::printf("  and %zu more (--json lists all)\n", problems.size() - kMostProblems);
  }

  void print_text(const ModelConfig& config, const TensorTable& tensors,
                  const PairCost& cost) const {
    const auto million = [](std::int64_t parameters) {
      return static_cast<double>(parameters) / 1e6;
    };
    const auto number = [](std::int64_t value) { return static_cast<long long>(value); };
    std::printf("%s\n", model_.folder.c_str());
    std::printf("  weights    %.1f MB in safetensors files\n",
                static_cast<double>(tensors.total_bytes()) / 1e6);
    std::printf("  sha256     %s (model_sha256 of run.json)\n",
                model_fingerprint(model_.folder, config).c_str());
    const bool is_siglip = config.vision.family == VisionFamily::Siglip;
    const std::string layers = is_siglip
                                   ? std::to_string(config.vision.num_layers - 1) + " of " +
                                         std::to_string(config.vision.num_layers) + " layers used"
                                   : std::to_string(config.vision.stages.size()) + " stages";
    std::printf("  vision     %-28s %8.1f M parameters, %s, %lld px / %lld = %lld tokens\n",
                config.vision_name.c_str(), million(cost.vision_parameters), layers.c_str(),
                number(config.vision.image_size), number(config.vision.patch_size),
                number(config.num_image_tokens));
    std::printf("             configuration from %s\n", config.vision_config_origin.c_str());
    std::printf("  projector  %lld -> %lld -> %lld %*s %8.1f M parameters\n",
                number(config.vision.hidden_size), number(config.projector_hidden_size),
                number(config.text.hidden_size), 8, "", million(cost.projector_parameters));
    std::printf(
        "  language   Qwen2, %lld layers of %lld, %lld heads (%lld kv) of %lld, vocabulary %lld%s: "
        "%.1f M parameters\n",
        number(config.text.num_layers), number(config.text.hidden_size),
        number(config.text.num_heads), number(config.text.num_kv_heads),
        number(config.text.head_dim), number(config.text.vocab_size),
        config.text.tie_word_embeddings ? " (tied)" : "", million(cost.language_parameters));
    std::printf(
        "  a pair     %.2f GFLOP to score with %lld text tokens (vision %.2f, projector %.2f, "
        "language %.2f),\n"
        "             then %.3f GFLOP a generated token; %.1f KB of cache a token in bf16\n",
        cost.vision_gflop + cost.projector_gflop + cost.prefill_gflop, number(kTypicalTextTokens),
        cost.vision_gflop, cost.projector_gflop, cost.prefill_gflop, cost.decode_gflop_per_token,
        static_cast<double>(cost.kv_bytes_per_token) / 1e3);
    std::printf(
        "  memory     %.1f MB of weights, mapped; as much again for a packed copy (--packing),\n"
        "             %.2f MB of cache a pair\n",
        static_cast<double>(tensors.total_bytes()) / 1e6,
        static_cast<double>(cost.kv_bytes_per_token *
                            (config.num_image_tokens + kTypicalTextTokens)) /
            1e6);
  }

  void print_json(const ModelConfig& config, const TensorTable& tensors, const PairCost& cost,
                  const std::vector<std::string>& problems) const {
    const nlohmann::ordered_json json = {{"folder", model_.folder.string()},
                                         {"model_sha256", model_fingerprint(model_.folder, config)},
                                         {"base_sha256", model_fingerprint(model_.folder)},
                                         {"weight_bytes", tensors.total_bytes()},
                                         {"vision_name", config.vision_name},
                                         {"vision_config_origin", config.vision_config_origin},
                                         {"image_tokens", config.num_image_tokens},
                                         {"image_side_px", config.image.side_px},
                                         {"vision_parameters", cost.vision_parameters},
                                         {"projector_parameters", cost.projector_parameters},
                                         {"language_parameters", cost.language_parameters},
                                         {"language_layers", config.text.num_layers},
                                         {"vocab_size", config.text.vocab_size},
                                         {"eos_ids", config.eos_ids},
                                         {"vision_gflop", cost.vision_gflop},
                                         {"projector_gflop", cost.projector_gflop},
                                         {"prefill_gflop", cost.prefill_gflop},
                                         {"decode_gflop_per_token", cost.decode_gflop_per_token},
                                         {"kv_bytes_per_token", cost.kv_bytes_per_token},
                                         {"problems", problems}};
    std::printf("%s\n", json.dump(2).c_str());
  }

  ModelOptions model_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_inspect_command() { return std::make_unique<InspectCommand>(); }

}  // namespace aitqe::app
