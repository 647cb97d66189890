#include "aitqe/text/script.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "aitqe/text/unicode.h"
#include "utf8.h"

namespace aitqe {
namespace {

struct ScriptRange {
  char32_t first;
  char32_t last;
  std::string_view script;
};

/// Blocks of the scripts that web captions are commonly written in, in order (Unicode 15,
/// Blocks.txt). Letters of symbol blocks in between (such as full-width Latin) are found too.
constexpr std::array kRanges = std::to_array<ScriptRange>({
    {0x0041, 0x024F, "Latin"},      {0x0250, 0x02AF, "Latin"},     {0x0370, 0x03FF, "Greek"},
    {0x0400, 0x052F, "Cyrillic"},   {0x0530, 0x058F, "Armenian"},  {0x0590, 0x05FF, "Hebrew"},
    {0x0600, 0x06FF, "Arabic"},     {0x0750, 0x077F, "Arabic"},    {0x08A0, 0x08FF, "Arabic"},
    {0x0900, 0x097F, "Devanagari"}, {0x0980, 0x09FF, "Bengali"},   {0x0A00, 0x0A7F, "Gurmukhi"},
    {0x0A80, 0x0AFF, "Gujarati"},   {0x0B80, 0x0BFF, "Tamil"},     {0x0C00, 0x0C7F, "Telugu"},
    {0x0C80, 0x0CFF, "Kannada"},    {0x0D00, 0x0D7F, "Malayalam"}, {0x0D80, 0x0DFF, "Sinhala"},
    {0x0E00, 0x0E7F, "Thai"},       {0x0E80, 0x0EFF, "Lao"},       {0x1000, 0x109F, "Myanmar"},
    {0x10A0, 0x10FF, "Georgian"},   {0x1100, 0x11FF, "Hangul"},    {0x1200, 0x137F, "Ethiopic"},
    {0x1780, 0x17FF, "Khmer"},      {0x1E00, 0x1EFF, "Latin"},     {0x1F00, 0x1FFF, "Greek"},
    {0x2C60, 0x2C7F, "Latin"},      {0x3005, 0x3007, "Han"},       {0x3040, 0x30FF, "Kana"},
    {0x3130, 0x318F, "Hangul"},     {0x31F0, 0x31FF, "Kana"},      {0x3400, 0x4DBF, "Han"},
    {0x4E00, 0x9FFF, "Han"},        {0xA720, 0xA7FF, "Latin"},     {0xAC00, 0xD7FF, "Hangul"},
    {0xF900, 0xFAFF, "Han"},        {0xFB50, 0xFDFF, "Arabic"},    {0xFE70, 0xFEFF, "Arabic"},
    {0xFF21, 0xFF5A, "Latin"},      {0xFF66, 0xFF9F, "Kana"},      {0x20000, 0x323AF, "Han"},
});

constexpr std::string_view kOther = "other";

std::string_view script_of(char32_t letter) {
  const auto* after =
      std::upper_bound(kRanges.begin(), kRanges.end(), letter,
                       [](char32_t code, const ScriptRange& range) { return code < range.first; });
  if (after == kRanges.begin()) return kOther;
  const ScriptRange& range = *(after - 1);
  return letter <= range.last ? range.script : kOther;
}

}  // namespace

std::string_view dominant_script(std::string_view bytes) {
  std::array<std::int64_t, kRanges.size() + 1> counts{};
  std::array<std::string_view, kRanges.size() + 1> names{};
  std::size_t num_names = 0;
  while (!bytes.empty()) {
    const Utf8Step step = read_utf8(bytes);
    bytes.remove_prefix(step.size_bytes);
    if (step.state != Utf8State::Valid || !is_letter(step.code_point)) continue;
    const std::string_view script = script_of(step.code_point);
    const auto* const end = names.begin() + num_names;
    const auto* const found = std::find(names.cbegin(), end, script);
    if (found == end) names.at(num_names++) = script;
    ++counts.at(static_cast<std::size_t>(found - names.cbegin()));
  }
  if (num_names == 0) return "none";
  return names.at(static_cast<std::size_t>(
      std::max_element(counts.begin(), counts.begin() + num_names) - counts.begin()));
}

}  // namespace aitqe
