#pragma once

#include <bit>
#include <cstdint>

/// One value at a time, for the CPU and, since constexpr, for nvcc's device code too
/// (--expt-relaxed-constexpr). See Note [Rounding of the fused kernels].
namespace aitqe::kernels::fused {

/// A bf16 as it lies in memory.
struct Bf16 {
  std::uint16_t bits;
};

constexpr float widen(float x) { return x; }
constexpr float widen(Bf16 x) { return std::bit_cast<float>(std::uint32_t{x.bits} << 16); }

/// The nearest T, halfway cases to even; every NaN to the quiet one, as c10::BFloat16 does.
template <typename T>
constexpr T narrow(float x);
template <>
constexpr float narrow<float>(float x) {
  return x;
}
template <>
constexpr Bf16 narrow<Bf16>(float x) {
  if (x != x) return {0x7fc0};
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return {static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}

/// x as a T holds it.
template <typename T>
constexpr float rounded(float x) {
  return widen(narrow<T>(x));
}

template <typename T>
constexpr T add(T x, T y) {
  return narrow<T>(widen(x) + widen(y));
}

/// @param scale  1 / sqrt(mean(x^2) + eps)
template <typename T>
constexpr T scale_norm(float x, float scale, float weight) {
  return narrow<T>(rounded<T>(weight) * rounded<T>(x * scale));
}

/// The first and second half of a head, turned.
template <typename T>
constexpr T turn_first(T x1, T x2, float cos, float sin) {
  return narrow<T>(rounded<T>(widen(x1) * rounded<T>(cos)) -
                   rounded<T>(widen(x2) * rounded<T>(sin)));
}
template <typename T>
constexpr T turn_second(T x1, T x2, float cos, float sin) {
  return narrow<T>(rounded<T>(widen(x2) * rounded<T>(cos)) +
                   rounded<T>(widen(x1) * rounded<T>(sin)));
}

/// @param exp_of_minus_gate  exp(-gate)
template <typename T>
constexpr T silu_mul(T gate, T up, float exp_of_minus_gate) {
  return narrow<T>(rounded<T>(widen(gate) / (1.0F + exp_of_minus_gate)) * widen(up));
}

/// The sum of a row: kNormThreads partial sums of runs of kRun values in turn, then pairs of lanes
/// 16, 8, 4, 2 and 1 apart within each kLanesOfWarp, then the same over the warps.
inline constexpr int kNormThreads = 256;
inline constexpr int kRun = 8;
inline constexpr int kLanesOfWarp = 32;
inline constexpr int kNormWarps = kNormThreads / kLanesOfWarp;

}  // namespace aitqe::kernels::fused
