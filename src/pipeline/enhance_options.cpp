#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "aitqe/base/error.h"
#include "aitqe/data/shard_output.h"
#include "aitqe/io/sink.h"
#include "aitqe/pipeline/enhance.h"
#include "aitqe/pipeline/judge.h"
#include "run_record.h"
#include "worst_set.h"

namespace aitqe {

namespace {

/// int8 leaves some products to another dtype, which depends on the processor.
std::string products_name(const nn::Compute& compute) {
  const std::string name = dtype_name(compute);
  if (compute.products != nn::Products::Int8) return name;
  return name + (compute.dtype == at::kFloat ? "/f32" : "/bf16");
}

}  // namespace

std::string pinned_config(const EnhanceOptions& options, const LoadedModel& model) {
  const nn::Compute& compute = model.mllm().compute();
  nlohmann::ordered_json config = {
      {"rewrite_when", options.rule.to_string()},
      {"caption_from", options.prepare.caption_source.to_string()},
      {"reference_specials", options.prepare.caption_specials == CaptionSpecials::Reference},
      {"joined_archives", options.reading.tar.read_after_end_marker},
      {"on_injection", on_injection_name(options.prepare.on_injection)},
      {"max_side_px", options.prepare.image_limits.max_side_px},
      {"max_pixels", options.prepare.image_limits.max_pixels},
      {"max_encoded_bytes", options.prepare.image_limits.max_encoded_bytes},
      {"max_prompt_tokens", options.prepare.max_prompt_tokens},
      {"max_new_tokens", choose_max_new_tokens(model, options.judge)},
      {"full", options.judge.full},
      {"verify", options.judge.verify},
      {"answers", options.with_answers},
      {"limit", options.reading.sampling.limit},
      {"sample", options.reading.sampling.rate},
      {"seed", options.reading.sampling.seed},
      {"write_shards", options.write_shards},
      {"write_parquet", options.write_parquet},
      {"dtype", products_name(compute)},
      {"device", compute.device.is_cuda() ? "cuda" : "cpu"},
  };
  if (options.rule.kind == RewriteRule::Kind::WorstPercent && options.scores_folder) {
    config["scores_sha256"] = scores_sha256(*options.scores_folder, options.shards);
  }
  // Elsewhere answers do not depend on who shares a batch.
  if (const std::int64_t pairs = choose_batch_pairs(model, options.judge); pairs > 0) {
    config["batches"] = {{"pairs", pairs},
                         {"sequences", options.judge.limits.max_sequences},
                         {"tokens", options.judge.limits.batch_tokens}};
  }
  return config.dump();
}

namespace {

/// On this machine's disk: all shards that are to be made, or as many as lie there at once before
/// they are uploaded.
std::int64_t needed_bytes(const EnhanceOptions& options) {
  constexpr std::size_t kMostAtOnce = 3;  // written, being uploaded, waiting for that
  const OutputFolder& output = options.output_folder;
  std::vector<std::int64_t> sizes;
  for (const ShardRef& shard : options.shards) {
    if (!options.write_shards || !is_local_file(shard)) continue;
    if (output.is_local() && committed(output, shard.name)) continue;
    std::error_code unknown;  // of a named pipe, say
    const auto bytes = std::filesystem::file_size(shard.url, unknown);
    if (!unknown) sizes.push_back(static_cast<std::int64_t>(bytes));
  }
  std::sort(sizes.rbegin(), sizes.rend());
  if (!output.is_local()) sizes.resize(std::min(sizes.size(), kMostAtOnce));
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
}

}  // namespace

void check_enhance_options(const EnhanceOptions& options) {
  options.output_folder.require_writable();
  if (!options.overwrite) require_task_count(options.output_folder, options.task.count);
  check_output_folder(options.output_folder, options.shards);
  if (options.rule.kind == RewriteRule::Kind::WorstPercent && !options.scores_folder) {
    throw Error(ErrorCategory::Usage,
                "--rewrite-when " + options.rule.to_string() +
                    ": needs the folder of a finished `aitqe score` run (--scores DIR)");
  }
  if (options.rule.kind == RewriteRule::Kind::WorstPercent) {
    require_scores(*options.scores_folder, options.shards);
  }
  if (options.trace_file) {
    require_writable_folder(std::filesystem::absolute(*options.trace_file).parent_path(),
                            "--trace");
  }
  require_free_space(options.output_folder.work_folder(), needed_bytes(options));
}

std::string plan_to_json(const EnhanceOptions& options) {
  nlohmann::ordered_json shards = nlohmann::ordered_json::array();
  const OutputFolder listed = options.output_folder.listed();
  for (const ShardRef& shard : options.shards) {
    shards.push_back({{"shard", shard.name}, {"done", is_finished(listed, shard.name)}});
  }
  const nlohmann::ordered_json plan = {{"schema", "aitqe.plan/1"}, {"shards", shards}};
  return plan.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace aitqe
