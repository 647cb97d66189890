#include "aitqe/text/incremental_decoder.h"

#include <utility>

#include "aitqe/text/unicode.h"
#include "utf8.h"

namespace aitqe {
namespace {

/// Bytes at the end of `bytes` that may still become a character.
std::size_t incomplete_bytes(std::string_view bytes) {
  // The longest incomplete character has 3 bytes, and it begins with the last lead byte.
  const std::size_t offset = bytes.empty() ? 0 : last_character_offset(bytes);
  const std::string_view last = bytes.substr(offset);
  const bool is_incomplete =
      !last.empty() && last.size() < 4 && read_utf8(last).state == Utf8State::Incomplete;
  return is_incomplete ? last.size() : 0;
}

}  // namespace

std::string IncrementalDecoder::push(std::int32_t id) {
  if (skip_ == SkipSpecials::Yes && tokenizer_.is_special(id)) return {};
  pending_.append(tokenizer_.token_bytes(id));
  const std::size_t complete = pending_.size() - incomplete_bytes(pending_);
  std::string text = repair_utf8(std::string_view(pending_).substr(0, complete));
  pending_.erase(0, complete);
  return text;
}

std::string IncrementalDecoder::finish() { return repair_utf8(std::exchange(pending_, {})); }

}  // namespace aitqe
