#include "aitqe/base/random.h"

namespace aitqe {

namespace {
constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15ULL;  // SplitMix64's increment
}

std::uint64_t mix_bits(std::uint64_t value) {
  value += kGolden;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

std::uint64_t hash_text(std::string_view text, std::uint64_t seed) {
  // FNV-1a, 64 bits.
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return mix_bits(seed);
}

std::uint64_t Random::next() {
  const std::uint64_t value = mix_bits(state_);
  state_ += kGolden;
  return value;
}

std::size_t Random::below(std::size_t count) { return static_cast<std::size_t>(next() % count); }

int Random::between(int low, int high) {
  return low + static_cast<int>(below(static_cast<std::size_t>(high - low) + 1));
}

double Random::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

}  // namespace aitqe
