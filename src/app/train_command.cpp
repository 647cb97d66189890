#include <CLI/CLI.hpp>
#include <cstdio>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/train/trainer.h"
#include "command.h"
#include "model_options.h"
#include "progress_line.h"
#include "signals.h"

namespace aitqe::app {

namespace {

class TrainCommand : public Command {
 public:
  std::string name() const override { return "train"; }
  std::string summary() const override {
    return "Train a model to judge and rewrite, by a recipe of stages";
  }
  std::string examples() const override {
    return "  aitqe train configs/train/tiny.toml -o my-model\n"
           "  aitqe enhance examples/pairs-00000.tar -o out --model my-model\n";
  }

  void add_options(CLI::App& app) override {
    app.add_option("recipe", recipe_, "What to train on what, in stages (TOML)")
        ->type_name("RECIPE");
    app.add_option("-o,--output", output_, "Folder for the model; the same command goes on there")
        ->type_name("DIR");
    add_device_option(app, options_.device);
    app.add_option("--threads", options_.num_threads, "Threads of the model (0: one a core)")
        ->type_name("N")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--workers", options_.num_workers, "Threads that read and decode")
        ->type_name("N")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
  }

  int run() override {
    if (recipe_.empty()) {
      throw Error(ErrorCategory::Usage, "no recipe given (see `aitqe train --help`)");
    }
    if (output_.empty()) throw Error(ErrorCategory::Usage, "no output folder given (-o DIR)");
    options_.recipe = Recipe::read(recipe_);
    options_.output_folder = output_;
    TrainProgress progress;
    stop_on_signals(progress.stop_requested);
    TrainResult result;
    {
      const ProgressLine line(
          [&progress](double elapsed_s) { return describe_progress(progress, elapsed_s); },
          !log_shows_information());
      result = train(options_, progress);
    }
    if (result.stopped) {
      log_warning(formatted("stopped on request after step %ld; the same command goes on from here",
                            result.steps_done));
      return exit_code(ErrorCategory::Resumable);
    }
    std::printf("%ld steps (%ld of them before), last loss %.4f; the model is in %s\n",
                result.steps_done, result.steps_done_before, result.last_loss, output_.c_str());
    return 0;
  }

 private:
  std::string recipe_;
  std::string output_;
  TrainOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_train_command() { return std::make_unique<TrainCommand>(); }

}  // namespace aitqe::app
