#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace aitqe {

/// The same pattern for PCRE2, with the character classes spelt out.
/// @throws Error(Model) saying what is not understood.
std::string to_pcre2(std::string_view pattern);

/// A compiled pattern of SplitStep. Immutable; safe to call from many threads.
class Pattern {
 public:
  /// @throws Error(Model) as to_pcre2, when PCRE2 refuses it, or when it matches empty text.
  explicit Pattern(std::string_view pattern);

  /// Calls `use` for each match and each gap between matches, from left to right.
  /// @param text  valid UTF-8.
  /// @throws Error(Model) when PCRE2 gives up.
  void for_each_piece(std::string_view text,
                      const std::function<void(std::string_view)>& use) const;

 private:
  std::string pattern_;
  std::shared_ptr<const void> code_;  // pcre2_code; its header stays in the source
};

}  // namespace aitqe
