#include "added_tokens.h"

#include <utf8proc.h>

#include <algorithm>

#include "utf8.h"

namespace aitqe {
namespace {

/// `\w` of Rust's regex crate (UTS #18), less the few circled letters that count as alphabetic.
bool is_word(char32_t code_point) {
  switch (utf8proc_category(static_cast<std::int32_t>(code_point))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      return code_point == 0x200C || code_point == 0x200D;  // Join_Control
  }
}

bool begins_with_word(std::string_view text) {
  return !text.empty() && is_word(read_utf8(text).code_point);
}

bool ends_with_word(std::string_view text) {
  return !text.empty() && is_word(read_utf8(text.substr(last_character_offset(text))).code_point);
}

std::size_t leading_space_bytes(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size()) {
    const Utf8Step step = read_utf8(text.substr(size));
    if (!is_white_space(step.code_point)) break;
    size += step.size_bytes;
  }
  return size;
}

std::size_t trailing_space_bytes(std::string_view text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t offset = last_character_offset(rest);
    if (!is_white_space(read_utf8(rest.substr(offset)).code_point)) break;
    rest = rest.substr(0, offset);
  }
  return text.size() - rest.size();
}

unsigned char byte_at(const std::string& text, std::size_t index) {
  return static_cast<unsigned char>(text[index]);
}

}  // namespace

AddedTokenCutter::AddedTokenCutter(const std::vector<AddedToken>& tokens) {
  for (const AddedToken& token : tokens) (token.normalized ? normalized_ : exact_).add(token);
  exact_.prepare();
  normalized_.prepare();
}

std::vector<TextPiece> AddedTokenCutter::cut(std::string_view text) const {
  std::vector<TextPiece> pieces;
  for (const TextPiece& piece : exact_.cut(text)) {
    if (piece.id.has_value()) {
      pieces.push_back(piece);
      continue;
    }
    const std::vector<TextPiece> parts = normalized_.cut(piece.text);
    pieces.insert(pieces.end(), parts.begin(), parts.end());
  }
  return pieces;
}

void AddedTokenCutter::Matcher::prepare() {
  std::sort(tokens_.begin(), tokens_.end(), [](const AddedToken& a, const AddedToken& b) {
    return a.content < b.content;  // char_traits<char> compares as unsigned
  });
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    Range& range = by_first_byte_[byte_at(tokens_[i].content, 0)];
    if (range.end == 0) range.begin = i;
    range.end = i + 1;
  }
}

/// Narrows the range of tokens that agree with `text` byte by byte.
const AddedToken* AddedTokenCutter::Matcher::longest_at(std::string_view text) const {
  Range range = by_first_byte_[static_cast<unsigned char>(text.front())];
  const AddedToken* longest = nullptr;
  for (std::size_t depth = 1; range.begin < range.end; ++depth) {
    if (tokens_[range.begin].content.size() == depth) longest = &tokens_[range.begin++];
    if (depth == text.size()) break;
    const auto next = static_cast<unsigned char>(text[depth]);
    const auto begin = tokens_.begin() + static_cast<std::ptrdiff_t>(range.begin);
    const auto end = tokens_.begin() + static_cast<std::ptrdiff_t>(range.end);
    const auto first = std::partition_point(
        begin, end, [&](const AddedToken& token) { return byte_at(token.content, depth) < next; });
    const auto last = std::partition_point(
        first, end, [&](const AddedToken& token) { return byte_at(token.content, depth) == next; });
    range = {static_cast<std::size_t>(first - tokens_.begin()),
             static_cast<std::size_t>(last - tokens_.begin())};
  }
  return longest;
}

std::vector<TextPiece> AddedTokenCutter::Matcher::cut(std::string_view text) const {
  std::vector<TextPiece> pieces;
  std::size_t done = 0;  // all before it is in pieces
  std::size_t at = 0;
  while (at < text.size()) {
    const AddedToken* token = longest_at(text.substr(at));
    if (token == nullptr) {
      ++at;
      continue;
    }
    std::size_t begin = at;
    std::size_t end = at + token->content.size();
    at = end;  // a token refused below is still passed over whole, as in the source
    if (token->single_word &&
        (ends_with_word(text.substr(0, begin)) || begins_with_word(text.substr(end)))) {
      continue;
    }
    if (token->lstrip) begin = std::max(done, begin - trailing_space_bytes(text.substr(0, begin)));
    if (token->rstrip) end += leading_space_bytes(text.substr(end));
    if (begin > done) pieces.push_back({text.substr(done, begin - done), std::nullopt});
    pieces.push_back({text.substr(begin, end - begin), token->id});
    done = end;
  }
  if (done < text.size()) pieces.push_back({text.substr(done), std::nullopt});
  return pieces;
}

}  // namespace aitqe
