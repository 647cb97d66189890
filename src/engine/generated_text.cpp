#include "aitqe/engine/generated_text.h"

#include <algorithm>

#include "aitqe/text/unicode.h"

namespace aitqe {

GeneratedText::GeneratedText(std::shared_ptr<const Tokenizer> tokenizer)
    : tokenizer_(std::move(tokenizer)) {}

void GeneratedText::push(std::int32_t id) {
  ids_.push_back(id);
  const std::string_view bytes =
      tokenizer_->is_special(id) ? std::string_view() : tokenizer_->token_bytes(id);
  bytes_ += bytes;
  last_token_bytes_ = bytes.size();
}

void GeneratedText::clear() {
  ids_.clear();
  bytes_.clear();
  last_token_bytes_ = 0;
}

bool GeneratedText::just_completed(std::string_view stop) const {
  // A stop text that ends inside the last token begins at most `stop.size() - 1` bytes before it.
  const std::size_t reach = std::min(bytes_.size(), last_token_bytes_ + stop.size() - 1);
  return !stop.empty() && last_token_bytes_ > 0 &&
         bytes_.find(stop, bytes_.size() - reach) != std::string::npos;
}

std::string GeneratedText::text() const { return repair_utf8(bytes_); }

}  // namespace aitqe
