#include "aitqe/text/bpe.h"

#include <cassert>
#include <functional>
#include <queue>
#include <tuple>

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

/// A word as a doubly linked list, so that a merge is constant time.
struct Bpe::Symbols {
  static constexpr int kNone = -1;
  struct Symbol {
    std::int32_t id = 0;
    int previous = kNone;
    int next = kNone;
    bool is_merged_away = false;
  };
  /// Lowest rank first, then leftmost.
  using Candidate = std::tuple<std::int32_t, int, std::int32_t>;  // rank, position, result

  std::vector<Symbol> symbols;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;

  void merge(int at, std::int32_t result) {
    Symbol& left = symbols[static_cast<std::size_t>(at)];
    Symbol& right = symbols[static_cast<std::size_t>(left.next)];
    right.is_merged_away = true;
    left.id = result;
    left.next = right.next;
    if (left.next != kNone) symbols[static_cast<std::size_t>(left.next)].previous = at;
  }
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

std::vector<std::int32_t> Bpe::encode(std::string_view word) const {
  Symbols word_symbols;
  auto& symbols = word_symbols.symbols;
  symbols.reserve(word.size());
  for (const char byte : word) {
    const std::int32_t id = byte_ids_[static_cast<unsigned char>(byte)];
    if (id == BpeRules::kNoId) continue;
    const int index = static_cast<int>(symbols.size());
    if (index > 0) symbols.back().next = index;
    symbols.push_back({id, index - 1, Symbols::kNone, false});
  }
  const auto consider = [&](int at) {
    if (at == Symbols::kNone) return;
    const auto& left = symbols[static_cast<std::size_t>(at)];
    if (left.next == Symbols::kNone) return;
    const Target* target = find(left.id, symbols[static_cast<std::size_t>(left.next)].id);
    if (target != nullptr) word_symbols.candidates.emplace(target->rank, at, target->result);
  };
  for (int at = 0; at < static_cast<int>(symbols.size()); ++at) consider(at);
  while (!word_symbols.candidates.empty()) {
    const auto [rank, at, result] = word_symbols.candidates.top();
    word_symbols.candidates.pop();
    const auto& left = symbols[static_cast<std::size_t>(at)];
    if (left.is_merged_away || left.next == Symbols::kNone) continue;
    // A candidate is stale once either of its two symbols has grown.
    const Target* target = find(left.id, symbols[static_cast<std::size_t>(left.next)].id);
    if (target == nullptr || target->rank != rank) continue;
    word_symbols.merge(at, result);
    consider(left.previous);
    consider(at);
  }
  std::vector<std::int32_t> ids;
  for (const auto& symbol : symbols) {
    if (!symbol.is_merged_away) ids.push_back(symbol.id);
  }
  return ids;
}

}  // namespace aitqe
