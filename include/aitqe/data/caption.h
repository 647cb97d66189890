#pragma once

#include <string>
#include <string_view>

#include "aitqe/data/sample.h"

namespace aitqe {

/// Where a sample keeps its caption.
struct CaptionSource {
  /// Name of the top-level field of the `json` member; empty = the `txt` member.
  std::string json_field;

  /// @param text  `txt` or `json:FIELD`.
  /// @throws Error(Usage) for anything else.
  static CaptionSource parse(std::string_view text);
  std::string to_string() const;
};

/// The caption: the `txt` member's bytes as they are, or the JSON field's text, decoded (of a field
/// that occurs twice the last one counts, as in Python).
/// @throws SampleError: no such member, not JSON, no such field, not a text.
std::string read_caption(const Sample& sample, const CaptionSource& source);

/// Puts a new text in the caption's place. `txt`: the member's bytes, where a line end that closed
/// the old text is kept. JSON: only the bytes of that one string; the new one is written in \u
/// escapes where the document was pure ASCII. No other member is touched, even if it repeats the
/// caption.
/// @param text  UTF-8; invalid bytes become U+FFFD in JSON.
/// @throws SampleError as read_caption.
void replace_caption(Sample& sample, const CaptionSource& source, std::string_view text);

/// The caption as it stands in its JSON document, with quotes and escapes; "" for a `txt` member.
/// @throws SampleError as read_caption.
std::string caption_as_json(const Sample& sample, const CaptionSource& source);

/// Undoes replace_caption, byte for byte.
/// @param caption  as read_caption gave it before.
/// @param as_json  as caption_as_json gave it before.
/// @throws SampleError as read_caption.
void restore_caption(Sample& sample, const CaptionSource& source, std::string_view caption,
                     std::string_view as_json);

/// `document` with the string value of a top-level field replaced; every other byte stays.
/// @throws SampleError: not JSON, no such field, not a text.
std::string splice_json_text(std::string_view document, const std::string& field,
                             std::string_view text);

}  // namespace aitqe
