#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aitqe {

/// A token that is found in the text by its spelling, before byte pair encoding.
struct AddedToken {
  std::string content;
  std::int32_t id = 0;
  bool special = false;
  bool lstrip = false;       ///< takes the white space before it along
  bool rstrip = false;       ///< takes the white space after it along
  bool single_word = false;  ///< only where no letter, digit or underscore touches it
  bool normalized = false;   ///< looked for after all tokens that are not
};

/// Text between added tokens, or one added token (`id` set).
struct TextPiece {
  std::string_view text;
  std::optional<std::int32_t> id;
};

/// Cuts text at added tokens: leftmost first, longest there, as HF `tokenizers` does.
/// Immutable; safe to call from many threads.
class AddedTokenCutter {
 public:
  /// @param tokens  no two with the same content, none empty.
  explicit AddedTokenCutter(const std::vector<AddedToken>& tokens);

  /// Pieces of `text` in order, none empty; they point into `text`.
  std::vector<TextPiece> cut(std::string_view text) const;

 private:
  /// Tokens sorted by content, so that those with a common beginning are neighbours.
  class Matcher {
   public:
    void add(AddedToken token) { tokens_.push_back(std::move(token)); }
    void prepare();
    std::vector<TextPiece> cut(std::string_view text) const;

   private:
    struct Range {
      std::size_t begin = 0;
      std::size_t end = 0;
    };
    const AddedToken* longest_at(std::string_view text) const;

    std::vector<AddedToken> tokens_;
    std::array<Range, 256> by_first_byte_{};
  };

  Matcher exact_;
  Matcher normalized_;
};

}  // namespace aitqe
