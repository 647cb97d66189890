#pragma once

#include <optional>
#include <string>

#include "aitqe/io/shards.h"
#include "aitqe/report/summary.h"

namespace aitqe {

/// What became of a shard that a run was fed.
struct ShardReceipt {
  enum class Status {
    Done,        ///< judged, and in place
    DoneBefore,  ///< was in place already
    Elsewhere,   ///< another run is at it: not done by this one
    Unreadable,  ///< could not be opened
  };
  ShardRef shard;
  Status status = Status::Done;
  Summary summary;     ///< of a shard that is in place
  std::string reason;  ///< of an unreadable one
};

/// Gives a run its shards one by one while it goes on, and is told when each is finished.
class ShardFeed {
 public:
  enum class Wait { No, Yes };

  virtual ~ShardFeed() = default;

  /// The next shard. Nothing: none is there now (Wait::No), or the feed has ended or was told to
  /// stop (Wait::Yes). One thread at a time. A name must not come twice while it is in hand.
  virtual std::optional<ShardRef> next(Wait wait) = 0;

  /// No shard will come any more.
  virtual bool has_ended() const = 0;

  /// Called once for each shard, as soon as it is in place or given up. Any threads, also while
  /// `next` waits. What it throws ends the run.
  virtual void finished(const ShardReceipt& receipt) = 0;
};

}  // namespace aitqe
