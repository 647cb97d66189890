#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "aitqe/io/tar.h"

namespace aitqe {

/// One member of a shard as part of a sample.
struct Member {
  /// Full name in the tar, verbatim.
  std::string name;
  /// What follows the first dot of the last path component, in lower case: `a/b.SEG.png` ->
  /// `seg.png`. Empty for members that belong to no sample (see `passes_through`).
  std::string suffix;
  std::string bytes;
  MemberMetadata metadata;
  /// Of its header in the uncompressed tar.
  std::int64_t header_offset = 0;

  /// True for members that loaders skip and that only travel with a sample to keep their place:
  /// no dot in the name, `__x__`, folders, links, devices.
  bool passes_through() const { return suffix.empty(); }
};

/// Something odd about a sample that was found while grouping. Names in reports: `to_string`.
enum class SampleProblem {
  DuplicateSuffix,   ///< one suffix twice, compared in lower case; loaders fail or keep the last
  DuplicateKey,      ///< the key was there before in this shard (members not adjacent, or a repeat)
  KeyDiffersByCase,  ///< differs from the sample before only by case: one pair split in two
  DottedKeyMerge,    ///< keys with dots: several pairs look like one sample to every loader
  SeveralImages,     ///< more than one image member; `find_image` says which is taken
  SeveralCaptions,   ///< `txt` twice
  SplitSample,       ///< beyond GroupingOptions' limits: the rest follows as a sample of its own
};

/// snake_case, e.g. "dotted_key_merge".
const char* to_string(SampleProblem problem);

/// One pair and all that belongs to it, in archive order. Members that pass through stand where
/// they stood, so writing all members of all samples in order gives the input back.
struct Sample {
  /// webdataset's rule: the full name up to the first dot of its last path component.
  std::string key;
  /// Place among the samples of its shard, from 0.
  std::int64_t index = 0;
  std::vector<Member> members;
  std::vector<SampleProblem> problems;

  bool has_problem(SampleProblem problem) const;
  /// What the members take up in a tar, headers and padding too.
  std::int64_t tar_bytes() const;
};

/// The first member with this (lower-case) suffix, or null.
const Member* find_member(const Sample& sample, const std::string& suffix);
Member* find_member(Sample& sample, const std::string& suffix);

/// The image of a sample, or null. By suffix, in open_clip's order and then others: jpg, png, jpeg,
/// webp, bmp, gif, tif, tiff, heic, avif, svg (the last ones so that a report can say
/// "unsupported" and not "missing").
const Member* find_image(const Sample& sample);

/// True for the suffixes above.
bool is_image_suffix(const std::string& suffix);

/// The `txt` member, or null.
const Member* find_text(const Sample& sample);

/// The suffixes of a sample for a message: `jpg, json, txt`.
std::string describe_members(const Sample& sample);

}  // namespace aitqe
