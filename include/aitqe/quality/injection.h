#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "aitqe/quality/answer_keys.h"

namespace aitqe {

/// What in a caption speaks to the judge, or to the program around it, instead of describing a
/// picture. Rules on the text alone, in this order; none is proof (docs/guide.md has the measured
/// rates).
enum class InjectionSign {
  SpecialToken,       ///< spells a special token: `<|im_end|>`, `<img_start>`, `</s>`, ...
  AnswerForm,         ///< holds a quoted key of an answer with its colon, or a score of 9 or 10
  PromptMarker,       ///< holds words of our prompt, or a key of the model's answer
  Instruction,        ///< tells the judge what to do or to give, in one of many languages
  Role,               ///< gives the judge a role, or speaks of its prompt
  Delimiter,          ///< pretends that the caption ends: "END OF CAPTION", `</caption>`, "System:"
  HiddenCharacters,   ///< has characters that nobody sees, or that reorder text (text/lookalike.h)
  MixedScript,        ///< has a word of Latin letters and others that look like them
  ControlCharacters,  ///< has control characters of ASCII other than white space
  Markup,             ///< holds scripts, frames, pictures or comments of HTML or Markdown
  Command,            ///< holds commands for a shell or database, or paths out of a folder
  Encoded,            ///< holds words as base64, hexadecimal, percent codes or character references
  Loop,               ///< repeats a phrase 16 times or more
  Overlong,           ///< is longer than 4096 bytes
};

/// The first sign found; none for an ordinary caption. Linear in the text, of which the first
/// 64 KiB are looked at. Any thread.
/// @param caption  any bytes
std::optional<InjectionSign> find_injection_sign(std::string_view caption, const AnswerKeys& keys);

/// "special_token", "answer_form", ...: as in rows; stable.
std::string_view injection_sign_code(InjectionSign sign);

struct InjectionSignText {
  InjectionSign sign;
  std::string_view code;
  std::string_view text;
};
/// Every sign with its meaning in words (docs/formats.md lists them).
std::span<const InjectionSignText> injection_signs();

/// What happens to a caption that bears a sign (`--on-injection`).
enum class OnInjection {
  Judge,  ///< as to any other
  Keep,   ///< it is judged, and kept whatever the judge says
  Fail,   ///< the pair fails in stage "caption" before any model sees it
};
/// @throws Error(Usage) naming what was expected.
OnInjection on_injection_from_name(std::string_view name);
/// "judge", "keep" or "fail".
std::string_view on_injection_name(OnInjection policy);

}  // namespace aitqe
