#include "aitqe/train/neighbours.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace aitqe {

namespace {

constexpr std::int64_t kRowsAtOnce = 1024;  // of the N x N cosines: 64 MB for 16,000 vectors

}  // namespace

Neighbours::Neighbours(const at::Tensor& vectors) {
  const at::Tensor unit = vectors / vectors.norm(2, /*dim=*/{1}, /*keepdim=*/true).clamp_min(1e-12);
  const std::int64_t count = unit.size(0);
  const std::int64_t taken = std::min<std::int64_t>(kNearest, count);
  nearest_.resize(static_cast<std::size_t>(count));
  for (std::int64_t first = 0; first < count; first += kRowsAtOnce) {
    const std::int64_t rows = std::min(kRowsAtOnce, count - first);
    at::Tensor cosines = at::mm(unit.narrow(0, first, rows), unit.t());
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

std::vector<std::size_t> Neighbours::draw(std::size_t index, std::size_t count,
                                          Random random) const {
  std::vector<std::size_t> drawn = nearest_[index];
  random.shuffle(drawn);
  drawn.resize(std::min(count, drawn.size()));
  return drawn;
}

}  // namespace aitqe
