#include "aitqe/text/incremental_decoder.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "aitqe/text/unicode.h"

namespace aitqe {
namespace {

Tokenizer qwen2_cut() { return Tokenizer::load(AITQE_SOURCE_DIR "/tests/data/text/qwen2-cut"); }

/// The vocabulary holds every single byte.
std::int32_t byte_id(const Tokenizer& tokenizer, char byte) {
  return tokenizer.token_id(std::string_view(&byte, 1)).value();
}

TEST(IncrementalDecoder, HoldsACharacterBackUntilItIsComplete) {
  const Tokenizer tokenizer = qwen2_cut();
  IncrementalDecoder decoder(tokenizer, SkipSpecials::Yes);
  EXPECT_EQ(decoder.push(byte_id(tokenizer, 'a')), "a");
  EXPECT_EQ(decoder.push(byte_id(tokenizer, '\xF0')), "");
  EXPECT_EQ(decoder.push(byte_id(tokenizer, '\x9F')), "");
  EXPECT_EQ(decoder.push(byte_id(tokenizer, '\x98')), "");
  EXPECT_EQ(decoder.push(byte_id(tokenizer, '\x80')), "\U0001F600");
  EXPECT_EQ(decoder.finish(), "");
}

TEST(IncrementalDecoder, ReplacesWhatStaysIncomplete) {
  const Tokenizer tokenizer = qwen2_cut();
  IncrementalDecoder decoder(tokenizer, SkipSpecials::Yes);
  EXPECT_EQ(decoder.push(byte_id(tokenizer, '\xE2')), "");
  EXPECT_EQ(decoder.push(byte_id(tokenizer, 'x')), "\uFFFDx");
  EXPECT_EQ(decoder.push(byte_id(tokenizer, '\xE2')), "");
  EXPECT_EQ(decoder.push(byte_id(tokenizer, '\x82')), "");
  EXPECT_EQ(decoder.finish(), "\uFFFD");
  EXPECT_EQ(decoder.finish(), "");
  EXPECT_EQ(decoder.push(byte_id(tokenizer, 'y')), "y");
}

TEST(IncrementalDecoder, SkipsSpecialTokensOnlyWhenAsked) {
  const Tokenizer tokenizer = qwen2_cut();
  const std::int32_t end = tokenizer.token_id("<|im_end|>").value();
  IncrementalDecoder with(tokenizer, SkipSpecials::No);
  IncrementalDecoder without(tokenizer, SkipSpecials::Yes);
  EXPECT_EQ(with.push(end), "<|im_end|>");
  EXPECT_EQ(without.push(end), "");
  EXPECT_EQ(without.push(-1) + without.push(tokenizer.size()), "");
}

TEST(IncrementalDecoder, JoinsToTheRepairOfAllBytes) {
  const Tokenizer tokenizer = qwen2_cut();
  const std::string bytes("\x80\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xED\xA0z\xF4", 14);
  std::mt19937 random(1);
  for (int round = 0; round < 5000; ++round) {
    IncrementalDecoder decoder(tokenizer, SkipSpecials::Yes);
    std::string all;
    std::string text;
    for (int i = 0; i < 12; ++i) {
      const char byte = bytes[random() % bytes.size()];
      all.push_back(byte);
      const std::string part = decoder.push(byte_id(tokenizer, byte));
      EXPECT_TRUE(is_valid_utf8(part));
      text += part;
    }
    text += decoder.finish();
    ASSERT_EQ(text, repair_utf8(all)) << testing::PrintToString(all);
  }
}

}  // namespace
}  // namespace aitqe
