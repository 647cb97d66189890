#include "enhance_options.h"

#include "model_options.h"
#include "one_of.h"

namespace aitqe::app {

namespace {

void add_input_options(CLI::App& app, TypedEnhanceOptions& typed, EnhanceOptions& options) {
  app.add_option("input", typed.inputs,
                 "Shards: files, folders, globs, braces, @list.txt, - (a tar on stdin), pipe:CMD, "
                 "https://..., s3://BUCKET/KEY")
      ->type_name("INPUT");
  app.add_option("-o,--output", typed.output,
                 "Where shards and report rows go: a folder, or s3://BUCKET/PREFIX")
      ->type_name("DIR");
  app.add_option("--caption-from", typed.caption_from, "Where captions are: txt or json:FIELD")
      ->type_name("SOURCE")
      ->group("Input")
      ->capture_default_str();
  app.add_option("--limit", options.reading.sampling.limit,
                 "Take only the first N pairs of the run")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->group("Input");
  app.add_option("--sample", typed.sample,
                 "Take this share of the pairs, e.g. 1%; others are not written")
      ->type_name("RATE")
      ->group("Input")
      ->capture_default_str();
  app.add_option("--seed", options.reading.sampling.seed,
                 "Seed of --sample and of ties in worst:P%")
      ->type_name("N")
      ->group("Input")
      ->capture_default_str();
  app.add_option("--joined-archives", typed.joined_archives,
                 "What follows the end of an archive inside a shard: read, or skip as most "
                 "loaders do; told either way")
      ->type_name("HOW")
      ->check(one_of({"read", "skip"}))
      ->group("Input")
      ->capture_default_str();
  ImageLimits& limits = options.prepare.image_limits;
  app.add_option("--max-side-px", limits.max_side_px, "Refuse images wider or higher than this")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->group("Input")
      ->capture_default_str();
  app.add_option("--max-pixels", limits.max_pixels, "Refuse images with more pixels than this")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->group("Input")
      ->capture_default_str();
  app.add_option("--max-encoded-bytes", limits.max_encoded_bytes,
                 "Refuse image files larger than this")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->group("Input")
      ->capture_default_str();
  app.add_option("--max-prompt-tokens", options.prepare.max_prompt_tokens,
                 "Refuse captions that make a longer prompt")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->group("Input")
      ->capture_default_str();
}

void add_speed_options(CLI::App& app, TypedEnhanceOptions& typed, EnhanceOptions& options) {
  app.add_option("--batch-size", typed.batch_size,
                 "Pairs in the model at once; results do not depend on it")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->group("Speed");
  app.add_option("--batch-tokens", typed.batch_tokens, "Prompt tokens run in one step")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->group("Speed");
  app.add_option("--workers", options.reading.num_workers, "Threads that read and decode")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->group("Speed")
      ->capture_default_str();
  app.add_option("--read-ahead", options.reading.read_ahead, "Pairs read ahead of the model")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->group("Speed")
      ->capture_default_str();
}

void add_judgement_options(CLI::App& app, TypedEnhanceOptions& typed, EnhanceOptions& options) {
  app.add_option("--rewrite-when", typed.rewrite_when,
                 "model (where it wants to), score<K, worst:P% (needs --scores), always or never")
      ->type_name("RULE")
      ->group("Judgement")
      ->capture_default_str();
  app.add_option("--on-injection", typed.on_injection,
                 "Captions that may speak to the judge: judge them as any, keep them whatever it "
                 "says, or fail their pairs unseen")
      ->type_name("POLICY")
      ->check(one_of({"judge", "keep", "fail"}))
      ->group("Judgement")
      ->capture_default_str();
  app.add_option("--scores", typed.scores, "Folder of a finished `aitqe score` run, for worst:P%")
      ->type_name("DIR")
      ->group("Judgement");
  app.add_option("--max-new-tokens", options.judge.max_new_tokens,
                 "Longest answer; default: what the model's aitqe.json says, else 384")
      ->type_name("N")
      ->check(CLI::Range(1, kMostNewTokens))
      ->group("Judgement");
  app.add_flag("--full", options.judge.full, "All five sub-scores and explanations")
      ->group("Judgement");
  app.add_flag("--verify", options.judge.verify,
               "Take a new caption only if it scores better than the old one and keeps its names "
               "and numbers")
      ->group("Judgement");
  app.add_flag("--reference-specials", typed.reference_specials,
               "Parse special tokens in captions as the reference does; only to compare with it, "
               "never for "
               "captions you do not trust")
      ->group("Judgement");
}

void add_run_options(CLI::App& app, TypedEnhanceOptions& typed, EnhanceOptions& options) {
  app.add_option(
         "--task-index", typed.task_index,
         "Do one part of a job that several processes share: a number from 0, or auto (of a "
         "Slurm array, a Kubernetes indexed Job, or RANK)")
      ->type_name("I")
      ->group("Run");
  app.add_option("--task-count", typed.task_count,
                 "Parts that the job has; kept in the output folder")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->group("Run");
  app.add_option("--state", typed.state_folder,
                 "With -o s3://...: where this machine keeps what is not uploaded yet; default: "
                 "aitqe in $XDG_CACHE_HOME or ~/.cache")
      ->type_name("DIR")
      ->group("Run");
  app.add_option(
         "--shards-from", typed.shards_from,
         "Do the shards that are named here line by line as they come (- is standard input), and "
         "print a JSON line for each that is finished")
      ->type_name("FILE")
      ->group("Run");
  app.add_flag("--overwrite", options.overwrite, "Do shards again that are done already")
      ->group("Run");
  app.add_flag("--no-parquet", typed.no_parquet, "Write report rows as JSON lines only")
      ->group("Run");
  app.add_flag(
         "--dry-run", typed.dry_run,
         "Check options, inputs, output and model, say how long the run would take and what it "
         "would do to the pairs of --sample, and stop")
      ->group("Run");
  app.add_option("--forecast-s", typed.forecast_s,
                 "Time that --dry-run tries pairs for; 0: no forecast, no weights are loaded")
      ->type_name("SECONDS")
      ->check(CLI::NonNegativeNumber)
      ->group("Run")
      ->capture_default_str();
  app.add_option("--report", typed.report,
                 "With --dry-run: a page of what would be rewritten; its name ends in .html")
      ->type_name("FILE")
      ->group("Run");
  app.add_flag("--no-images", typed.no_images, "With --report: no pictures on the page")
      ->group("Run");
  app.add_option("--max-failed", typed.max_failed, "Exit with 3 when a larger share of pairs fails")
      ->type_name("P%")
      ->group("Run")
      ->capture_default_str();
  app.add_option("--trace", typed.trace, "Write one JSON line per pair for comparing and debugging")
      ->type_name("FILE")
      ->group("Run");
  app.add_flag("--json", typed.json, "Print the summary as JSON")->group("Run");
  app.add_flag("-v,--verbose", options.with_answers, "Keep the model's raw answers in the rows")
      ->group("Run");
}

}  // namespace

void add_enhance_options(CLI::App& app, TypedEnhanceOptions& typed, EnhanceOptions& options) {
  add_input_options(app, typed, options);
  add_model_options(app, typed.model);
  add_speed_options(app, typed, options);
  add_judgement_options(app, typed, options);
  add_run_options(app, typed, options);
  add_watch_options(app, typed.watch);
}

}  // namespace aitqe::app
