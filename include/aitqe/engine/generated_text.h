#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/text/incremental_decoder.h"
#include "aitqe/text/tokenizer.h"

namespace aitqe {

/// The tokens a sequence has said so far, and their text. One thread at a time.
class GeneratedText {
 public:
  explicit GeneratedText(const Tokenizer& tokenizer);

  void push(std::int32_t id);
  void clear();

  const std::vector<std::int32_t>& ids() const { return ids_; }
  /// The characters that are complete so far, special tokens left out.
  const std::string& complete() const { return complete_; }
  /// True when the last token completed `stop`, whatever else that token holds (REFERENCE,
  /// "Generation"). Looks at the end only, so a long text costs nothing.
  bool just_completed(std::string_view stop) const;
  /// All of the text: an incomplete character at its end as U+FFFD, as invalid UTF-8 anywhere.
  std::string text() const;

 private:
  IncrementalDecoder decoder_;
  std::vector<std::int32_t> ids_;
  std::string complete_;
  std::size_t last_piece_bytes_ = 0;  // what the last token completed
};

}  // namespace aitqe
