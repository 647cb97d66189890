#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "aitqe/engine/logits.h"

namespace aitqe {

/// Rows of logits that were not copied to the host.
class RowsOnDevice {
 public:
  virtual ~RowsOnDevice() = default;
  // As the functions of logits.h; sums are in f32.
  virtual std::int32_t largest(std::int64_t row) const = 0;
  virtual bool is_usable(std::int64_t row) const = 0;
  virtual std::vector<double> probabilities(std::int64_t row,
                                            std::span<const std::int32_t> ids) const = 0;
  virtual TopLogits top(std::int64_t row, std::size_t count) const = 0;
  /// [vocab_size], copied at first use.
  virtual const float* fetch(std::int64_t row) const = 0;
};

/// Rows of next-token logits, one a token that was fed. Borrowed; gone after the call.
struct LogitsRows {
  const float* data = nullptr;  ///< [num_rows, vocab_size], or null: see `on_device`
  std::int64_t num_rows = 0;
  std::int64_t vocab_size = 0;
  const RowsOnDevice* on_device = nullptr;
  std::int64_t first_on_device = 0;  ///< row 0 there

  /// Costs a copy of it where the row lies on a device; what stands below does not.
  std::span<const float> row(std::int64_t index) const {
    const float* begin = on_device != nullptr ? on_device->fetch(first_on_device + index)
                                              : data + index * vocab_size;
    return {begin, static_cast<std::size_t>(vocab_size)};
  }
  std::span<const float> last() const { return row(num_rows - 1); }
  /// The id of a row's largest logit; of equal ones the lowest id. @pre is_usable(index)
  std::int32_t largest(std::int64_t index) const;
  /// False when any logit is NaN or all are -inf.
  bool is_usable(std::int64_t index) const;
  /// softmax of a row at some ids; 0 at ids below 0.
  std::vector<double> probabilities(std::int64_t index, std::span<const std::int32_t> ids) const;
  double probability(std::int64_t index, std::int32_t id) const {
    return probabilities(index, {&id, 1}).front();
  }
  /// The `count` largest logits of a row.
  TopLogits top(std::int64_t index, std::size_t count) const;
};

/// Tokens to run through the model next, for one sequence.
struct Feed {
  enum class From {
    Here,    ///< behind what was kept so far
    Prompt,  ///< right behind the prompt: what was kept after it is dropped
    Image,   ///< right behind the image: another question about it (Request::num_image_tokens)
  };
  std::vector<std::int32_t> tokens;  ///< at least one
  From from = From::Here;
  /// False: a look ahead. The tokens are run, their logits given, and then they are forgotten.
  bool keep = true;
  /// How many of the last tokens' logits are wanted; 0 = all.
  std::int64_t num_logits = 0;
  /// From::Here: how many of the tokens that were kept last are forgotten first, since they were
  /// guessed wrong.
  std::int64_t num_forgotten = 0;
};

/// Decides what one sequence says. The engine runs the model; the guide reads the logits and picks
/// tokens: greedy, forced, stopping, looking ahead at other beginnings.
/// The guides of a step's sequences are asked at the same time, each by one thread (one after the
/// other where logits lie on a device): what they share has to bear that.
class Guide {
 public:
  virtual ~Guide() = default;

  /// Tokens that are run behind the prompt, in the same step: what is likely to be fed first. They
  /// are kept, and the first Feed says how many of them are forgotten again. The same tokens
  /// whenever it is asked before the first `next`.
  virtual std::span<const std::int32_t> look_ahead() const { return {}; }

  /// @param logits  after the prompt: a row for the prompt's last token and one for each token of
  ///                look_ahead; then one for each token of the last Feed, or as many as it wanted
  /// @return        what to feed next, or nothing when the sequence is finished
  /// @throws SampleError when this sequence cannot go on; the others do.
  virtual std::optional<Feed> next(const LogitsRows& logits) = 0;
};

}  // namespace aitqe
