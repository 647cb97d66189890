#include "aitqe/train/neighbours.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace aitqe {

namespace {

constexpr std::int64_t kRowsAtOnce = 1024;  // of the N x N cosines: 64 MB for 16,000 vectors

}  // namespace

Neighbours::Neighbours(const at::Tensor& vectors)
    : unit_(vectors / vectors.norm(2, /*dim=*/{1}, /*keepdim=*/true).clamp_min(1e-12)) {
  const std::int64_t count = unit_.size(0);
  const std::int64_t taken = std::min<std::int64_t>(kNearest, count);
  nearest_.resize(static_cast<std::size_t>(count));
  for (std::int64_t first = 0; first < count; first += kRowsAtOnce) {
    const std::int64_t rows = std::min(kRowsAtOnce, count - first);
    at::Tensor cosines = at::mm(unit_.narrow(0, first, rows), unit_.t());
    cosines.diagonal(first).fill_(0);
    cosines.masked_fill_(cosines >= kSame, 0);
    const auto [values, places] = cosines.topk(taken, /*dim=*/1);
    for (std::int64_t row = 0; row < rows; ++row) {
      auto& nearest = nearest_[static_cast<std::size_t>(first + row)];
      const at::Tensor cosine = values[row].contiguous();
      const at::Tensor place = places[row].contiguous();
      for (std::int64_t i = 0; i < taken && cosine.const_data_ptr<float>()[i] > 0; ++i) {
        nearest.push_back(static_cast<std::size_t>(place.const_data_ptr<std::int64_t>()[i]));
      }
    }
  }
}

std::int64_t Neighbours::count() const {
  return std::count_if(nearest_.begin(), nearest_.end(),
                       [](const auto& nearest) { return !nearest.empty(); });
}

std::vector<std::size_t> Neighbours::draw(std::size_t index, std::size_t count,
                                          Random random) const {
  std::vector<std::size_t> shuffled = nearest_[index];
  std::sort(shuffled.begin(), shuffled.end());  // cosines that are nearly equal stand in any order
  random.shuffle(shuffled);
  const auto row = [this](std::size_t i) { return unit_[static_cast<std::int64_t>(i)]; };
  std::vector<std::size_t> drawn;
  for (const std::size_t candidate : shuffled) {
    const bool is_another = std::none_of(drawn.begin(), drawn.end(), [&](std::size_t other) {
      return at::dot(row(candidate), row(other)).item<double>() >= kSame;
    });
    if (is_another && drawn.size() < count) drawn.push_back(candidate);
  }
  return drawn;
}

}  // namespace aitqe
