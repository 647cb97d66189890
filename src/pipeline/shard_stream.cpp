#include "aitqe/pipeline/shard_stream.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "aitqe/base/hash.h"
#include "done_shard.h"

namespace aitqe {

namespace {

/// True for the share `rate` of all pairs, the same ones on every machine and in every order.
bool is_taken(const SamplingOptions& sampling, const std::string& shard, const Sample& sample) {
  if (sampling.rate >= 1.0) return true;
  const std::string name = std::to_string(sampling.seed) + "\n" + shard + "\n" + sample.key + "\n" +
                           std::to_string(sample.index);
  constexpr std::size_t kDigits = 13;  // 52 bits: exact in a double
  const double fraction =
      std::ldexp(static_cast<double>(std::stoull(sha256_hex(name).substr(0, kDigits), nullptr, 16)),
                 -4 * static_cast<int>(kDigits));
  return fraction < sampling.rate;
}

/// -1 = all.
std::int64_t most_taken(const SamplingOptions& sampling, const std::string& shard) {
  const auto found = sampling.most_of_shard.find(shard);
  if (found == sampling.most_of_shard.end()) return sampling.limit;
  return sampling.limit < 0 ? found->second : std::min(sampling.limit, found->second);
}

/// Lets who watches a run see its waits for input.
class WatchedSource : public Source {
 public:
  /// @param last_key  of the pair read last; changed by the thread that reads
  WatchedSource(std::unique_ptr<Source> source, Activity* activity, const std::string& shard,
                const std::string& last_key)
      : source_(std::move(source)), activity_(activity), shard_(shard), last_key_(last_key) {}

  std::size_t read(std::span<char> buffer) override {
    const auto doing = Activity::begin(activity_, RunStage::Read, shard_, last_key_);
    const std::size_t count = source_->read(buffer);
    if (activity_ != nullptr) activity_->add_bytes_read(static_cast<std::int64_t>(count));
    return count;
  }
  std::string name() const override { return source_->name(); }
  std::optional<std::int64_t> size_bytes() const override { return source_->size_bytes(); }
  std::string version() const override { return source_->version(); }
  void finish() override { source_->finish(); }

 private:
  std::unique_ptr<Source> source_;
  Activity* activity_;
  const std::string& shard_;
  const std::string& last_key_;
};

std::unique_ptr<Source> open_watched(const ShardRef& shard, Activity* activity,
                                     StopCheck should_stop) {
  const auto doing = Activity::begin(activity, RunStage::Open, shard.name, "");
  return open_source(shard, std::move(should_stop));
}

}  // namespace

struct ShardStream::State {
  ShardRef shard;
  std::string file_version = version_of_input(shard);  // before it is opened
  std::string last_key;                                // of what was read; for messages
  SamplingOptions sampling;
  std::int64_t most;  // pairs taken; -1 = all
  std::atomic<bool> is_closing = false;
  HashedSource source;
  LossLog losses;
  TarReader members;
  SampleReader samples;
  std::int64_t num_taken = 0;
  std::int64_t num_passed_over = 0;
  std::optional<ParallelMap<Sample, PreparedSample>> prepared;  // last: its threads use the rest

  State(const ShardRef& ref, const ReadingOptions& options)
      : shard(ref),
        sampling(options.sampling),
        most(most_taken(options.sampling, ref.name)),
        source(std::make_unique<WatchedSource>(open_watched(ref, options.activity,
                                                            [this, stop = options.stop_requested] {
                                                              return is_closing ||
                                                                     (stop != nullptr && *stop);
                                                            }),
                                               options.activity, shard.name, last_key)),
        members(source, losses, options.tar),
        samples(members) {}

  std::optional<Sample> next_taken() {
    if (most >= 0 && num_taken >= most) return std::nullopt;
    while (auto sample = samples.next()) {
      last_key = sample->key;
      if (!is_taken(sampling, shard.name, *sample)) {
        ++num_passed_over;
        continue;
      }
      ++num_taken;
      return sample;
    }
    return std::nullopt;
  }
};

ShardStream::ShardStream(const ShardRef& shard, const Preparer& prepare,
                         const ReadingOptions& options)
    : state_(std::make_unique<State>(shard, options)) {
  state_->prepared.emplace(
      [state = state_.get()] { return state->next_taken(); },
      [&prepare, state = state_.get(), activity = options.activity](Sample sample) {
        const auto doing =
            Activity::begin(activity, RunStage::Prepare, state->shard.name, sample.key);
        PreparedSample prepared = prepare(std::move(sample));
        prepared.shard = state->shard.name;
        return prepared;
      },
      options.num_workers, static_cast<std::size_t>(options.read_ahead));
}

// A thread may be waiting for the network.
ShardStream::~ShardStream() { state_->is_closing = true; }
const ShardRef& ShardStream::shard() const { return state_->shard; }
std::optional<PreparedSample> ShardStream::next() { return state_->prepared->next(); }
const LossLog& ShardStream::losses() const { return state_->losses; }
std::vector<Member> ShardStream::take_leftovers() { return state_->samples.take_leftovers(); }
std::int64_t ShardStream::bytes_read() const { return state_->source.bytes_read(); }
std::string ShardStream::input_version() const {
  return is_local_file(state_->shard) ? state_->file_version : state_->source.version();
}
std::int64_t ShardStream::num_passed_over() const { return state_->num_passed_over; }
std::string ShardStream::sha256() const { return state_->source.sha256(); }

}  // namespace aitqe
