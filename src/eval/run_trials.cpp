#include <algorithm>
#include <deque>
#include <limits>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/base/random.h"
#include "aitqe/base/stream.h"
#include "aitqe/data/webdataset.h"
#include "aitqe/eval/evaluate.h"
#include "aitqe/io/url.h"
#include "aitqe/pipeline/prepare.h"
#include "aitqe/quality/assessment.h"
#include "aitqe/text/unicode.h"

namespace aitqe {

namespace {

/// The samples of all shards, front to back.
class SampleWalk {
 public:
  explicit SampleWalk(const std::vector<ShardRef>& shards) : shards_(shards) {}

  struct Found {
    std::string shard;
    Sample sample;
  };
  std::optional<Found> next() {
    while (true) {
      if (!samples_) {
        if (at_ == shards_.size()) return std::nullopt;
        source_ = open_source(shards_[at_]);
        members_.emplace(*source_, losses_);
        samples_.emplace(*members_);
      }
      if (auto sample = samples_->next()) return Found{shards_[at_].name, std::move(*sample)};
      samples_.reset();
      members_.reset();
      for (const ArchiveDamage& damage : losses_.entries()) log_warning(damage.message);
      losses_ = LossLog();
      ++at_;
    }
  }

 private:
  const std::vector<ShardRef>& shards_;
  std::size_t at_ = 0;
  std::unique_ptr<Source> source_;
  LossLog losses_;
  std::optional<TarReader> members_;
  std::optional<SampleReader> samples_;
};

/// A number of a sample's own, evenly spread.
std::uint64_t lot_of(const SampleWalk::Found& found, std::uint64_t seed) {
  return hash_text(found.shard + "/" + found.sample.key, mix_bits(seed + 1));
}

/// What a first walk over all shards gives.
struct Survey {
  CaptionPool pool;
  /// Samples with a lot up to this are tried: as many as the limit says.
  std::uint64_t highest_lot = std::numeric_limits<std::uint64_t>::max();
  std::int64_t num_images = 0;  ///< that are tried
  Skipped skipped;
};

SourcePair read_pair(const Sample& sample, const CaptionSource& source) {
  SourcePair pair = read_source_pair(sample, source, OddFields::Ignore);
  if (pair.kind == SourcePair::Kind::Vague) {
    throw SampleError("vague: its json says that the caption tells little of the picture");
  }
  return pair;
}

Survey survey(const EvalOptions& options, const Progress& progress) {
  Survey survey;
  std::vector<std::uint64_t> lots;
  SampleWalk walk(options.shards);
  while (const auto found = walk.next()) {
    if (progress.stop_requested) break;
    try {
      const SourcePair pair = read_pair(found->sample, options.caption_source);
      survey.pool.add({pair.caption, pair.group, pair.kind == SourcePair::Kind::Generic});
      lots.push_back(lot_of(*found, options.trials.seed));
    } catch (const SampleError& error) {
      survey.skipped.add(found->shard + "/" + found->sample.key, error);
    }
  }
  survey.pool.seal();
  survey.num_images = std::ssize(lots);
  if (options.limit >= 0 && options.limit < std::ssize(lots)) {
    survey.num_images = options.limit;
    std::sort(lots.begin(), lots.end());
    survey.highest_lot = options.limit == 0 ? 0 : lots[static_cast<std::size_t>(options.limit - 1)];
  }
  return survey;
}

/// The trials of all samples, one after the other.
class TrialWalk {
 public:
  TrialWalk(const EvalOptions& options, const Corruptor& corruptor, std::uint64_t highest_lot)
      : options_(options),
        make_trials_(corruptor, options.trials),
        highest_lot_(highest_lot),
        walk_(options.shards) {}

  std::optional<Trial> next() {
    while (waiting_.empty()) {
      auto found = walk_.next();
      if (!found) return std::nullopt;
      try {
        add(*found);
      } catch (const SampleError&) {
        continue;  // counted by the survey
      }
    }
    Trial trial = std::move(waiting_.front());
    waiting_.pop_front();
    return trial;
  }

 private:
  void add(const SampleWalk::Found& found) {
    const SourcePair pair = read_pair(found.sample, options_.caption_source);
    if (lot_of(found, options_.trials.seed) <= highest_lot_) {
      for (Trial& trial : make_trials_(found.sample, found.shard, pair, stranger(pair.group))) {
        waiting_.push_back(std::move(trial));
      }
    }
    constexpr std::size_t kMostKept = 64;
    earlier_.push_back({*find_image(found.sample), pair.group});
    if (earlier_.size() > kMostKept) earlier_.pop_front();
  }

  /// The control's image: of a sample some places before and of another group, if there is one.
  const Member* stranger(const std::string& group) const {
    constexpr std::size_t kDistance = 11;
    for (std::size_t i = 0; i + kDistance <= earlier_.size(); ++i) {
      if (group.empty() || earlier_[i].group != group) return &earlier_[i].image;
    }
    return nullptr;
  }

  struct Earlier {
    Member image;
    std::string group;
  };

  const EvalOptions& options_;
  TrialMaker make_trials_;
  std::uint64_t highest_lot_;
  SampleWalk walk_;
  std::deque<Trial> waiting_;
  std::deque<Earlier> earlier_;
};

TrialResult result_of(const Trial& trial, const AssessedSample& assessed, const AnswerKeys& keys) {
  TrialResult result;
  result.key = trial.key;
  result.source = trial.source;
  result.kind = trial.kind;
  result.caption = trial.caption;
  result.truth = trial.truth;
  result.image_width_px = assessed.prepared.image.width;
  result.image_height_px = assessed.prepared.image.height;
  if (assessed.prepared.failure) {
    result.failure = assessed.prepared.failure->stage + ": " + assessed.prepared.failure->reason;
    return result;
  }
  const Answer& answer = assessed.answer;
  result.score = answer.score_forced >= 0 ? answer.score_forced : answer.score_expected;
  result.score_expected = answer.score_expected;
  result.p_rewrite = answer.p_rewrite;
  const Assessment assessment = parse_answer(strip_python(answer.text), keys);
  if (!assessment.usable) {
    result.failure = "answer: " + describe_problems(assessment);
    return result;
  }
  result.rewrites = assessment.recaption.has_value();
  result.recaption = assessment.recaption.value_or("");
  return result;
}

}  // namespace

TrialRun run_trials(const EvalOptions& options, const LoadedModel& model, Progress& progress) {
  for (const ShardRef& shard : options.shards) {
    if (!can_be_read_again(shard)) {
      throw Error(ErrorCategory::Usage,
                  without_secrets(shard.url) + ": is read twice here; give files, not a stream");
    }
  }
  Survey found = survey(options, progress);
  const Corruptor corruptor(found.pool);
  TrialWalk walk(options, corruptor, found.highest_lot);
  const Preparer prepare(model, {});
  struct PreparedTrial {
    Trial trial;
    PreparedSample prepared;
  };
  constexpr std::size_t kAhead = 32;
  ParallelMap<Trial, PreparedTrial> stream(
      [&walk] { return walk.next(); },
      [&prepare](Trial trial) {
        Sample sample = std::move(trial.sample);
        return PreparedTrial{std::move(trial), prepare(std::move(sample))};
      },
      options.num_workers, kAhead);

  progress.work_total = found.num_images;
  TrialRun run;
  run.skipped = std::move(found.skipped);
  std::deque<Trial> asked;  // in order, as answers come back
  Judge judge(model, options.judge);
  // Below every score: rewritten pairs get a score behind the plain key, no more is asked.
  const AnswerOrder order{AnswerStart::Free, 0.0};
  std::int64_t num_asked = 0;
  const auto next = [&]() -> std::optional<Question> {
    auto one = progress.stop_requested ? std::nullopt : stream.next();
    if (!one) return std::nullopt;
    asked.push_back(std::move(one->trial));
    const bool begins_batch = judge.batch_pairs() > 0 && num_asked++ % judge.batch_pairs() == 0;
    return Question{std::move(one->prepared), order, {}, begins_batch};
  };
  judge.run(next, [&](const AssessedSample& assessed) {
    run.results.push_back(result_of(asked.front(), assessed, judge.keys()));
    asked.pop_front();
    ++progress.pairs;
    const std::string& kind = run.results.back().kind;
    if (kind == kGoodTrial || kind == kShippedTrial) ++progress.work_done;  // one of an image
    if (run.results.back().rewrites) ++progress.rewritten;
    if (!run.results.back().failure.empty()) ++progress.failed;
  });
  return run;
}

std::string trial_to_json(const TrialResult& result) {
  const nlohmann::ordered_json json = {{"key", result.key},
                                       {"source", result.source},
                                       {"kind", result.kind},
                                       {"caption", result.caption},
                                       {"truth", result.truth},
                                       {"score", result.score},
                                       {"score_expected", result.score_expected},
                                       {"p_rewrite", result.p_rewrite},
                                       {"rewrites", result.rewrites},
                                       {"recaption", result.recaption},
                                       {"failure", result.failure}};
  constexpr bool kAscii = true;  // no reader takes U+2028 for the end of a line
  return json.dump(-1, ' ', kAscii, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace aitqe
