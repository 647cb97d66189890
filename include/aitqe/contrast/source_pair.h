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

  /// All that is known to be true of the picture.
  std::vector<std::string> true_texts() const;
};

/// What becomes of a json member that is no object, or whose fields have another form: other
/// people's fields may have our names.
enum class OddFields { Refuse, Ignore };

/// A field that is null counts as absent.
/// @throws SampleError: no image, no caption, a caption that is not UTF-8, a sample with problems,
///         with Refuse a json member whose fields have another form.
SourcePair read_source_pair(const Sample& sample, const CaptionSource& source,
                            OddFields odd = OddFields::Refuse);

}  // namespace aitqe
