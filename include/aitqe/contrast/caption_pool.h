#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "aitqe/base/random.h"

namespace aitqe {

/// One caption of the input and what is known of its picture.
struct PooledCaption {
  std::string text;
  /// Pictures of one group are near each other: a folder, an emoji subgroup. "" = not known.
  std::string group;
  /// A real generic caption: says nothing of its picture.
  bool is_junk = false;
};

/// All captions of an input, to take wrong ones from. Filled by one thread; once sealed, immutable
/// and safe to use from many.
class CaptionPool {
 public:
  /// @return the caption's index.
  std::size_t add(PooledCaption caption);
  /// Ends filling; nothing below may be asked before.
  void seal();

  std::size_t size() const { return captions_.size(); }
  const PooledCaption& at(std::size_t index) const { return captions_[index]; }

  /// A caption of another group that shares no word of meaning with `text`, or nothing.
  /// @param also_true  of the same picture; as little as `text` is any of them given
  std::optional<std::size_t> other(std::string_view text, std::string_view group, Random& random,
                                   std::span<const std::string> also_true = {}) const;

  /// A near neighbour: another caption of the same group, or else one that shares the rarest word
  /// it can. Never one that says the same in the same words.
  std::optional<std::size_t> near(std::string_view text, std::string_view group, Random& random,
                                  std::span<const std::string> also_true = {}) const;

  /// A real generic caption, or nothing when the input has none.
  std::optional<std::size_t> junk(Random& random) const;

  /// True for a word that stands with a capital letter inside captions and nowhere without one.
  bool is_name(const std::string& word) const;
  /// Another such word, or nothing.
  std::optional<std::string> other_name(const std::string& word, Random& random) const;

 private:
  std::vector<PooledCaption> captions_;
  std::vector<std::size_t> good_;
  std::vector<std::size_t> junk_;
  std::unordered_map<std::string, std::vector<std::size_t>> by_group_;
  std::unordered_map<std::string, std::vector<std::size_t>> by_word_;
  std::unordered_set<std::string> lower_words_;
  std::vector<std::string> names_;
  std::unordered_set<std::string> name_set_;
};

}  // namespace aitqe
