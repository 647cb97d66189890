#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace aitqe {

/// GPT-2's way to write any byte as one printable character: vocabulary files hold tokens so
/// (a space is written U+0120). Returns UTF-8.
std::string to_byte_alphabet(std::string_view bytes);

/// The bytes that `utf8` spells, or nothing when a character is not in the byte alphabet.
std::optional<std::string> from_byte_alphabet(std::string_view utf8);

/// What byte-level byte pair encoding needs to know of a vocabulary.
struct BpeRules {
  struct Merge {
    std::int32_t left = 0;
    std::int32_t right = 0;
    std::int32_t result = 0;
  };
  static constexpr std::int32_t kNoId = -1;

  BpeRules() { byte_ids.fill(kNoId); }

  /// Id of each single byte; kNoId where the vocabulary lacks it: such bytes give no token and
  /// their neighbours become neighbours, as in HF `tokenizers` without an unknown token.
  std::array<std::int32_t, 256> byte_ids;
  /// Best first. A pair listed twice has its later rank, as in HF `tokenizers`.
  std::vector<Merge> merges;
};

/// Byte pair encoding of one word: the best-ranked pair of neighbours is merged, leftmost first,
/// until none is left. Immutable after construction; safe to call from many threads.
/// Source: HF `tokenizers` BPE (no dropout); checked by `tokenizer_test.cpp`.
class Bpe {
 public:
  explicit Bpe(const BpeRules& rules);

  /// Token ids of one word, any bytes below 2 GiB. Time is n log n in its length.
  std::vector<std::int32_t> encode(std::string_view text) const;

 private:
  struct Target {
    std::int32_t rank = 0;
    std::int32_t result = 0;
  };
  struct Word;

  const Target* find(std::int32_t left, std::int32_t right) const;

  std::array<std::int32_t, 256> byte_ids_;
  std::unordered_map<std::uint64_t, Target> targets_;  // by left and right id
};

}  // namespace aitqe
