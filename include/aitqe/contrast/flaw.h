#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/base/random.h"

namespace aitqe {

/// A way to spoil a good caption (paper, figure 2; the authors published no rules, these are ours).
enum class Flaw {
  OtherImage,     ///< the caption of another image
  NearMiss,       ///< the caption of a near neighbour: same group, or a rare word in common
  WrongObject,    ///< one thing named is another of its kind
  WrongColour,    ///< one colour is another
  WrongCount,     ///< one number is another
  WrongName,      ///< one proper name is another
  Truncated,      ///< cut off in the middle
  Shuffled,       ///< the same words in another order
  AltTextJunk,    ///< a file name or placeholder, real ones of the input where there are some
  Boilerplate,    ///< what shops and sites put around pictures
  WrongLanguage,  ///< the same in another language
};
inline constexpr std::size_t kNumFlaws = 11;

/// "other_image", "near_miss", ...: stable names for options and files.
std::string_view flaw_name(Flaw flaw);
/// @throws Error(Usage) naming the flaws there are.
Flaw parse_flaw(std::string_view name);

/// How often each flaw is chosen, relative to the others.
class FlawMix {
 public:
  /// Half of them mismatches: they cannot be learnt from the text alone.
  FlawMix();

  /// `all`, `none` and names, each with `-` in front to leave it out or `=WEIGHT` behind it, from
  /// left to right: `all,-shuffled`, `none,other_image,near_miss=3`. Without `all` or `none` in
  /// front the list starts from nothing, unless its first entry leaves one out.
  /// @throws Error(Usage).
  static FlawMix parse(std::string_view text);
  std::string to_string() const;

  double weight(Flaw flaw) const { return weights_[static_cast<std::size_t>(flaw)]; }
  void set(Flaw flaw, double weight) { weights_[static_cast<std::size_t>(flaw)] = weight; }

  /// All flaws of a weight above 0 in a random order, heavier ones more often in front.
  std::vector<Flaw> order(Random& random) const;

 private:
  std::array<double, kNumFlaws> weights_;
};

}  // namespace aitqe
