#include "done_shard.h"

#include <atomic>
#include <chrono>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/base/stream.h"
#include "aitqe/data/shard_output.h"
#include "aitqe/io/source.h"
#include "aitqe/io/url.h"

namespace aitqe {

namespace fs = std::filesystem;

namespace {

std::int64_t unix_ns(fs::file_time_type time) {
  const auto since_1970 = std::chrono::file_clock::to_sys(time).time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since_1970).count();
}

/// "" where it cannot be opened (any more). @throws Error(Resumable)
std::string sha256_of_input(const ShardRef& shard, Progress& progress) {
  std::string piece(std::size_t{1} << 20, '\0');
  const std::string name = without_secrets(shard.url);
  try {
    HashedSource source(open_source(shard, [&] { return progress.stop_requested.load(); }));
    while (source.read(piece) > 0) {
      progress.activity.note_part();
      if (progress.stop_requested) {
        throw Error(ErrorCategory::Resumable, name + ": stopped while it was compared");
      }
    }
    return source.sha256();
  } catch (const SourceError& error) {
    throw Error(ErrorCategory::Resumable, error.what());
  } catch (const Error& error) {
    if (error.category() == ErrorCategory::Resumable) throw;
    return "";
  }
}

[[noreturn]] void refuse(const OutputFolder& output_folder, const ShardRef& shard,
                         const std::string& what) {
  throw Error(ErrorCategory::Usage,
              without_secrets(shard.url) + ": " + what + " when " +
                  output_folder.name_of(shard.name) +
                  " was made of it; choose another folder (-o), make all again (--overwrite), or "
                  "remove " +
                  shard.name + ".aitqe.stats.json there to make this one again");
}

void require_same_bytes(const OutputFolder& output_folder, const ShardRef& shard,
                        const InputIdentity& before, Progress& progress) {
  const std::string sha256 = sha256_of_input(shard, progress);
  if (!sha256.empty() && sha256 != before.sha256) {
    refuse(output_folder, shard, "has other bytes than " + before.url + " had");
  }
}

/// Asked from many threads.
class VersionQuestions {
 public:
  explicit VersionQuestions(Progress& progress) : progress_(progress) {}

  /// "" where it cannot be told. @throws Error(Resumable) on a request to stop
  std::string ask(const ShardRef& shard) {
    if (is_given_up_) return "";
    try {
      const auto source = open_source(shard, [this] { return progress_.stop_requested.load(); });
      progress_.activity.note_part();
      return source->version();
    } catch (const Error& error) {
      if (progress_.stop_requested) throw;
      if (error.category() == ErrorCategory::Resumable && !is_given_up_.exchange(true)) {
        log_warning(std::string(error.what()) +
                    "; whether inputs of finished shards are still the same is not asked any more");
      }
      return "";
    }
  }

 private:
  Progress& progress_;
  std::atomic<bool> is_given_up_ = false;
};

}  // namespace

std::string version_of_input(const ShardRef& shard) {
  if (!is_local_file(shard)) return "";
  std::error_code error;  // one that went away is reported by who reads it
  const fs::file_time_type modified = fs::last_write_time(shard.url, error);
  return error ? "" : std::to_string(unix_ns(modified));
}

void require_same_input(const OutputFolder& output_folder, const ShardRef& shard,
                        const ShardStats& stats, Progress& progress) {
  const InputIdentity& before = stats.input;
  const bool was_read_whole = !before.sha256.empty();
  if (!was_read_whole) return;
  const std::string url = without_secrets(shard.url);
  if (!is_local_file(shard)) {
    if (url != before.url) refuse(output_folder, shard, "was " + before.url);
    return;
  }
  std::error_code error;
  const auto bytes = static_cast<std::int64_t>(fs::file_size(shard.url, error));
  if (error) return;  // one that went away is nobody's concern
  if (bytes != before.bytes) {
    refuse(output_folder, shard,
           "has " + std::to_string(bytes) + " bytes and had " + std::to_string(before.bytes));
  }
  if (url == before.url && version_of_input(shard) == before.etag) return;
  require_same_bytes(output_folder, shard, before, progress);
}

bool can_be_asked(const ShardRef& shard, const InputIdentity& before) {
  return !is_local_file(shard) && !before.etag.empty() && !before.sha256.empty();
}

void require_same_remote_inputs(const OutputFolder& output_folder,
                                const std::vector<RemoteInput>& inputs, Progress& progress) {
  constexpr int kAskedAtOnce = 16;
  if (inputs.empty()) return;
  VersionQuestions questions(progress);
  ParallelMap<const RemoteInput*, std::string> versions(
      [next = inputs.begin(), end = inputs.end()]() mutable {
        return next == end ? std::nullopt : std::optional(&*next++);
      },
      [&questions](const RemoteInput* input) { return questions.ask(*input->shard); }, kAskedAtOnce,
      std::size_t{2} * kAskedAtOnce);
  for (const RemoteInput& input : inputs) {
    const std::string version = versions.next().value();
    if (version.empty() || version == input.before.etag) continue;
    log_info(without_secrets(input.shard->url) + ": is another version now; read to compare it");
    require_same_bytes(output_folder, *input.shard, input.before, progress);
  }
}

bool is_finished(const OutputFolder& folder, const std::string& shard_name) {
  const auto stats = committed(folder, shard_name);
  return stats && !was_cut_off(stats_from_json(stats->dump()));
}

}  // namespace aitqe
