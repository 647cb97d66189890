#pragma once

#include <cstdint>
#include <string>

#include "aitqe/text/tokenizer.h"

namespace aitqe {

enum class SkipSpecials { No, Yes };

/// Turns token ids into text as they come. All that `push` and `finish` return, joined, is
/// repair_utf8 of all the tokens' bytes, joined; no character is ever split between two calls.
/// One sequence each; one thread at a time.
class IncrementalDecoder {
 public:
  IncrementalDecoder(const Tokenizer& tokenizer, SkipSpecials skip)
      : tokenizer_(tokenizer), skip_(skip) {}

  /// The characters that are complete with token `id`; unknown ids add nothing.
  std::string push(std::int32_t id);

  /// U+FFFD where the last character is incomplete, else nothing. The decoder is then as new.
  std::string finish();

 private:
  Tokenizer tokenizer_;  // shares its tables
  SkipSpecials skip_;
  std::string pending_;  // the beginning of one character, at most 3 bytes
};

}  // namespace aitqe
