#include "aitqe/text/split.h"

#include <optional>

#include "pattern.h"

namespace aitqe {
namespace {

// Qwen2's tokenizer.json and PRETOKENIZE_REGEX of transformers' Qwen2Tokenizer.
constexpr std::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";

// ByteLevel of HF `tokenizers`, and GPT-2's own encoder.
constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// Digits of HF `tokenizers` asks Rust's `char::is_numeric`, which knows Unicode 17: two more
// blocks than the patterns do.
constexpr std::string_view kDigitPattern = R"([\p{N}\x{11DE0}-\x{11DE9}\x{16FF4}-\x{16FF6}])";

}  // namespace

std::vector<SplitStep> qwen2_split_steps() { return {{std::string(kQwen2Pattern), false}}; }

std::vector<SplitStep> smollm2_split_steps() {
  return {{std::string(kDigitPattern), false}, {std::string(kGpt2Pattern), false}};
}

std::string_view gpt2_pattern() { return kGpt2Pattern; }

std::string_view digit_pattern() { return kDigitPattern; }

struct Splitter::Step {
  explicit Step(const SplitStep& step) : prefix_space(step.prefix_space) {
    if (!step.pattern.empty()) pattern.emplace(step.pattern);
  }

  void for_each_piece(std::string_view text,
                      const std::function<void(std::string_view)>& use) const {
    if (prefix_space && !text.starts_with(' ')) {
      const std::string prefixed = " " + std::string(text);
      return cut(prefixed, use);
    }
    cut(text, use);
  }

  void cut(std::string_view text, const std::function<void(std::string_view)>& use) const {
    if (pattern.has_value()) return pattern->for_each_piece(text, use);
    use(text);
  }

  std::optional<Pattern> pattern;
  bool prefix_space;
};

Splitter::Splitter(const std::vector<SplitStep>& steps) {
  for (const SplitStep& step : steps) steps_.push_back(std::make_shared<const Step>(step));
}

void Splitter::for_each_word(std::string_view text,
                             const std::function<void(std::string_view)>& use) const {
  if (text.empty()) return;
  std::function<void(std::string_view)> next = use;
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    next = [step, after = std::move(next)](std::string_view piece) {
      (*step)->for_each_piece(piece, after);
    };
  }
  next(text);
}

}  // namespace aitqe
