#include "aitqe/train/concepts.h"

#include <cmath>
#include <sstream>

#include "aitqe/base/error.h"
#include "aitqe/io/safetensors.h"

namespace aitqe {

namespace {

constexpr double kWeakest = 1;  // an object of a photograph stands out about as much
constexpr double kStrongest = 6;
constexpr double kHighestFeature = 6;  // of ReLU6

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

}  // namespace

Concepts Concepts::read(const std::filesystem::path& path, at::Device device) {
  const auto file = SafetensorsFile::open(path);
  const auto rows = file->tensors().find("rows");
  const auto texts = file->tensors().find("texts");
  const auto end = file->tensors().end();
  const bool fits = rows != end && texts != end && rows->second.dtype == TensorDtype::F32 &&
                    rows->second.shape.size() == 2 && texts->second.dtype == TensorDtype::U8;
  if (!fits) {
    throw Error(ErrorCategory::Model,
                path.string() + ": expected a matrix \"rows\" of F32 and \"texts\" of U8");
  }
  Concepts concepts;
  concepts.rows_ = at::from_blob(const_cast<std::byte*>(file->data("rows").data()),
                                 rows->second.shape, at::kFloat)
                       .clone()
                       .to(device);
  const auto bytes = file->data("texts");
  const std::string lines(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const std::string& line : split(lines, '\n')) {
    concepts.texts_.push_back(split(line, '\t'));
    if (!concepts.texts_.back().empty()) continue;
    throw Error(ErrorCategory::Model, path.string() + ": line " +
                                          std::to_string(concepts.texts_.size()) +
                                          " of \"texts\" is empty");
  }
  if (std::ssize(concepts.texts_) != concepts.rows_.size(0)) {
    throw Error(ErrorCategory::Model, path.string() + ": " +
                                          std::to_string(concepts.texts_.size()) +
                                          " lines of texts, expected one for each of " +
                                          std::to_string(concepts.rows_.size(0)) + " rows");
  }
  return concepts;
}

Painting Concepts::draw(std::int64_t side, Random& random) const {
  Painting painting;
  painting.concept_index = random.below(size());
  const int whole = static_cast<int>(side);
  const int least = (whole + 1) / 2;
  painting.height = random.between(least, whole);
  painting.width = random.between(least, whole);
  painting.top = random.between(0, whole - static_cast<int>(painting.height));
  painting.left = random.between(0, whole - static_cast<int>(painting.width));
  painting.background = random.unit();
  painting.strength = kWeakest + (kStrongest - kWeakest) * random.unit();
  return painting;
}

at::Tensor Concepts::paint(const at::Tensor& features, const Painting& painting) const {
  const auto side =
      static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(features.size(0)))));
  at::Tensor grid = (features * painting.background).view({side, side, features.size(1)});
  const at::Tensor direction = rows_[static_cast<std::int64_t>(painting.concept_index)];
  grid.narrow(0, painting.top, painting.height)
      .narrow(1, painting.left, painting.width)
      .add_(direction, painting.strength);
  return grid.clamp(0, kHighestFeature).view_as(features);
}

}  // namespace aitqe
