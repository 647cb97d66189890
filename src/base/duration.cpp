#include "aitqe/base/duration.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace aitqe {

std::string duration_text(double seconds) {
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  constexpr double kLongest = 1e15;
  const double sane = seconds > 0 ? std::min(seconds, kLongest) : 0;
  const auto total = static_cast<std::int64_t>(sane + 0.5);
  const auto two = [](std::int64_t large, char large_unit, std::int64_t small, char small_unit) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%lld%c %02lld%c", static_cast<long long>(large),
                  large_unit, static_cast<long long>(small), small_unit);
    return std::string(text.data());
  };
  if (total >= kDay) return two(total / kDay, 'd', total % kDay / kHour, 'h');
  if (total >= kHour) return two(total / kHour, 'h', total % kHour / kMinute, 'm');
  if (total >= kMinute) return two(total / kMinute, 'm', total % kMinute, 's');
  return std::to_string(total) + "s";
}

}  // namespace aitqe
