#pragma once

#include <string>
#include <vector>

#include "aitqe/data/caption.h"
#include "aitqe/data/sample.h"

namespace aitqe {

/// What a captioned sample says of itself. The fields of its `json` member, all optional:
/// `group` (pictures of one group are near each other), `kind` ("generic": the caption says
/// nothing of its picture; "lore": it says little; anything else: it is good), `better` (a true
/// caption for a bad one), `texts` (further true captions), `translations` (language -> text).
struct SourcePair {
  enum class Kind { Good, Generic, Vague };
  std::string caption;
  std::string group;
  Kind kind = Kind::Good;
  std::string better;
  std::vector<std::string> texts;
  std::vector<std::string> translations;
};

/// @throws SampleError: no image, no caption, a caption that is not UTF-8, a json member whose
///         fields have another form, a sample with problems.
SourcePair read_source_pair(const Sample& sample, const CaptionSource& source);

}  // namespace aitqe
