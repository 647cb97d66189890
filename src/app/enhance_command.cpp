#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/io/output_folder.h"
#include "aitqe/io/sink.h"
#include "aitqe/pipeline/dry_run.h"
#include "aitqe/pipeline/enhance.h"
#include "aitqe/report/hints.h"
#include "aitqe/report/parquet.h"
#include "command.h"
#include "default_model.h"
#include "enhance_options.h"
#include "forecast_text.h"
#include "line_feed.h"
#include "model_options.h"
#include "progress_line.h"
#include "run_watch.h"
#include "share.h"
#include "signals.h"
#include "stall_watch.h"
#include "task.h"
#include "terminal.h"
#include "typed_command.h"

namespace aitqe::app {

namespace {

class EnhanceCommand : public Command {
 public:
  explicit EnhanceCommand(bool write_shards) { options_.write_shards = write_shards; }

  std::string name() const override { return options_.write_shards ? "enhance" : "score"; }
  std::string summary() const override {
    return options_.write_shards ? "Judge every pair of the shards and rewrite poor captions"
                                 : "Judge every pair of the shards; write report rows only";
  }
  std::string examples() const override {
    const std::string command = "  aitqe " + name() + " ";
    return command + "examples/pairs-00000.tar -o out\n" + command +
           "'data/{00000..00099}.tar' -o out --model AITQE --device cuda --workers 8\n" + command +
           "@shards.txt -o out --rewrite-when 'score<4' --sample 1%\n" +
           "  cat data/00000.tar | aitqe " + name() + " - -o out\n";
  }

  void add_options(CLI::App& app) override {
    app_ = &app;
    add_enhance_options(app, typed_, options_);
  }

  int run() override {
    stop_on_signals(progress_.stop_requested);
    complete_options();
    check_enhance_options(options_);
    if (typed_.dry_run) return look_ahead();
    if (!options_.output_folder.is_local()) {
      log_info("unfinished shards are kept in " + options_.output_folder.work_folder().string());
    }
    RunWatch watch(typed_.watch, {options_.output_folder.name(), options_.task.index}, progress_);
    try {
      return watch.finish(judge_shards(watch));
    } catch (const Error& error) {
      watch.finish(exit_code(error.category()));
      throw;
    } catch (...) {
      watch.finish(exit_code(ErrorCategory::Bug));
      throw;
    }
  }

 private:
  int judge_shards(RunWatch& watch) {
    std::unique_ptr<StallWatch> stall_watch = watch.watch_for_stalls();
    const LoadedModel model = load();
    log_info(formatted("%s, loaded in %.1f s", model.description.c_str(), model.load_s));
    options_.judge.limits = choose_limits(model, typed_.batch_size, typed_.batch_tokens);
    std::optional<LineFeed> feed;
    if (!typed_.shards_from.empty()) {
      options_.feed = &feed.emplace(typed_.shards_from, options_.shards, options_.output_folder,
                                    progress_.stop_requested);
    }
    EnhanceResult result;
    {
      const ProgressLine line(
          [this](double elapsed_s) { return describe_progress(progress_, elapsed_s); },
          !log_shows_information());
      result = enhance(options_, model, progress_);
    }
    stall_watch.reset();
    if (feed && feed->num_refused() > 0) {
      result.shards_unreadable += feed->num_refused();
      result.is_idle_task = false;
    }
    return conclude_run(result);
  }

  /// A request to stop ends it, and the stall watch sees it go on.
  LoadedModel load() {
    const auto doing = Activity::begin(&progress_.activity, RunStage::Load, "", "");
    typed_.model.on_tensor = [this] {
      progress_.activity.note_part();
      if (progress_.stop_requested) {
        throw Error(ErrorCategory::Resumable, "stopped on request while the model was loaded");
      }
    };
    return load_model(typed_.model);
  }

  void complete_options() {
    const bool is_fed = !typed_.shards_from.empty() && !typed_.dry_run;
    if (typed_.inputs.empty() && !is_fed)
      throw Error(ErrorCategory::Usage, "no input given (see `aitqe " + name() + " --help`)");
    if (typed_.output.empty()) throw Error(ErrorCategory::Usage, "no output folder given (-o DIR)");
    options_.output_folder = OutputFolder::open(
        typed_.output, {typed_.state_folder, [this] { return progress_.stop_requested.load(); },
                        [this] { progress_.activity.note_part(); }});
    options_.task = read_task(typed_.task_index, typed_.task_count, options_.output_folder);
    options_.rule = RewriteRule::parse(typed_.rewrite_when);
    options_.prepare.on_injection = on_injection_from_name(typed_.on_injection);
    options_.prepare.caption_source = CaptionSource::parse(typed_.caption_from);
    if (typed_.reference_specials) options_.prepare.caption_specials = CaptionSpecials::Reference;
    options_.reading.sampling.rate = parse_share(typed_.sample, "--sample");
    options_.reading.tar.read_after_end_marker = typed_.joined_archives == "read";
    options_.max_failed_percent = 100 * parse_share(typed_.max_failed, "--max-failed");
    require_on_disk(typed_.scores, "--scores");
    if (!typed_.scores.empty()) options_.scores_folder = typed_.scores;
    if (!typed_.trace.empty()) options_.trace_file = typed_.trace;
    options_.write_parquet = has_parquet() && !typed_.no_parquet;
    if (!has_parquet() && !typed_.no_parquet) {
      log_info("built without Arrow: report rows are JSON lines only, no Parquet");
    }
    check_report_file();
    check_watch_options(typed_.watch);
    if (!typed_.inputs.empty()) options_.shards = expand_inputs(typed_.inputs);
    if (is_fed) check_feed();
    options_.command = typed_command(*app_);
    if (typed_.model.folder.empty()) typed_.model.folder = default_model_folder();
  }

  /// What needs to know beforehand which shards there will be.
  void check_feed() const {
    const auto refuse = [](const std::string& what) {
      throw Error(ErrorCategory::Usage, what + ": cannot be combined with --shards-from");
    };
    if (options_.reading.sampling.limit >= 0) refuse("--limit");
    if (!typed_.task_index.empty()) refuse("--task-index");
    const bool is_stdin_taken = std::ranges::any_of(
        options_.shards, [](const ShardRef& shard) { return shard.url == "-"; });
    if (is_stdin_taken && typed_.shards_from == "-") refuse("input -");
    if (options_.rule.kind == RewriteRule::Kind::WorstPercent && options_.shards.empty()) {
      throw Error(ErrorCategory::Usage,
                  "--rewrite-when " + options_.rule.to_string() +
                      ": with --shards-from it needs the shards of the whole job as input");
    }
  }

  int look_ahead() {
    const ModelConfig config = load_model_config(typed_.model.folder, typed_.model.vision_folder);
    std::int64_t bytes = 0;
    for (const ShardRef& shard : options_.shards) {
      std::error_code unknown;  // of a stream
      const auto size = std::filesystem::file_size(shard.url, unknown);
      if (!unknown) bytes += static_cast<std::int64_t>(size);
    }
    if (!typed_.json) {
      std::printf(
          "%zu shards, %.1f MB, to %s with %s (%lld image tokens a pair); nothing is written "
          "there\n",
          options_.shards.size(), static_cast<double>(bytes) / 1e6,
          options_.output_folder.name().c_str(), typed_.model.folder.c_str(),
          static_cast<long long>(config.num_image_tokens));
    }
    if (typed_.forecast_s > 0) {
      show_dry_run();
    } else if (typed_.json) {
      const std::string text = plan_to_json(options_) + "\n";
      std::fwrite(text.data(), 1, text.size(), stdout);
    }
    return 0;
  }

  /// Nothing that is there already is lost to a slip, and the output folder is never touched.
  void check_report_file() const {
    if (typed_.no_images && typed_.report.empty()) {
      throw Error(ErrorCategory::Usage, "--no-images: only with --dry-run --report FILE");
    }
    if (typed_.report.empty()) return;
    const std::filesystem::path file = std::filesystem::absolute(typed_.report).lexically_normal();
    const auto refuse = [this](const std::string& why) {
      throw Error(ErrorCategory::Usage, "--report " + typed_.report + ": " + why);
    };
    if (!typed_.dry_run) {
      refuse("only with --dry-run; after a run `aitqe report DIR` makes the page");
    }
    if (typed_.forecast_s <= 0)
      refuse("--forecast-s 0 tries no pairs, so there is nothing to show");
    if (file.extension() != ".html") refuse("expected a name that ends in .html");
    const auto output =
        std::filesystem::absolute(options_.output_folder.work_folder()).lexically_normal() / "";
    const auto inside = file.lexically_relative(output);
    if (!inside.empty() && *inside.begin() != "..") {
      refuse("is in the output folder, which a dry run does not touch");
    }
    require_writable_folder(file.parent_path(), "--report");
  }

  void show_dry_run() {
    const LoadedModel model = load();
    options_.judge.limits = choose_limits(model, typed_.batch_size, typed_.batch_tokens);
    const bool with_page = !typed_.report.empty();
    DryRun found;
    {
      const ProgressLine line(
          [this](double elapsed_s) { return describe_progress(progress_, elapsed_s); },
          !log_shows_information());
      found =
          dry_run(options_, model, {typed_.forecast_s, with_page && !typed_.no_images}, progress_);
    }
    if (with_page) {
      write_atomically(typed_.report, report_to_html(found.preview.report));
      log_info("the same with charts and examples: " + typed_.report);
    }
    const std::string text = typed_.json ? dry_run_to_json(found) + "\n"
                                         : render_forecast(found.forecast) +
                                               render_preview(found.preview, terminal_style());
    std::fwrite(text.data(), 1, text.size(), stdout);
  }

  int conclude_run(const EnhanceResult& result) {
    const EngineTimes& times = result.times;
    log_info(formatted(
        "%ld pairs in %.1f s; vision %.2f s, prefill %.2f s (%.1f tokens/s), decode %.2f s "
        "(%.1f tokens/s); %ld shards written, %ld done before, %ld pairs answered before",
        result.summary.read, result.run_s, times.vision_s, times.prefill_s,
        static_cast<double>(times.prompt_tokens) / std::max(times.prefill_s, 1e-9), times.decode_s,
        static_cast<double>(times.decode_rows) / std::max(times.decode_s, 1e-9), result.shards_done,
        result.shards_done_before, result.pairs_resumed));
    const std::string text =
        typed_.json ? summary_to_json(result.summary) + "\n" : render_text(result.summary);
    // Where receipts go a text for people has no place.
    if (options_.feed == nullptr || typed_.json) std::fwrite(text.data(), 1, text.size(), stdout);
    constexpr std::size_t kMostProblems = 5;
    for (const std::string& line : problem_lines(result.summary, kMostProblems)) log_warning(line);
    const auto category = outcome(result, options_.max_failed_percent);
    if (!category) return 0;
    if (result.stopped) {
      log_warning(std::string(progress_.has_stalled ? "ended because nothing moved"
                                                    : "stopped on request") +
                  "; the same command goes on from here");
    }
    if (result.shards_elsewhere > 0) {
      log_warning(
          formatted("%ld shard%s left to another run; the same command sees to what is left",
                    result.shards_elsewhere, result.shards_elsewhere == 1 ? "" : "s"));
    }
    if (*category == ErrorCategory::NoInput) log_error("no pair was found in the input");
    if (*category == ErrorCategory::Damaged) {
      log_error(formatted(
          "finished with %ld of %ld pairs failed (limit %g %%, --max-failed), %zu damaged place%s, "
          "%ld unreadable shard%s",
          result.summary.failed, result.summary.read, options_.max_failed_percent,
          result.summary.damage.size(), result.summary.damage.size() == 1 ? "" : "s",
          result.shards_unreadable, result.shards_unreadable == 1 ? "" : "s"));
    }
    return exit_code(*category);
  }

  const CLI::App* app_ = nullptr;
  TypedEnhanceOptions typed_;
  Progress progress_;
  EnhanceOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_enhance_command() { return std::make_unique<EnhanceCommand>(true); }
std::unique_ptr<Command> make_score_command() { return std::make_unique<EnhanceCommand>(false); }

}  // namespace aitqe::app
