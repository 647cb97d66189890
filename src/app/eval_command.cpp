#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <set>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/eval/audit.h"
#include "aitqe/io/sink.h"
#include "command.h"
#include "default_model.h"
#include "model_options.h"
#include "progress_line.h"
#include "share.h"
#include "signals.h"

namespace aitqe::app {

namespace {

class EvalCommand : public Command {
 public:
  explicit EvalCommand(bool is_audit) : is_audit_(is_audit) {
    if (is_audit_) options_.limit = 500;
  }

  std::string name() const override { return is_audit_ ? "audit" : "eval"; }
  std::string summary() const override {
    return is_audit_
               ? "Test the judge on corrupted copies of your own data, and suggest a threshold"
               : "Measure how well a model tells good captions from bad ones";
  }
  std::string examples() const override {
    return is_audit_ ? "  aitqe audit examples/pairs-00000.tar --limit 100\n"
                       "  aitqe audit 'data/{00000..00009}.tar' --limit 1000 --rewrite-rate 20%\n"
                     : "  aitqe eval examples/pairs-00000.tar -o eval\n"
                       "  aitqe eval 'val/*.tar' -o eval --model my-model --flaws "
                       "other_image,near_miss\n";
  }

  void add_options(CLI::App& app) override {
    app.add_option("input", inputs_, "Captioned shards: files, folders, globs, braces, @list.txt")
        ->type_name("INPUT");
    app.add_option("-o,--output", output_,
                   std::string("Folder for ") + name() + ".json and one row per trial")
        ->type_name("DIR");
    add_model_options(app, model_);
    app.add_option("--caption-from", caption_from_, "Where captions are: txt or json:FIELD")
        ->type_name("SOURCE");
    app.add_option("--flaws", flaws_, "Which flaws are tried: all, names, -name, in one list")
        ->type_name("LIST");
    app.add_option("--limit", options_.limit,
                   "Try N images, drawn from all over the shards by --seed")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    app.add_option("--seed", options_.trials.seed,
                   "Another seed makes other flaws, and draws other images")
        ->type_name("N");
    app.add_option("--batch-size", batch_size_, "Trials in the model at once")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    app.add_option("--workers", options_.num_workers, "Threads that read and decode")
        ->type_name("N")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    if (is_audit_) {
      app.add_option("--rewrite-rate", rewrite_rate_, "Share of captions you want rewritten")
          ->type_name("RATE")
          ->capture_default_str();
    }
    app.add_flag("--json", json_, "Print JSON");
  }

  int run() override {
    if (inputs_.empty()) {
      throw Error(ErrorCategory::Usage, "no input given (see `aitqe " + name() + " --help`)");
    }
    const double wanted = parse_share(rewrite_rate_, "--rewrite-rate");
    if (!(wanted > 0 && wanted < 1)) {
      throw Error(ErrorCategory::Usage, "--rewrite-rate " + rewrite_rate_ +
                                            ": expected a share above 0% and below 100%; for all "
                                            "of them there is --rewrite-when always");
    }
    if (!flaws_.empty()) options_.trials.flaws = FlawMix::parse(flaws_);
    options_.caption_source = CaptionSource::parse(caption_from_);
    options_.shards = expand_inputs(inputs_);
    if (!output_.empty()) require_writable_folder(output_);
    if (model_.folder.empty()) model_.folder = default_model_folder();
    Progress progress;
    stop_on_signals(progress.stop_requested);
    const LoadedModel model = load_model(model_);
    log_info(formatted("%s, loaded in %.1f s", model.description.c_str(), model.load_s));
    options_.judge.limits = choose_limits(model, batch_size_, 0);
    TrialRun trials;
    {
      const ProgressLine line(
          [&progress](double elapsed_s) { return describe_progress(progress, elapsed_s); },
          !log_shows_information());
      trials = run_trials(options_, model, progress);
    }
    if (progress.stop_requested) return exit_code(ErrorCategory::Resumable);
    if (trials.results.empty()) {
      throw Error(ErrorCategory::NoInput,
                  "no caption to judge in the input\n" + trials.skipped.render("left out: "));
    }
    report(trials, wanted);
    return 0;
  }

 private:
  void report(const TrialRun& trials, double wanted) const {
    const std::vector<TrialResult>& results = trials.results;
    std::string json;
    std::string text;
    if (is_audit_) {
      const Audit made = audit(trials, wanted, options_.trials);
      json = audit_to_json(made);
      text = render_audit(made);
    } else {
      std::set<std::string> sources{""};
      for (const TrialResult& result : results) sources.insert(result.source);
      std::map<std::string, EvalFigures> by_source;
      for (const std::string& source : sources) {
        by_source[source] = summarise(results, source, options_.trials.seed);
      }
      json = figures_to_json(by_source, trials.skipped);
      text = render_figures(by_source) + trials.skipped.render("left out: ");
    }
    const std::string& shown = json_ ? json : text;
    std::fwrite(shown.data(), 1, shown.size(), stdout);
    if (output_.empty()) return;
    std::filesystem::create_directories(output_);
    const std::filesystem::path folder = output_;
    std::string rows;
    for (const TrialResult& result : results) rows += trial_to_json(result) + "\n";
    write_atomically(folder / "trials.jsonl", rows);
    write_atomically(folder / (name() + ".json"), json + "\n");
  }

  bool is_audit_;
  std::vector<std::string> inputs_;
  std::string output_;
  ModelOptions model_;
  std::string caption_from_ = "txt";
  std::string flaws_;
  std::string rewrite_rate_ = "10%";
  int batch_size_ = 0;
  bool json_ = false;
  EvalOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_eval_command() { return std::make_unique<EvalCommand>(false); }
std::unique_ptr<Command> make_audit_command() { return std::make_unique<EvalCommand>(true); }

}  // namespace aitqe::app
