#include "shard_job.h"

#include <nlohmann/json.hpp>

#include "aitqe/base/log.h"
#include "aitqe/base/version.h"
#include "aitqe/io/url.h"
#include "aitqe/report/stats.h"
#include "answer_record.h"
#include "done_shard.h"

namespace aitqe {

namespace {

/// What answers in a journal hold for: the same pairs, asked the same way.
std::string journal_header(const ShardRef& shard, const ShardJobOptions& options) {
  nlohmann::ordered_json input = {{"url", without_secrets(shard.url)}};
  if (is_local_file(shard)) {
    std::error_code ignored;  // one that went away is reported by who reads it
    input["bytes"] = std::filesystem::file_size(shard.url, ignored);
    input["modified"] = version_of_input(shard);
  }
  const nlohmann::ordered_json header = {{"schema", "aitqe.journal/1"},
                                         {"input", input},
                                         {"config_sha256", options.config_sha256},
                                         {"model_sha256", options.model_sha256}};
  return header.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::optional<ParquetWriter> open_parquet(ShardOutput& output, const ShardJobOptions& options) {
  if (!options.write_parquet) return std::nullopt;
  return ParquetWriter(output.open_side_file(kParquetSuffix));
}

}  // namespace

std::unique_ptr<Journal> open_journal(const ShardRef& shard, const ShardJobOptions& options) {
  return Journal::open(options.output_folder.work_folder(), shard.name,
                       journal_header(shard, options));
}

ShardJob::ShardJob(std::unique_ptr<ShardStream> stream, std::unique_ptr<Journal> journal,
                   const ShardJobOptions& options, WorkMeter& meter)
    : options_(options),
      stream_(std::move(stream)),
      journal_(std::move(journal)),
      work_(meter, stream_->shard()),
      output_(options.output_folder, stream_->shard(), {options.write_shards, ""}),
      parquet_(open_parquet(output_, options)),
      writer_(
          output_,
          [this](const AssessedSample& sample) {
            return Activity::begin(options_.activity, RunStage::Write, name(),
                                   sample.prepared.sample.key);
          },
          [this](AssessedSample sample) { return conclude_one(std::move(sample)); },
          [this](const EnhancedSample& sample) {
            if (parquet_) parquet_->add(sample.row);
            work_.add(sample.sample);
            options_.written(sample);
          }) {}

std::optional<Question> ShardJob::next() {
  auto prepared = stream_->next();
  if (!prepared) {
    has_ended_ = true;
    return std::nullopt;
  }
  Question question;
  question.begins_batch = options_.batch_pairs > 0 && num_taken_ % options_.batch_pairs == 0;
  if (options_.resume && !prepared->failure) question.known = known_answer(*prepared);
  if (question.known) ++num_resumed_;
  // At once, not when its turn comes to be written: a pair may wait long behind a slow one.
  // One that is no longer the answer is replaced: the last of a pair holds.
  const bool is_noted =
      prepared->failure ? journal_->find(num_taken_) != nullptr : question.known.has_value();
  if (!is_noted) {
    question.answered = [this, pair = num_taken_](const AssessedSample& sample) {
      const auto doing =
          Activity::begin(options_.activity, RunStage::Write, name(), sample.prepared.sample.key);
      journal_->add(pair, answer_to_record(sample));
    };
  }
  question.order = options_.order(*prepared, name());
  question.prepared = std::move(*prepared);
  ++num_taken_;
  return question;
}

std::optional<Answer> ShardJob::known_answer(const PreparedSample& prepared) const {
  const std::string* record = journal_->find(num_taken_);
  if (record == nullptr) return std::nullopt;
  // Where answers depend on who shares a batch, one is as good as asked again only if none of its
  // batch is.
  if (options_.batch_pairs > 0) {
    const std::int64_t first = num_taken_ - num_taken_ % options_.batch_pairs;
    if (!journal_->has_all(first, first + options_.batch_pairs)) return std::nullopt;
  }
  return answer_from_record(*record, prepared);
}

void ShardJob::add(AssessedSample sample) {
  writer_.add(std::move(sample));
  ++num_back_;
}

EnhancedSample ShardJob::conclude_one(AssessedSample sample) {
  journal_->sync_if_due();
  const bool worst = options_.is_worst(name(), sample.prepared.sample.index);
  return conclude(std::move(sample), name(), worst, options_.conclude, &counts_);
}

Summary ShardJob::commit() {
  ShardStats stats;
  stats.summary = writer_.finish();
  const auto doing = Activity::begin(options_.activity, RunStage::Commit, name(), "");
  output_.add_pass_through(stream_->take_leftovers());
  if (parquet_) parquet_->finish();
  for (const ArchiveDamage& damage : stream_->losses().entries()) {
    log_warning(damage.message + describe_loss(damage));
    if (!is_loss(damage)) continue;
    stats.summary.add_damage({name(), to_string(damage.kind), damage.bytes_lost,
                              damage.pairs_lost.value_or(kPairsUnknown)});
  }
  stats.shard = name();
  stats.version = kVersion;
  stats.input = {without_secrets(stream_->shard().url), stream_->bytes_read(),
                 stream_->input_version(), stream_->sha256()};
  stats.config_sha256 = options_.config_sha256;
  stats.model_sha256 = options_.model_sha256;
  stats.duration_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  output_.commit(nlohmann::ordered_json::parse(stats_to_json(stats)));
  journal_->remove();
  work_.finish();
  return stats.summary;
}

}  // namespace aitqe
