#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace aitqe {

/// Rows of next-token logits, one a token that was fed. Borrowed; gone after the call.
struct LogitsRows {
  const float* data = nullptr;  ///< [num_rows, vocab_size]
  std::int64_t num_rows = 0;
  std::int64_t vocab_size = 0;

  std::span<const float> row(std::int64_t index) const {
    return {data + index * vocab_size, static_cast<std::size_t>(vocab_size)};
  }
  std::span<const float> last() const { return row(num_rows - 1); }
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
class Guide {
 public:
  virtual ~Guide() = default;

  /// @param logits  after the prompt: one row, for the prompt's last token; then one row for each
  ///                token of the last Feed, or as many as it wanted
  /// @return        what to feed next, or nothing when the sequence is finished
  /// @throws SampleError when this sequence cannot go on; the others do.
  virtual std::optional<Feed> next(const LogitsRows& logits) = 0;
};

}  // namespace aitqe
