#pragma once

#include <stdexcept>
#include <string>

namespace aitqe {

/// Why a run cannot go on. Each category is one exit code (README.md).
enum class ErrorCategory {
  Bug,        ///< 1: a broken promise of our own
  Usage,      ///< 2: option, config or input list that cannot mean anything
  Damaged,    ///< 3: finished, but too many failures or a damaged input shard
  NoInput,    ///< 4: nothing usable to read
  Output,     ///< 5: output cannot be written
  Model,      ///< 6: model or device cannot be loaded
  Resumable,  ///< 75: stopped cleanly; run the same command again
};

/// The process exit code of a category.
int exit_code(ErrorCategory category);

/// The run cannot go on. Thrown anywhere, caught once, in `main`.
/// The message says where, what was found, what was expected and which option changes it.
class Error : public std::runtime_error {
 public:
  Error(ErrorCategory category, const std::string& message)
      : std::runtime_error(message), category_(category) {}

  ErrorCategory category() const { return category_; }

 private:
  ErrorCategory category_;
};

/// This one sample cannot be used. The message is a short code, a colon and words:
/// `truncated_image: the file ends before the last row`. Thrown by leaves, caught once at the stage
/// boundary of the pipeline and turned into a Failure that reaches the report; the sample itself
/// goes through unchanged.
class SampleError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  /// What stands before the first colon: `truncated_image`.
  std::string code() const;
};

}  // namespace aitqe
