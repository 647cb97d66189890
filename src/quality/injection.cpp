#include "aitqe/quality/injection.h"

#include <algorithm>
#include <array>
#include <string>

#include "aitqe/base/ascii.h"
#include "aitqe/base/error.h"
#include "aitqe/text/lookalike.h"
#include "encoded_text.h"
#include "injection_phrases.h"
#include "spellings.h"
#include "text_search.h"

namespace aitqe {
namespace {

constexpr std::size_t kMostLookedAtBytes = std::size_t{64} << 10;
constexpr std::size_t kLongestHonestBytes = 4096;
constexpr std::size_t kLoopRepeats = 16;

constexpr std::array kSigns = std::to_array<InjectionSignText>({
    {InjectionSign::SpecialToken, "special_token",
     "spells a special token of this or another model"},
    {InjectionSign::AnswerForm, "answer_form",
     "holds a quoted key of an answer, or a score of 9 or 10"},
    {InjectionSign::PromptMarker, "prompt_marker",
     "holds words of the prompt, or a key of the model's answer with its colon"},
    {InjectionSign::Instruction, "instruction",
     "tells the judge what to do, in one of 19 languages"},
    {InjectionSign::Role, "role", "gives the judge a role, or speaks of its prompt"},
    {InjectionSign::Delimiter, "delimiter",
     "pretends that the caption ends or somebody else speaks"},
    {InjectionSign::HiddenCharacters, "hidden_characters",
     "has characters that nobody sees, or that reorder text"},
    {InjectionSign::MixedScript, "mixed_script",
     "has a word of Latin letters and others that look like them"},
    {InjectionSign::ControlCharacters, "control_characters",
     "has control characters other than white space"},
    {InjectionSign::Markup, "markup",
     "holds scripts, frames, pictures or comments of HTML or Markdown"},
    {InjectionSign::Command, "command",
     "holds commands for a shell or database, or paths out of a folder"},
    {InjectionSign::Encoded, "encoded", "holds words in base64, hexadecimal or character codes"},
    {InjectionSign::Loop, "loop", "repeats a phrase 16 times or more"},
    {InjectionSign::Overlong, "overlong", "is longer than 4096 bytes"},
});

template <std::size_t N>
bool contains_any(std::string_view text, const std::array<std::string_view, N>& parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [text](std::string_view part) { return contains(text, part); });
}

/// `"overall": `, `'score':`: a quoted word of answers with a colon behind it.
bool has_quoted_key(std::string_view low) {
  static constexpr auto kWords =
      std::to_array<std::string_view>({"overall", "overall score", "score", "rating", "recaption",
                                       "caption_score", "verdict", "quality", "grade", "decision"});
  for (const std::string_view word : kWords) {
    for (std::size_t at = low.find(word); at != kNowhere; at = low.find(word, at + 1)) {
      const std::size_t behind = at + word.size();
      const bool is_quoted = at > 0 && behind < low.size() && low[at - 1] == low[behind] &&
                             (low[behind] == '"' || low[behind] == '\'');
      if (!is_quoted) continue;
      const std::size_t next = low.find_first_not_of(ascii::kSpace, behind + 1);
      if (next != kNowhere && low[next] == ':') return true;
    }
  }
  return false;
}

/// `score: 10`, `overall = 9.5`, `<score>10`: what a judge would write, and no result of a game.
bool has_top_score(std::string_view low) {
  static constexpr auto kWords =
      std::to_array<std::string_view>({"score", "rating", "overall", "grade"});
  constexpr std::string_view kBetween = " :=\"'<>*";
  for (const std::string_view word : kWords) {
    for (std::size_t at = low.find(word); at != kNowhere; at = low.find(word, at + 1)) {
      const std::string_view behind = low.substr(at + word.size());
      const std::size_t begin = std::min(behind.find_first_not_of(kBetween), behind.size());
      if (behind.substr(0, begin).find_first_of(":=>") == kNowhere) continue;
      const std::string_view rest = behind.substr(begin);
      const std::size_t end = std::min(rest.find_first_not_of("0123456789."), rest.size());
      const std::string_view number = ascii::trim(rest.substr(0, end), ".");
      const bool is_top = number == "10" || number == "10.0" || number == "100" || number == "9" ||
                          number.starts_with("9.");
      const char next = end < rest.size() ? rest[end] : ' ';
      if (is_top && next != '-' && next != ':' && next != ',' && next != '\xE2') return true;
    }
  }
  return false;
}

bool has_answer_form(std::string_view low) { return has_quoted_key(low) || has_top_score(low); }

/// Whether a line begins with the name of a speaker. @param low  lower case, with its lines
bool has_speaker(std::string_view low) {
  static constexpr auto kSpeakers = std::to_array<std::string_view>(
      {"system:", "assistant:", "human:", "instruction:", "instructions:"});
  while (!low.empty()) {
    const std::string_view line = ascii::trim(low.substr(0, low.find('\n')), " \t\r#*>[");
    const auto begins = [line](std::string_view speaker) { return line.starts_with(speaker); };
    if (std::any_of(kSpeakers.begin(), kSpeakers.end(), begins)) return true;
    const std::size_t end = low.find('\n');
    if (end == kNowhere) break;
    low.remove_prefix(end + 1);
  }
  return false;
}

bool has_delimiter(std::string_view low) {
  static constexpr auto kMarks = std::to_array<std::string_view>({"```",
                                                                  "###",
                                                                  "<<<",
                                                                  "\n---",
                                                                  "\"\"\"",
                                                                  "<caption",
                                                                  "</caption",
                                                                  "<prompt",
                                                                  "</prompt",
                                                                  "<system",
                                                                  "</system",
                                                                  "<user",
                                                                  "</user",
                                                                  "<assistant",
                                                                  "</assistant",
                                                                  "<instruction",
                                                                  "</instruction",
                                                                  "[system",
                                                                  "[/system",
                                                                  "[user]",
                                                                  "[assistant]",
                                                                  "[end of",
                                                                  "end of caption",
                                                                  "end caption",
                                                                  "caption ends",
                                                                  "end of prompt",
                                                                  "end of input",
                                                                  "end of text",
                                                                  "begin instruction",
                                                                  "end instruction"});
  return contains_any(low, kMarks) || has_speaker(low);
}

bool has_control_characters(std::string_view bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x7F || (byte < 0x20 && !ascii::is_space(c));
  });
}

bool has_markup(std::string_view low) {
  static constexpr auto kMarks = std::to_array<std::string_view>(
      {"<script", "<iframe", "<img", "<svg", "<object", "<embed", "<style", "<!--", "<meta",
       "<form", "<link", "javascript:", "onerror=", "onload=", "onclick=", "onmouseover=",
       "data:text/html", "display:none", "font-size:0"});
  if (contains_any(low, kMarks)) return true;
  const std::size_t picture = low.find("![");
  return picture != kNowhere && contains(low.substr(picture), "](");
}

bool has_command(std::string_view low) {
  static constexpr auto kMarks = std::to_array<std::string_view>(
      {"../..",     "..\\..",     "/etc/passwd", "/etc/shadow",  "/proc/self",  "rm -rf",
       "$(",        "${",         "| bash",      "|bash",        "wget http",   "curl http",
       "curl -",    "file:///",   "drop table",  "union select", "' or '1'='1", "c:\\windows",
       "%2e%2e",    "cmd.exe",    "powershell",  "sudo ",        "/dev/tcp",    "import os",
       "os.system", "__import__", "{{config",    "xp_cmdshell"});
  return contains_any(low, kMarks);
}

}  // namespace

std::optional<InjectionSign> find_injection_sign(std::string_view caption, const AnswerKeys& keys) {
  const std::string_view text = caption.substr(0, kMostLookedAtBytes);
  const std::string low = ascii::lower(text);
  const std::string folded = fold_lookalikes(text);
  if (has_special_token(text, keys) || has_special_token(low, keys) ||
      has_special_token(folded, keys) || contains(folded, ascii::lower(keys.score_end))) {
    return InjectionSign::SpecialToken;
  }
  if (has_answer_form(folded)) return InjectionSign::AnswerForm;
  if (has_prompt_marker(folded, keys)) return InjectionSign::PromptMarker;
  if (has_instruction(folded)) return InjectionSign::Instruction;
  if (has_role(folded)) return InjectionSign::Role;
  if (has_delimiter(low)) return InjectionSign::Delimiter;
  if (has_hidden_characters(text)) return InjectionSign::HiddenCharacters;
  if (has_mixed_script_word(text)) return InjectionSign::MixedScript;
  if (has_control_characters(text)) return InjectionSign::ControlCharacters;
  if (has_markup(low)) return InjectionSign::Markup;
  if (has_command(low)) return InjectionSign::Command;
  if (has_encoded_words(text)) return InjectionSign::Encoded;
  if (has_loop(text, kLoopRepeats)) return InjectionSign::Loop;
  if (caption.size() > kLongestHonestBytes) return InjectionSign::Overlong;
  return std::nullopt;
}

std::span<const InjectionSignText> injection_signs() { return kSigns; }

std::string_view injection_sign_code(InjectionSign sign) {
  return kSigns.at(static_cast<std::size_t>(sign)).code;
}

std::string_view on_injection_name(OnInjection policy) {
  switch (policy) {
    case OnInjection::Judge:
      return "judge";
    case OnInjection::Keep:
      return "keep";
    case OnInjection::Fail:
      break;
  }
  return "fail";
}

OnInjection on_injection_from_name(std::string_view name) {
  for (const auto policy : {OnInjection::Judge, OnInjection::Keep, OnInjection::Fail}) {
    if (name == on_injection_name(policy)) return policy;
  }
  throw Error(ErrorCategory::Usage, "--on-injection: \"" + std::string(name) +
                                        "\" is no policy; expected judge, keep or fail");
}

}  // namespace aitqe
