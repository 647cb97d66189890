#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace aitqe {

/// Where in a run time goes, and where it can stand still.
enum class RunStage {
  Open,     ///< opening an input shard
  Read,     ///< waiting for its bytes
  Prepare,  ///< decoding and tokenising a pair
  Model,    ///< one step of the model
  Write,    ///< concluding and writing a pair
  Commit,   ///< putting a finished shard in place
  Load,     ///< loading the model
};
inline constexpr std::size_t kNumStages = 7;

/// "open", "read", "prepare", "model", "write", "commit", "load".
std::string_view stage_name(RunStage stage);

/// What the threads of a run are at: each says what it begins, and it has ended when the object
/// that stands for it goes. For who watches from outside. Any threads.
class Activity {
 public:
  /// Something begun and not yet ended.
  struct Operation {
    RunStage stage = RunStage::Open;
    std::string shard;
    std::string key;  ///< of the pair at hand; in stage "read" of the last one read; "" for none
    std::chrono::steady_clock::time_point begin;
  };

  /// Stands for an operation while it lives; an empty one stands for none.
  class Doing {
   public:
    Doing() = default;
    ~Doing() { end(); }
    Doing(Doing&& other) noexcept;
    Doing& operator=(Doing&& other) noexcept;
    Doing(const Doing&) = delete;
    Doing& operator=(const Doing&) = delete;

    void end();

   private:
    friend class Activity;
    Activity* activity_ = nullptr;
    std::list<Operation>::iterator operation_;
  };

  /// @param activity  null: nobody watches, and nothing is noted
  static Doing begin(Activity* activity, RunStage stage, std::string shard, std::string key);

  /// The one that was begun first of those not ended.
  std::optional<Operation> oldest() const;
  /// A part of an operation that may take very long has ended.
  void note_part();
  /// Operations that have ended, and parts of such; stands still when the run does.
  std::int64_t num_ended() const { return num_ended_; }
  /// When the last one ended; when this was made if none has.
  std::chrono::system_clock::time_point last_end() const;
  /// Of all threads together, in operations that have ended.
  double seconds(RunStage stage) const;

  void add_bytes_read(std::int64_t bytes) { bytes_read_ += bytes; }
  /// Of input shards as they are stored.
  std::int64_t bytes_read() const { return bytes_read_; }

 private:
  void end(std::list<Operation>::iterator operation);

  std::atomic<std::int64_t> num_ended_ = 0;
  std::atomic<std::int64_t> bytes_read_ = 0;
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::list<Operation> operations_;  // in the order they were begun
  std::array<double, kNumStages> seconds_{};
  std::chrono::system_clock::time_point last_end_ = std::chrono::system_clock::now();
};

}  // namespace aitqe
