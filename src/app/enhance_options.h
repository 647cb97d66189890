#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "aitqe/pipeline/enhance.h"
#include "run_watch.h"

namespace aitqe::app {

/// What the user typed; turned into EnhanceOptions once it is complete.
struct TypedEnhanceOptions {
  std::vector<std::string> inputs;
  std::string output;
  std::string state_folder;
  ModelOptions model;
  std::string caption_from = "txt";
  std::string rewrite_when = "model";
  std::string on_injection = "judge";
  std::string sample = "1";
  std::string max_failed = "1%";
  std::string scores;
  std::string trace;
  int batch_size = 0;
  std::int64_t batch_tokens = 0;
  std::string joined_archives = "read";
  bool no_parquet = false;
  bool reference_specials = false;
  bool dry_run = false;
  double forecast_s = 20;
  std::string report;
  bool no_images = false;
  std::string task_index;
  int task_count = 0;
  std::string shards_from;
  bool json = false;
  WatchOptions watch;
};

/// The options of `enhance` and `score`: what needs no parsing goes into `options` at once.
/// Both outlive `app`.
void add_enhance_options(CLI::App& app, TypedEnhanceOptions& typed, EnhanceOptions& options);

}  // namespace aitqe::app
