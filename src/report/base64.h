#pragma once

#include <string>
#include <string_view>

namespace aitqe {

std::string to_base64(std::string_view bytes);

/// @param where  names the text in the message. @throws Error(Damaged) when it is no base64.
std::string from_base64(std::string_view text, const std::string& where);

}  // namespace aitqe
