#include "aitqe/pipeline/enhance.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "aitqe/base/log.h"
#include "aitqe/data/shard_output.h"
#include "aitqe/io/sink.h"
#include "aitqe/pipeline/trace.h"
#include "aitqe/report/parquet.h"
#include "aitqe/report/stats.h"
#include "run_record.h"
#include "shard_writer.h"
#include "work_meter.h"
#include "worst_set.h"

namespace aitqe {

namespace {

/// One run: what its shards share. Shards are done one after the other; while one is being
/// finished the next is already read and decoded.
class Run {
 public:
  Run(const EnhanceOptions& options, const LoadedModel& model, Progress& progress)
      : options_(options),
        model_(model),
        progress_(progress),
        prepare_(model, with_trace(options)),
        judge_(model, options.judge),
        config_sha256_(sha256_hex(pinned_config(options, model))) {
    if (options.rule.kind == RewriteRule::Kind::WorstPercent) {
      worst_ = load_worst_set(*options.scores_folder, options.shards, options.rule.value,
                              options.reading.sampling.seed);
    }
    if (options.trace_file) trace_.emplace(*options.trace_file);
    conclude_options_ = {options.rule,       judge_.keys(),        options.prepare.caption_source,
                         options.judge.full, options.judge.verify, options.with_answers};
    pairs_left_ = options.reading.sampling.limit;
  }

  EnhanceResult run() {
    std::vector<const ShardRef*> to_do;
    for (const ShardRef& shard : options_.shards) {
      if (!add_if_done(shard)) to_do.push_back(&shard);
    }
    // Not before: a folder of another configuration is refused as it stands.
    write_run_record(options_.output_folder,
                     {pinned_config(options_, model_), model_.fingerprint, model_.load_s});
    work_.emplace(progress_, to_do, options_.reading.sampling.rate, pairs_left_);
    std::unique_ptr<ShardStream> next = to_do.empty() ? nullptr : open(*to_do[0]);
    for (std::size_t i = 0; i < to_do.size(); ++i) {
      if (progress_.stop_requested || pairs_left_ == 0) break;
      const std::unique_ptr<ShardStream> current = std::move(next);
      // With a limit, how far to read the next shard is known only when this one is done.
      const bool may_read_ahead = options_.reading.sampling.limit < 0 && i + 1 < to_do.size();
      if (may_read_ahead) next = open(*to_do[i + 1]);
      if (current) {
        enhance_shard(*current);
      } else {
        ++result_.shards_unreadable;
      }
      work_->finish(*to_do[i]);
      if (!may_read_ahead && i + 1 < to_do.size()) next = open(*to_do[i + 1]);
    }
    result_.stopped = progress_.stop_requested &&
                      result_.shards_done + result_.shards_done_before + result_.shards_unreadable <
                          static_cast<std::int64_t>(options_.shards.size());
    result_.times = judge_.times();
    return std::move(result_);
  }

 private:
  static PrepareOptions with_trace(const EnhanceOptions& options) {
    PrepareOptions prepare = options.prepare;
    prepare.with_pixels_sha256 = options.trace_file.has_value();
    return prepare;
  }

  /// A shard that an earlier run committed counts as it stands.
  bool add_if_done(const ShardRef& shard) {
    if (options_.overwrite) return false;
    const auto found = committed(options_.output_folder, shard.name);
    if (!found) return false;
    const ShardStats stats = read_stats(*found);
    if (stats.config_sha256 != config_sha256_ || stats.model_sha256 != model_.fingerprint) {
      throw Error(ErrorCategory::Usage,
                  (options_.output_folder / shard.name).string() + ": was made by another " +
                      (stats.model_sha256 != model_.fingerprint ? "model" : "configuration") +
                      "; choose another folder (-o) or make it again (--overwrite)");
    }
    result_.summary.merge(stats.summary);
    if (pairs_left_ > 0) {
      pairs_left_ = std::max<std::int64_t>(0, pairs_left_ - stats.summary.read);
    }
    ++result_.shards_done_before;
    ++progress_.shards_done;
    return true;
  }

  /// Null for a shard that cannot be opened: the others are still done.
  std::unique_ptr<ShardStream> open(const ShardRef& shard) {
    ReadingOptions reading = options_.reading;
    reading.sampling.limit = pairs_left_;
    try {
      return std::make_unique<ShardStream>(shard, prepare_, reading);
    } catch (const Error& error) {
      if (error.category() != ErrorCategory::NoInput) throw;
      log_error(error.what());
      return nullptr;
    }
  }

  AnswerOrder order_for(const PreparedSample& sample, const std::string& shard) const {
    switch (options_.rule.kind) {
      case RewriteRule::Kind::Model:
        return {};
      case RewriteRule::Kind::ScoreBelow:
        return {AnswerStart::Free, options_.rule.value};
      case RewriteRule::Kind::WorstPercent:
        return {is_worst(shard, sample.sample.index) ? AnswerStart::ForceRecaption
                                                     : AnswerStart::ForceScore,
                {}};
      case RewriteRule::Kind::Always:
        return {AnswerStart::ForceRecaption, {}};
      case RewriteRule::Kind::Never:
        return {AnswerStart::ForceScore, {}};
    }
    return {};
  }

  bool is_worst(const std::string& shard, std::int64_t index) const {
    return worst_.contains({shard, index});
  }

  void enhance_shard(ShardStream& stream) {
    const auto start = std::chrono::steady_clock::now();
    const ShardRef& shard = stream.shard();
    ShardOutput output(options_.output_folder, shard, {options_.write_shards, ""});
    std::optional<ParquetWriter> parquet;  // the writer's thread alone, until that is finished
    if (options_.write_parquet) parquet.emplace(output.open_side_file(kParquetSuffix));
    RewriteCounts counts;  // the writer's thread alone
    ShardWriter writer(
        output,
        [&](AssessedSample sample) {
          const bool worst = is_worst(shard.name, sample.prepared.sample.index);
          return conclude(std::move(sample), shard.name, worst, conclude_options_, &counts);
        },
        [&](const EnhancedSample& sample) {
          if (parquet) parquet->add(sample.row);
          count(sample);
        });

    const auto next = [&]() -> std::optional<PreparedSample> {
      if (progress_.stop_requested) return std::nullopt;
      return stream.next();
    };
    judge_.run(
        next, [&](const PreparedSample& sample) { return order_for(sample, shard.name); },
        [&](AssessedSample sample) {
          if (trace_) trace_->add(sample, shard.name);
          writer.add(std::move(sample));
        });
    ShardStats stats;
    stats.summary = writer.finish();
    if (progress_.stop_requested)
      return;  // the output is dropped: this shard is done again next time
    output.add_pass_through(stream.take_leftovers());
    if (parquet) parquet->finish();
    if (pairs_left_ > 0) pairs_left_ -= stats.summary.read;
    for (const ArchiveDamage& damage : stream.losses().entries()) {
      log_warning(damage.message + describe_loss(damage));
      if (!is_loss(damage)) continue;
      stats.summary.add_damage({shard.name, to_string(damage.kind), damage.bytes_lost,
                                damage.pairs_lost.value_or(kPairsUnknown)});
    }
    stats.shard = shard.name;
    stats.version = AITQE_VERSION;
    stats.input = {shard.url, stream.bytes_read(), "", stream.sha256()};
    stats.config_sha256 = config_sha256_;
    stats.model_sha256 = model_.fingerprint;
    stats.duration_s =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    output.commit(nlohmann::ordered_json::parse(stats_to_json(stats)));
    result_.summary.merge(stats.summary);
    ++result_.shards_done;
    ++progress_.shards_done;
  }

  void count(const EnhancedSample& sample) {
    ++progress_.pairs;
    if (sample.row.decision == Decision::Rewrite) ++progress_.rewritten;
    if (sample.row.decision == Decision::Failed) ++progress_.failed;
    work_->add(sample.sample);
  }

  const EnhanceOptions& options_;
  const LoadedModel& model_;
  Progress& progress_;
  Preparer prepare_;
  Judge judge_;
  std::string config_sha256_;
  ConcludeOptions conclude_options_;
  PairSet worst_;
  std::optional<Trace> trace_;
  std::int64_t pairs_left_ = -1;
  std::optional<WorkMeter> work_;
  EnhanceResult result_;
};

}  // namespace

EnhanceResult enhance(const EnhanceOptions& options, const LoadedModel& model, Progress& progress) {
  const auto start = std::chrono::steady_clock::now();
  progress.num_shards = static_cast<std::int64_t>(options.shards.size());
  EnhanceResult result = Run(options, model, progress).run();
  result.run_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  write_run_record(options.output_folder,
                   {pinned_config(options, model), model.fingerprint, model.load_s, &result});
  return result;
}

std::string pinned_config(const EnhanceOptions& options, const LoadedModel& model) {
  const nn::Compute& compute = model.mllm->compute();
  const nlohmann::ordered_json config = {
      {"rewrite_when", options.rule.to_string()},
      {"caption_from", options.prepare.caption_source.to_string()},
      {"reference_specials", options.prepare.caption_specials == CaptionSpecials::Reference},
      {"joined_archives", options.reading.tar.read_after_end_marker},
      {"max_side_px", options.prepare.image_limits.max_side_px},
      {"max_pixels", options.prepare.image_limits.max_pixels},
      {"max_encoded_bytes", options.prepare.image_limits.max_encoded_bytes},
      {"max_prompt_tokens", options.prepare.max_prompt_tokens},
      {"max_new_tokens", options.judge.max_new_tokens},
      {"full", options.judge.full},
      {"verify", options.judge.verify},
      {"answers", options.with_answers},
      {"limit", options.reading.sampling.limit},
      {"sample", options.reading.sampling.rate},
      {"seed", options.reading.sampling.seed},
      {"write_shards", options.write_shards},
      {"write_parquet", options.write_parquet},
      {"dtype", compute.dtype == at::kFloat ? "f32" : "bf16"},
      {"device", compute.device.is_cuda() ? "cuda" : "cpu"},
  };
  return config.dump();
}

void check_enhance_options(const EnhanceOptions& options) {
  check_output_folder(options.output_folder, options.shards);
  require_writable_folder(options.output_folder);
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
  std::int64_t needed_bytes = 0;
  for (const ShardRef& shard : options.shards) {
    if (options.write_shards && is_local_file(shard) &&
        !committed(options.output_folder, shard.name)) {
      needed_bytes += static_cast<std::int64_t>(std::filesystem::file_size(shard.url));
    }
  }
  require_free_space(options.output_folder, needed_bytes);
}

std::optional<ErrorCategory> outcome(const EnhanceResult& result, double max_failed_percent) {
  if (result.stopped) return ErrorCategory::Resumable;
  const Summary& summary = result.summary;
  if (summary.read == 0 && result.shards_done == 0 && result.shards_done_before == 0)
    return ErrorCategory::NoInput;
  const bool too_many_failed = static_cast<double>(summary.failed) * 100.0 >
                               max_failed_percent * static_cast<double>(summary.read);
  if (too_many_failed || !summary.damage.empty() || result.shards_unreadable > 0)
    return ErrorCategory::Damaged;
  return summary.read == 0 ? std::optional(ErrorCategory::NoInput) : std::nullopt;
}

}  // namespace aitqe
