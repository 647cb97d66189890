#include "aitqe/engine/generated_text.h"

#include <algorithm>

namespace aitqe {

GeneratedText::GeneratedText(const Tokenizer& tokenizer) : decoder_(tokenizer, SkipSpecials::Yes) {}

void GeneratedText::push(std::int32_t id) {
  ids_.push_back(id);
  const std::string piece = decoder_.push(id);
  complete_ += piece;
  last_piece_bytes_ = piece.size();
}

void GeneratedText::clear() {
  ids_.clear();
  complete_.clear();
  last_piece_bytes_ = 0;
  decoder_.finish();
}

bool GeneratedText::just_completed(std::string_view stop) const {
  // A stop text that ends inside the last piece begins at most `stop.size() - 1` bytes before it.
  const std::size_t reach = std::min(complete_.size(), last_piece_bytes_ + stop.size() - 1);
  return !stop.empty() && last_piece_bytes_ > 0 &&
         complete_.find(stop, complete_.size() - reach) != std::string::npos;
}

std::string GeneratedText::text() const {
  IncrementalDecoder rest = decoder_;
  return complete_ + rest.finish();
}

}  // namespace aitqe
