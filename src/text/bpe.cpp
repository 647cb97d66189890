#include "aitqe/text/bpe.h"

#include <functional>
#include <queue>

#include "utf8.h"

namespace aitqe {
namespace {

/// GPT-2's `bytes_to_unicode`: printable Latin-1 stands for itself, the other 68 bytes take
/// U+0100, U+0101, ... in order.
std::array<char32_t, 256> make_byte_alphabet() {
  std::array<char32_t, 256> alphabet{};
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool is_printable =
        (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    alphabet[byte] = is_printable ? byte : next++;
  }
  return alphabet;
}

/// Byte for each character of the alphabet (all lie below U+0144), -1 for the others.
std::array<int, 0x144> make_byte_of_character() {
  std::array<int, 0x144> bytes{};
  bytes.fill(-1);
  const std::array<char32_t, 256> alphabet = make_byte_alphabet();
  for (int byte = 0; byte < 256; ++byte) bytes[alphabet[static_cast<std::size_t>(byte)]] = byte;
  return bytes;
}

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32) |
         static_cast<std::uint32_t>(right);
}

}  // namespace

std::string to_byte_alphabet(std::string_view bytes) {
  static const std::array<char32_t, 256> alphabet = make_byte_alphabet();
  std::string text;
  for (const char byte : bytes) append_utf8(text, alphabet[static_cast<unsigned char>(byte)]);
  return text;
}

std::optional<std::string> from_byte_alphabet(std::string_view utf8) {
  static const std::array<int, 0x144> byte_of = make_byte_of_character();
  std::string bytes;
  while (!utf8.empty()) {
    const Utf8Step step = read_utf8(utf8);
    if (step.code_point >= byte_of.size() || byte_of[step.code_point] < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(byte_of[step.code_point]));
    utf8.remove_prefix(step.size_bytes);
  }
  return bytes;
}

/// A word on its way from bytes to tokens: a doubly linked list, so that a merge is constant time.
struct Bpe::Word {
  static constexpr int kNone = -1;
  struct Symbol {
    std::int32_t id = 0;
    int previous = kNone;
    int next = kNone;
    bool is_merged_away = false;
  };
  /// Rank in the upper half, position in the lower: the smallest is best-ranked, then leftmost.
  using Candidate = std::uint64_t;

  Word(const Bpe& rules, std::string_view text) : bpe(rules) {
    symbols.reserve(text.size());
    for (const char byte : text) {
      const std::int32_t id = bpe.byte_ids_[static_cast<unsigned char>(byte)];
      if (id == BpeRules::kNoId) continue;
      const int index = static_cast<int>(symbols.size());
      if (index > 0) symbols.back().next = index;
      symbols.push_back({id, index - 1, kNone, false});
    }
    for (int index = 0; index < static_cast<int>(symbols.size()); ++index) consider(index);
  }

  Symbol& at(int index) { return symbols[static_cast<std::size_t>(index)]; }

  /// What the symbol at `index` and its right neighbour merge to, if anything.
  const Target* target_at(int index) {
    const Symbol& left = at(index);
    if (left.is_merged_away || left.next == kNone) return nullptr;
    return bpe.find(left.id, at(left.next).id);
  }

  void consider(int index) {
    const Target* target = index == kNone ? nullptr : target_at(index);
    if (target == nullptr) return;
    candidates.push((static_cast<Candidate>(target->rank) << 32) | static_cast<Candidate>(index));
  }

  void merge_all() {
    while (!candidates.empty()) {
      const Candidate best = candidates.top();
      candidates.pop();
      const int index = static_cast<int>(best & 0xFFFFFFFFU);
      const Target* target = target_at(index);
      // Stale when one of the two symbols has grown since.
      if (target == nullptr || static_cast<Candidate>(target->rank) != best >> 32) continue;
      merge(index, target->result);
    }
  }

  void merge(int index, std::int32_t result) {
    Symbol& left = at(index);
    Symbol& right = at(left.next);
    right.is_merged_away = true;
    left.id = result;
    left.next = right.next;
    if (left.next != kNone) at(left.next).previous = index;
    consider(left.previous);
    consider(index);
  }

  const Bpe& bpe;
  std::vector<Symbol> symbols;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
};

Bpe::Bpe(const BpeRules& rules) : byte_ids_(rules.byte_ids) {
  targets_.reserve(rules.merges.size());
  std::int32_t rank = 0;
  for (const BpeRules::Merge& merge : rules.merges) {
    targets_.insert_or_assign(pair_key(merge.left, merge.right), Target{rank++, merge.result});
  }
}

const Bpe::Target* Bpe::find(std::int32_t left, std::int32_t right) const {
  const auto found = targets_.find(pair_key(left, right));
  return found == targets_.end() ? nullptr : &found->second;
}

std::vector<std::int32_t> Bpe::encode(std::string_view text) const {
  Word word(*this, text);
  word.merge_all();
  std::vector<std::int32_t> ids;
  for (const Word::Symbol& symbol : word.symbols) {
    if (!symbol.is_merged_away) ids.push_back(symbol.id);
  }
  return ids;
}

}  // namespace aitqe
