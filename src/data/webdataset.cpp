#include "aitqe/data/webdataset.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

namespace aitqe {
namespace {

std::string to_lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

// FNV-1a, 64 bit, with a final mix (the one of MurmurHash3): the keys of a shard differ in a few
// digits.
std::uint64_t hash_key(std::string_view key) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  return hash ^ (hash >> 33);
}

// webdataset's `skip_meta`: names whose first component is `__x__`.
bool is_meta_name(std::string_view name) {
  const std::string_view first = name.substr(0, name.find('/'));
  return first.size() >= 4 && first.starts_with("__") && first.ends_with("__");
}

// Where the key ends: webdataset's `^((?:.*/|)[^.]+)[.]([^/]*)$`. A name that begins with a dot
// takes its folder into the match, so `a/.b` has the key `a/`.
std::size_t find_key_end(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  const std::size_t base = slash == std::string_view::npos ? 0 : slash + 1;
  const std::size_t dot = name.find('.', base);
  if (dot == std::string_view::npos || dot > base) return dot;
  if (base == 0) return std::string_view::npos;
  const std::size_t parent_slash = base < 2 ? std::string_view::npos : name.rfind('/', base - 2);
  const std::size_t parent = parent_slash == std::string_view::npos ? 0 : parent_slash + 1;
  const bool has_dot = name.substr(parent, base - parent).find('.') != std::string_view::npos;
  return has_dot ? std::string_view::npos : dot;
}

Member make_member(TarMember&& source, std::string suffix) {
  return {std::move(source.name), std::move(suffix), std::move(source.bytes),
          std::move(source.metadata), source.header_offset};
}

// Several pairs under one key: two or more dotted names, each with an image, and no member that
// would be the pair's own (`a.v1.jpg a.v1.txt a.v2.jpg ...`, but not `a.jpg a.seg.png
// a.depth.png`).
bool is_dotted_merge(const Sample& sample) {
  std::set<std::string> images;
  for (const Member& member : sample.members) {
    const std::size_t dot = member.suffix.rfind('.');
    if (dot == std::string::npos) {
      if (member.suffix == "txt" || is_image_suffix(member.suffix)) return false;
    } else if (is_image_suffix(member.suffix.substr(dot + 1))) {
      images.insert(member.suffix.substr(0, dot));
    }
  }
  return images.size() > 1;
}

void add_member_problems(Sample& sample) {
  std::set<std::string> suffixes;
  std::int64_t num_images = 0;
  std::int64_t num_texts = 0;
  bool has_duplicate = false;
  for (const Member& member : sample.members) {
    if (member.passes_through()) continue;
    has_duplicate = !suffixes.insert(member.suffix).second || has_duplicate;
    num_images += is_image_suffix(member.suffix) ? 1 : 0;
    num_texts += member.suffix == "txt" ? 1 : 0;
  }
  if (has_duplicate) sample.problems.push_back(SampleProblem::DuplicateSuffix);
  if (num_images > 1) sample.problems.push_back(SampleProblem::SeveralImages);
  if (num_texts > 1) sample.problems.push_back(SampleProblem::SeveralCaptions);
  if (is_dotted_merge(sample)) sample.problems.push_back(SampleProblem::DottedKeyMerge);
}

}  // namespace

std::optional<KeyAndSuffix> split_name(std::string_view name) {
  const std::size_t key_end = find_key_end(name);
  if (key_end == std::string_view::npos || key_end + 1 == name.size() || is_meta_name(name)) {
    return std::nullopt;
  }
  return KeyAndSuffix{std::string(name.substr(0, key_end)), to_lower(name.substr(key_end + 1))};
}

SampleReader::SampleReader(TarReader& members, GroupingOptions options)
    : members_(members), options_(options) {}

std::optional<Sample> SampleReader::next() {
  std::optional<Sample> sample;
  std::int64_t num_bytes = 0;
  while (true) {
    std::optional<TarMember> member =
        pending_ ? std::exchange(pending_, std::nullopt) : members_.next();
    if (!member) break;
    std::optional<KeyAndSuffix> parts;
    if (member->metadata.type == MemberType::File) parts = split_name(member->name);
    if (!parts) {
      (sample ? sample->members : leading_).push_back(make_member(std::move(*member), ""));
      continue;
    }
    if (!sample) {
      sample.emplace();
      sample->key = parts->key;
      sample->members = std::exchange(leading_, {});
      if (std::exchange(pending_is_split_, false)) {
        sample->problems.push_back(SampleProblem::SplitSample);
      }
    } else {
      const bool is_same_key = sample->key == parts->key;
      const bool is_full =
          static_cast<std::int64_t>(sample->members.size()) >= options_.max_sample_members ||
          num_bytes + static_cast<std::int64_t>(member->bytes.size()) > options_.max_sample_bytes;
      if (!is_same_key || is_full) {
        if (is_same_key) sample->problems.push_back(SampleProblem::SplitSample);
        pending_is_split_ = is_same_key;
        pending_ = std::move(member);
        break;
      }
    }
    num_bytes += static_cast<std::int64_t>(member->bytes.size());
    sample->members.push_back(make_member(std::move(*member), std::move(parts->suffix)));
  }
  if (sample) finish(*sample);
  return sample;
}

void SampleReader::finish(Sample& sample) {
  sample.index = num_samples_++;
  if (!keys_seen_.insert(hash_key(sample.key)).second) {
    sample.problems.push_back(SampleProblem::DuplicateKey);
  }
  if (sample.index > 0 && sample.key != previous_key_ &&
      to_lower(sample.key) == to_lower(previous_key_)) {
    sample.problems.push_back(SampleProblem::KeyDiffersByCase);
  }
  previous_key_ = sample.key;
  add_member_problems(sample);
}

std::vector<Member> SampleReader::take_leftovers() { return std::exchange(leading_, {}); }

}  // namespace aitqe
