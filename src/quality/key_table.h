#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "aitqe/quality/answer_keys.h"

namespace aitqe {

/// What a key of the answer stands for.
struct KnownKey {
  enum class Kind { Recaption, Score, Explanation };
  Kind kind = Kind::Recaption;
  ScoreField field = ScoreField::Overall;  // not used by Recaption

  auto operator<=>(const KnownKey&) const = default;
};

/// Spellings of keys to what they stand for. Letters count in any case, other ASCII signs not at
/// all: "overall_score" is "Overall Score".
class KeyTable {
 public:
  explicit KeyTable(const AnswerKeys& keys);

  std::optional<KnownKey> find(std::string_view spelled) const;
  /// Whether some known key starts with `spelled`, itself included; not when nothing is left of it.
  bool is_prefix(std::string_view spelled) const;

  /// What is left of a spelling: lower-case letters, digits and bytes from 0x80 on.
  static std::string reduce(std::string_view spelled);

 private:
  std::map<std::string, KnownKey, std::less<>> keys_;  // by reduced spelling
};

}  // namespace aitqe
