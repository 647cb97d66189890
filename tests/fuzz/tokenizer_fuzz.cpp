// Any bytes as a caption: no special id, nothing lost, and piecewise decoding equals whole.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "aitqe/text/incremental_decoder.h"
#include "aitqe/text/tokenizer.h"
#include "aitqe/text/unicode.h"

namespace {

/// A broken promise, as the fuzzer understands it.
void require(bool holds) {
  if (!holds) std::abort();
}

void check(const aitqe::Tokenizer& tokenizer, const std::string& text,
           aitqe::SpecialTokens specials) {
  aitqe::IncrementalDecoder decoder(tokenizer, aitqe::SkipSpecials::No);
  std::string bytes;
  std::string decoded;
  for (const std::int32_t id : tokenizer.encode(text, specials)) {
    require(specials == aitqe::SpecialTokens::Parse || !tokenizer.is_special(id));
    bytes += tokenizer.token_bytes(id);
    const std::string part = decoder.push(id);
    require(aitqe::is_valid_utf8(part));
    decoded += part;
  }
  decoded += decoder.finish();
  require(decoded == aitqe::nfc(text));
  require(decoded == aitqe::repair_utf8(bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const aitqe::Tokenizer tokenizer =
      aitqe::Tokenizer::load(AITQE_SOURCE_DIR "/tests/data/text/qwen2-cut");
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string text = aitqe::repair_utf8(bytes);
  require(aitqe::is_valid_utf8(text));
  require(aitqe::nfc(aitqe::nfc(text)) == aitqe::nfc(text));
  check(tokenizer, text, aitqe::SpecialTokens::AsText);
  check(tokenizer, text, aitqe::SpecialTokens::Parse);
  // The raw bytes as a stream of one-byte tokens: what the decoder makes of a model's output.
  aitqe::IncrementalDecoder decoder(tokenizer, aitqe::SkipSpecials::Yes);
  std::string decoded;
  for (const char byte : bytes) decoded += decoder.push(*tokenizer.token_id({&byte, 1}));
  decoded += decoder.finish();
  require(decoded == text);
  return 0;
}
