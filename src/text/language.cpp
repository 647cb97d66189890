#include "aitqe/text/language.h"

#include <cld2/public/compact_lang_det.h>

#include <algorithm>
#include <cstddef>

namespace aitqe {

std::string_view likely_language(std::string_view text) {
  constexpr std::size_t kMostBytes = 4096;  // more says nothing new
  std::size_t end = std::min(text.size(), kMostBytes);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  bool is_reliable = false;
  int valid_bytes = 0;
  const CLD2::Language language = CLD2::DetectLanguageCheckUTF8(
      text.data(), static_cast<int>(end), /*is_plain_text=*/true, &is_reliable, &valid_bytes);
  const bool is_known = is_reliable && language != CLD2::UNKNOWN_LANGUAGE;
  return is_known ? std::string_view(CLD2::LanguageCode(language)) : "unknown";
}

}  // namespace aitqe
