#include "aitqe/data/sample.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace aitqe {
namespace {

// The first four in open_clip's order (training/data.py: "jpg;png;jpeg;webp").
constexpr std::array<std::string_view, 12> kImageSuffixes{
    "jpg", "png", "jpeg", "webp", "bmp", "gif", "tif", "tiff", "heic", "avif", "svg", "psd"};

}  // namespace

const char* to_string(SampleProblem problem) {
  switch (problem) {
    case SampleProblem::DuplicateSuffix:
      return "duplicate_suffix";
    case SampleProblem::DuplicateKey:
      return "duplicate_key";
    case SampleProblem::KeyDiffersByCase:
      return "key_differs_by_case";
    case SampleProblem::DottedKeyMerge:
      return "dotted_key_merge";
    case SampleProblem::SeveralImages:
      return "several_images";
    case SampleProblem::SeveralCaptions:
      return "several_captions";
    case SampleProblem::SplitSample:
      return "split_sample";
  }
  return "unknown";
}

bool Sample::has_problem(SampleProblem problem) const {
  return std::find(problems.begin(), problems.end(), problem) != problems.end();
}

std::int64_t Sample::tar_bytes() const {
  constexpr std::int64_t kBlock = 512;
  std::int64_t total = 0;
  for (const Member& member : members) {
    const std::int64_t blocks = (std::ssize(member.bytes) + kBlock - 1) / kBlock;
    total += (1 + blocks) * kBlock;
  }
  return total;
}

const Member* find_member(const Sample& sample, const std::string& suffix) {
  const auto found = std::find_if(
      sample.members.begin(), sample.members.end(),
      [&](const Member& member) { return !member.passes_through() && member.suffix == suffix; });
  return found == sample.members.end() ? nullptr : &*found;
}

Member* find_member(Sample& sample, const std::string& suffix) {
  return const_cast<Member*>(find_member(std::as_const(sample), suffix));
}

const Member* find_image(const Sample& sample) {
  for (const std::string_view suffix : kImageSuffixes) {
    if (const Member* member = find_member(sample, std::string(suffix))) return member;
  }
  return nullptr;
}

bool is_image_suffix(const std::string& suffix) {
  return std::find(kImageSuffixes.begin(), kImageSuffixes.end(), suffix) != kImageSuffixes.end();
}

const Member* find_text(const Sample& sample) { return find_member(sample, "txt"); }

std::string describe_members(const Sample& sample) {
  std::string text;
  for (const Member& member : sample.members) {
    if (member.passes_through()) continue;
    if (!text.empty()) text += ", ";
    text += member.suffix;
  }
  return text;
}

}  // namespace aitqe
