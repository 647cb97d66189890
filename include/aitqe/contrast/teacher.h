#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "aitqe/quality/assessment.h"

namespace aitqe {

/// What another judge (a person, a large model) said of captions, by the key of their samples.
struct TeacherNotes {
  std::map<std::string, Assessment> by_key;
  /// `FILE:LINE: what is wrong` for each row that cannot be used.
  std::vector<std::string> unusable;

  /// Reads JSON lines: `{"key": "...", "scores": {"overall": 3, ...}, "explanations": {...},
  /// "recaption": "..."}`, with score_field_name's names. `key` and `scores.overall` must be there,
  /// scores must be on 1 to 10; of a key that comes twice the first row counts.
  /// @throws Error(NoInput) when the file cannot be read.
  static TeacherNotes read(const std::filesystem::path& path);
};

}  // namespace aitqe
