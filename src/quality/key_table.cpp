#include "key_table.h"

#include "aitqe/base/ascii.h"

namespace aitqe {

KeyTable::KeyTable(const AnswerKeys& keys) {
  keys_.emplace(reduce(keys.recaption), KnownKey{KnownKey::Kind::Recaption, {}});
  for (std::size_t i = 0; i < kNumScoreFields; ++i) {
    const auto field = static_cast<ScoreField>(i);
    keys_.emplace(reduce(keys.scores[i]), KnownKey{KnownKey::Kind::Score, field});
    keys_.emplace(reduce(keys.explanations[i]), KnownKey{KnownKey::Kind::Explanation, field});
  }
}

std::optional<KnownKey> KeyTable::find(std::string_view spelled) const {
  const auto found = keys_.find(reduce(spelled));
  if (found == keys_.end()) return std::nullopt;
  return found->second;
}

bool KeyTable::is_prefix(std::string_view spelled) const {
  const std::string reduced = reduce(spelled);
  const auto next = keys_.lower_bound(reduced);
  return !reduced.empty() && next != keys_.end() && next->first.starts_with(reduced);
}

std::string KeyTable::reduce(std::string_view spelled) {
  std::string reduced;
  for (const char c : spelled) {
    const char low = ascii::lower(c);
    const bool is_letter = low >= 'a' && low <= 'z';
    if (is_letter || ascii::is_digit(low) || (low & 0x80) != 0) reduced.push_back(low);
  }
  return reduced;
}

}  // namespace aitqe
