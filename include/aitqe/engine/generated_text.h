#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/text/tokenizer.h"

namespace aitqe {

/// The tokens a sequence has said so far, and their text. One thread at a time.
class GeneratedText {
 public:
  explicit GeneratedText(std::shared_ptr<const Tokenizer> tokenizer);

  void push(std::int32_t id);
  void clear();

  const std::vector<std::int32_t>& ids() const { return ids_; }
  /// The bytes of all tokens save special ones; the end may be part of a character.
  const std::string& bytes() const { return bytes_; }
  /// True when the last token completed `stop`, whatever else that token holds (REFERENCE,
  /// "Generation"). Looks at the end only, so a long text costs nothing.
  bool just_completed(std::string_view stop) const;
  /// The text: incomplete or invalid UTF-8 as U+FFFD.
  std::string text() const;

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::vector<std::int32_t> ids_;
  std::string bytes_;
  std::size_t last_token_bytes_ = 0;
};

}  // namespace aitqe
