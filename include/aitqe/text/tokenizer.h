#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aitqe {

/// What becomes of the spelling of an added token, such as `<|im_end|>`, within a text.
enum class SpecialTokens {
  AsText,  ///< ordinary text: no special id comes out, whatever the text is
  Parse,   ///< the added token, as the reference does even with captions
};

/// Byte-level byte pair encoding of Qwen2, SmolLM2 and their kin.
/// Source: transformers' slow Qwen2Tokenizer and HF `tokenizers`, without the tokens that a
/// post-processor adds, truncation or padding; checked by `tokenizer_test.cpp` and
/// scripts/check_tokenizer.py. Two differences, both by decision: the text is normalized before
/// added tokens are cut out (the slow tokenizer's order), and AsText also leaves alone added
/// tokens that are not special.
/// Immutable; safe to call from many threads. Copies share their tables.
class Tokenizer {
 public:
  /// Reads `tokenizer.json` where there is one; else `vocab.json`, `merges.txt` and
  /// `tokenizer_config.json`, whose `tokenizer_class` chooses the rules: Qwen2Tokenizer (NFC and
  /// Qwen2's pattern) or GPT2Tokenizer (as SmolLM2 uses it: single digits, then GPT-2's pattern).
  /// @throws Error(Model) naming the file and what is wrong or not understood in it.
  static Tokenizer load(const std::filesystem::path& folder);

  /// Token ids of `text`; nothing is put before or after them. NFC first where the folder says
  /// so, over all of `text`; then added tokens (Parse only), the pattern and the merges. Bytes
  /// that the vocabulary lacks give no token. Time is n log n.
  /// @param text  valid UTF-8 (repair_utf8 first).
  /// @throws Error(Bug) when it is not; Error(Model) when the folder's own pattern gives up.
  std::vector<std::int32_t> encode(std::string_view text, SpecialTokens specials) const;

  /// Id of the token with exactly this text (bytes, not the byte alphabet), special or not.
  std::optional<std::int32_t> token_id(std::string_view content) const;

  /// Bytes that `id` stands for; a special token's text; empty for an unknown id.
  std::string_view token_bytes(std::int32_t id) const;

  bool is_special(std::int32_t id) const;

  /// Highest id + 1.
  std::int32_t size() const;

  /// Texts of all special tokens, by rising id.
  std::vector<std::string> special_tokens() const;

 private:
  struct State;
  explicit Tokenizer(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  std::shared_ptr<const State> state_;
};

}  // namespace aitqe
