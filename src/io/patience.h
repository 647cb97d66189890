#pragma once

#include <cstdint>
#include <string>

#include "aitqe/io/http.h"

namespace aitqe {

/// What was wrong with one try.
struct FailedTry {
  std::string problem;
  /// The server ended its answer early, in good order.
  bool is_short_body = false;
  /// 0: the server did not say.
  std::int64_t retry_after_s = 0;
};

/// Counts the tries of one operation that brought nothing, and waits between them.
class Patience {
 public:
  /// @param name  of what is read, for messages. Options and `should_stop` must outlive this.
  Patience(std::string name, const HttpOptions& options, const StopCheck& should_stop)
      : name_(std::move(name)), options_(options), should_stop_(should_stop) {}

  /// Waits before the next try.
  /// @throws Error(Resumable), or SourceError for a short body, when no try is left; TransferError
  ///         when `should_stop`.
  void wait_after(const FailedTry& failed);

  /// The last try brought something.
  void renew() { num_failed_ = 0; }

 private:
  std::int64_t wait_ms(const FailedTry& failed) const;

  const std::string name_;
  const HttpOptions& options_;
  const StopCheck& should_stop_;
  int num_failed_ = 0;
};

}  // namespace aitqe
