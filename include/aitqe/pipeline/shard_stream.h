#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aitqe/base/stream.h"
#include "aitqe/data/webdataset.h"
#include "aitqe/io/shards.h"
#include "aitqe/io/tar.h"
#include "aitqe/pipeline/activity.h"
#include "aitqe/pipeline/prepare.h"

namespace aitqe {

/// Which pairs of a shard are taken; those that are not are neither judged nor written.
struct SamplingOptions {
  double rate = 1.0;  ///< share of pairs taken, by a hash of seed, shard, key and index
  std::uint64_t seed = 0;
  std::int64_t limit = -1;  ///< pairs of the whole run; -1 = all
  /// At most so many pairs of a shard, by its name; all of others.
  std::map<std::string, std::int64_t> most_of_shard;
};

/// How shards are read.
struct ReadingOptions {
  SamplingOptions sampling;
  TarReaderOptions tar;
  int num_workers = 2;  ///< threads that decode and prepare. At least 1.
  int read_ahead = 64;  ///< pairs read ahead of the model. At least 1.
  /// Ends waits for the network when true; may be null, else outlives the stream.
  const std::atomic<bool>* stop_requested = nullptr;
  /// Told what the reading threads are at; may be null, else outlives the stream.
  Activity* activity = nullptr;
};

/// One shard read, grouped and prepared ahead on worker threads. `next` by one thread.
class ShardStream {
 public:
  /// Opens the shard and starts reading.
  /// @throws what open_source throws: Error(NoInput) when it cannot be opened.
  ShardStream(const ShardRef& shard, const Preparer& prepare, const ReadingOptions& options);
  ~ShardStream();

  const ShardRef& shard() const;
  /// @throws Error(Resumable) when the network fails, and when stop_requested ends a wait for
  /// bytes.
  std::optional<PreparedSample> next();

  /// After the end.
  const LossLog& losses() const;
  std::vector<Member> take_leftovers();
  /// Of the shard as it is stored.
  std::int64_t bytes_read() const;
  /// As it was when it was opened; see InputIdentity::etag.
  std::string input_version() const;
  /// Pairs that sampling did not take.
  std::int64_t num_passed_over() const;
  /// Of the shard as it is stored; "" unless it was read to its last byte.
  std::string sha256() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aitqe
