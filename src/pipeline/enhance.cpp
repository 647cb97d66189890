#include "aitqe/pipeline/enhance.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "aitqe/base/log.h"
#include "aitqe/data/shard_output.h"
#include "aitqe/io/sink.h"
#include "aitqe/io/url.h"
#include "aitqe/pipeline/trace.h"
#include "aitqe/report/run_file.h"
#include "aitqe/report/stats.h"
#include "done_shard.h"
#include "run_record.h"
#include "shard_job.h"
#include "task_share.h"
#include "work_meter.h"
#include "worst_set.h"

namespace aitqe {

namespace {

/// One run. Its pairs are one stream through the model: while the last of a shard are being judged
/// the first of the next are already read, decoded and joined with them.
class Run {
 public:
  Run(const EnhanceOptions& options, const LoadedModel& model, RunRecord record, Progress& progress)
      : options_(options),
        progress_(progress),
        prepare_(model, with_trace(options)),
        judge_(model, judge_with_trace(options)),
        pairs_left_(options.reading.sampling.limit),
        record_(std::move(record)) {
    if (options.rule.kind == RewriteRule::Kind::WorstPercent) {
      worst_ = load_worst_set(*options.scores_folder, options.shards, options.rule.value,
                              options.reading.sampling.seed);
    }
    if (options.trace_file) trace_.emplace(*options.trace_file);
    job_options_ = {
        options.output_folder,
        options.write_shards,
        options.write_parquet,
        /*resume=*/!options.trace_file && !options.overwrite,
        {options.rule, judge_.keys(), options.prepare.caption_source, options.judge.full,
         options.judge.verify, options.prepare.on_injection == OnInjection::Keep,
         options.with_answers},
        sha256_hex(record_.pinned_config),
        model.fingerprint,
        judge_.batch_pairs(),
        &progress.activity,
        [this](const PreparedSample& pair, const std::string& shard) { return order(pair, shard); },
        [this](const std::string& shard, std::int64_t index) { return is_worst(shard, index); },
        [this](const EnhancedSample& sample) { count(sample); }};
    require_own_folder(options, record_);
    const std::vector<std::string> job = write_run_record(options.output_folder, record_);
    if (options.feed == nullptr) take_share(job);
    noted_unreadable_ = read_unreadable_shards(options.output_folder);
    work_.emplace(progress, to_do_, options.reading.sampling.rate, pairs_left_);
  }

  EnhanceResult run() {
    do {
      judge_.run([this] { return next(); },
                 [this](AssessedSample sample) { add(std::move(sample)); }, &progress_.activity);
      collect(/*most_left=*/0);
    } while (wait_for_shard());
    const bool all_named = options_.feed == nullptr || options_.feed->has_ended();
    const bool all_begun = (next_to_do_ == to_do_.size() && all_named) || pairs_left_ == 0;
    result_.stopped = progress_.stop_requested && !(all_begun && jobs_.empty());
    if (options_.feed != nullptr) result_.is_idle_task = progress_.num_shards == 0;
    result_.times = judge_.times();
    return std::move(result_);
  }

 private:
  static PrepareOptions with_trace(const EnhanceOptions& options) {
    PrepareOptions prepare = options.prepare;
    prepare.with_pixels_sha256 = options.trace_file.has_value();
    return prepare;
  }

  static JudgeOptions judge_with_trace(const EnhanceOptions& options) {
    JudgeOptions judge = options.judge;
    judge.with_first_logits = options.trace_file.has_value();
    return judge;
  }

  /// @param job  the names of all its shards
  void take_share(const std::vector<std::string>& job) {
    const std::vector<const ShardRef*> of_task = shards_of_task(options_, job);
    result_.is_idle_task = options_.task.count > 1 && of_task.empty();
    progress_.num_shards += std::ssize(of_task);
    if (options_.overwrite) {
      to_do_ = of_task;
      return;
    }
    std::vector<std::string> names;
    for (const ShardRef* shard : of_task) names.push_back(shard->name);
    for_each_committed(options_.output_folder, names, [&](std::size_t index, const auto& stats) {
      if (!add_if_done(*of_task[index], stats)) to_do_.push_back(of_task[index]);
    });
    ask_for_versions();
  }

  bool is_done(const ShardRef& shard) {
    if (options_.overwrite) return false;
    const bool is_done = add_if_done(shard, committed(options_.output_folder, shard.name));
    ask_for_versions();
    return is_done;
  }

  void ask_for_versions() {
    require_same_remote_inputs(options_.output_folder, std::exchange(to_ask_, {}), progress_);
  }

  /// A shard that an earlier run committed counts as it stands. @param found  its stats
  bool add_if_done(const ShardRef& shard, const std::optional<nlohmann::ordered_json>& found) {
    if (!found) return false;
    const OutputFolder& output = options_.output_folder;
    const ShardStats stats = read_stats(*found);
    const bool same_model = stats.model_sha256 == job_options_.model_sha256;
    if (!same_model || stats.config_sha256 != job_options_.config_sha256) {
      throw Error(ErrorCategory::Usage,
                  output.name_of(shard.name) + ": was made by another " +
                      (same_model ? "configuration" : "model") +
                      "; choose another folder (-o) or make it again (--overwrite)");
    }
    if (was_cut_off(stats)) {
      log_info(shard.name + ": " + kCutOffNote);
      return false;
    }
    require_same_input(output, shard, stats, progress_);
    if (can_be_asked(shard, stats.input)) to_ask_.push_back({&shard, stats.input});
    discard_work(output, shard.name);
    result_.summary.merge(stats.summary);
    if (pairs_left_ > 0) {
      pairs_left_ = std::max<std::int64_t>(0, pairs_left_ - stats.summary.read);
    }
    ++result_.shards_done_before;
    ++progress_.shards_done;
    tell({shard, ShardReceipt::Status::DoneBefore, stats.summary, ""});
    return true;
  }

  // --- in: shard after shard -------------------------------------------------------------------

  /// A request to stop may end a wait for input; the pairs in hand are still answered then.
  std::optional<Question> next() {
    try {
      return next_pair();
    } catch (const Error& error) {
      const bool is_stopped =
          progress_.stop_requested && error.category() == ErrorCategory::Resumable;
      if (!is_stopped) throw;
      return std::nullopt;
    }
  }

  std::optional<Question> next_pair() {
    while (!progress_.stop_requested) {
      if (!is_reading_ && !begin_shard()) return std::nullopt;
      if (auto question = jobs_.back()->next()) return counted(std::move(*question));
      is_reading_ = false;
      result_.pairs_resumed += jobs_.back()->num_resumed();
      result_.pairs_passed_over += jobs_.back()->num_passed_over();
      if (pairs_left_ > 0) pairs_left_ -= jobs_.back()->num_taken();
      commit_complete();  // one without a pair, or whose last pair was back before its end was seen
    }
    return std::nullopt;
  }

  Question counted(Question question) {
    question.answered = [this,
                         answered = std::move(question.answered)](const AssessedSample& sample) {
      if (answered) answered(sample);
      ++progress_.answered;
    };
    return question;
  }

  /// Whether to_do_[next_to_do_] is there.
  bool has_next(ShardFeed::Wait wait) {
    while (next_to_do_ == to_do_.size() && options_.feed != nullptr) {
      auto shard = options_.feed->next(wait);
      if (!shard) return false;
      fed_.push_back(std::move(*shard));
      ++progress_.num_shards;
      if (options_.shards.empty()) pin(fed_.back());
      if (is_done(fed_.back())) continue;
      to_do_.push_back(&fed_.back());
      work_->expect_one_more();
    }
    return next_to_do_ < to_do_.size();
  }

  /// Once all that was fed is done.
  bool wait_for_shard() {
    if (options_.feed == nullptr || progress_.stop_requested) return false;
    progress_.is_idle = true;
    const bool found = has_next(ShardFeed::Wait::Yes);
    progress_.is_idle = false;
    return found;
  }

  void pin(const ShardRef& shard) {
    record_.shards = {shard.name};
    write_run_record(options_.output_folder, record_);
  }

  void tell(const ShardReceipt& receipt) {
    if (options_.feed != nullptr) options_.feed->finished(receipt);
  }

  /// False when there is none left to do.
  bool begin_shard() {
    while (pairs_left_ != 0 && has_next(ShardFeed::Wait::No)) {
      const ShardRef& shard = *to_do_[next_to_do_];
      std::unique_ptr<ShardStream> stream = ahead_ ? std::move(*ahead_) : open(shard);
      ahead_.reset();
      ++next_to_do_;
      // With a limit, how far to read the next shard is known only when this one is done.
      if (pairs_left_ < 0 && has_next(ShardFeed::Wait::No)) ahead_ = open(*to_do_[next_to_do_]);
      if (!stream) continue;
      std::unique_ptr<Journal> journal = open_journal(shard, job_options_);
      if (!journal) {
        log_warning(without_secrets(shard.url) + ": another run is at this shard of " +
                    options_.output_folder.name() + "; left to it");
        ++result_.shards_elsewhere;
        tell({shard, ShardReceipt::Status::Elsewhere, {}, ""});
        continue;
      }
      // By another run, since this one began.
      if (is_done(shard)) continue;
      jobs_.push_back(
          std::make_unique<ShardJob>(std::move(stream), std::move(journal), job_options_, *work_));
      is_reading_ = true;
      return true;
    }
    return false;
  }

  /// Null for a shard that cannot be opened: the others are still done.
  std::unique_ptr<ShardStream> open(const ShardRef& shard) {
    ReadingOptions reading = options_.reading;
    reading.stop_requested = &progress_.stop_requested;
    reading.activity = &progress_.activity;
    reading.sampling.limit = pairs_left_;
    try {
      auto stream = std::make_unique<ShardStream>(shard, prepare_, reading);
      if (noted_unreadable_.contains(shard.name)) {
        note_unreadable_shard(options_.output_folder, shard.name, "");
      }
      return stream;
    } catch (const Error& error) {
      if (error.category() != ErrorCategory::NoInput) throw;
      log_error(error.what());
      ++result_.shards_unreadable;
      WorkMeter::Shard(*work_, shard).finish();
      note_unreadable_shard(options_.output_folder, shard.name, error.what());
      tell({shard, ShardReceipt::Status::Unreadable, {}, error.what()});
      return nullptr;
    }
  }

  AnswerOrder order(const PreparedSample& pair, const std::string& shard) const {
    switch (options_.rule.kind) {
      case RewriteRule::Kind::Model:
        return {};
      case RewriteRule::Kind::ScoreBelow:
        return {AnswerStart::Free, options_.rule.value};
      case RewriteRule::Kind::WorstPercent:
        return {is_worst(shard, pair.sample.index) ? AnswerStart::ForceRecaption
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
    return worst_.contains(shard, index);
  }

  // --- out: in the same order ------------------------------------------------------------------

  void add(AssessedSample sample) {
    const auto doing = Activity::begin(&progress_.activity, RunStage::Write, jobs_.front()->name(),
                                       sample.prepared.sample.key);
    if (trace_) trace_->add(sample, jobs_.front()->name());
    jobs_.front()->add(std::move(sample));
    commit_complete();
  }

  /// Puts finished shards in place beside the model's work on the next ones.
  void commit_complete() {
    while (!jobs_.empty() && jobs_.front()->is_complete()) {
      committing_.push_back(std::async(
          std::launch::async, [this, job = std::shared_ptr<ShardJob>(std::move(jobs_.front()))] {
            Summary summary = job->commit();
            tell({job->shard(), ShardReceipt::Status::Done, summary, ""});
            return summary;
          }));
      jobs_.pop_front();
      collect(kMostCommitting);
    }
  }

  void collect(std::size_t most_left) {
    while (committing_.size() > most_left) {
      std::future<Summary> summary = std::move(committing_.front());
      committing_.pop_front();
      result_.summary.merge(summary.get());
      ++result_.shards_done;
      ++progress_.shards_done;
    }
  }

  /// Called by the writers of several shards.
  void count(const EnhancedSample& sample) {
    if (options_.listener) {
      const std::lock_guard lock(listener_mutex_);
      options_.listener(sample);
    }
    ++progress_.pairs;
    if (sample.row.decision == Decision::Rewrite) ++progress_.rewritten;
    if (sample.row.injection_suspect) ++progress_.suspects;
    if (sample.row.decision != Decision::Failed) return;
    ++progress_.failed;
    progress_.failures.add(failure_kind(sample.row.failure));
  }

  static constexpr std::size_t kMostCommitting = 1;
  const EnhanceOptions& options_;
  Progress& progress_;
  std::mutex listener_mutex_;
  Preparer prepare_;
  Judge judge_;
  PairSet worst_;
  ShardJobOptions job_options_;
  std::optional<Trace> trace_;
  std::optional<WorkMeter> work_;
  std::map<std::string, std::string> noted_unreadable_;  // by runs before this one
  std::int64_t pairs_left_;
  RunRecord record_;
  std::vector<RemoteInput> to_ask_;  // of shards that are done
  std::deque<ShardRef> fed_;         // a deque: `to_do_` points into it
  std::vector<const ShardRef*> to_do_;
  std::size_t next_to_do_ = 0;
  std::optional<std::unique_ptr<ShardStream>> ahead_;  // of to_do_[next_to_do_]; null: unreadable
  std::deque<std::unique_ptr<ShardJob>> jobs_;         // begun and not complete, in order
  bool is_reading_ = false;                            // the last of them
  std::deque<std::future<Summary>> committing_;
  EnhanceResult result_;
};

}  // namespace

EnhanceResult enhance(const EnhanceOptions& options, const LoadedModel& model, Progress& progress) {
  const auto start = std::chrono::steady_clock::now();
  progress.num_shards = 0;
  // Once: what it says of the scores may be another thing when the run is over.
  RunRecord record = make_run_record(options, model);
  EnhanceResult result = Run(options, model, record, progress).run();
  result.run_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  record.result = &result;
  write_run_record(options.output_folder, record);
  return result;
}

std::optional<ErrorCategory> outcome(const EnhanceResult& result, double max_failed_percent) {
  if (result.stopped || result.shards_elsewhere > 0) return ErrorCategory::Resumable;
  if (result.is_idle_task) return std::nullopt;
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
