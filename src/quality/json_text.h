#pragma once

#include <string>
#include <string_view>

namespace aitqe {

struct DecodedText {
  std::string text;         // valid UTF-8
  bool had_errors = false;  // something became U+FFFD
};

/// The text that the inside of a JSON string stands for. `\'` is taken too. Escapes that mean
/// nothing, lone surrogates and invalid UTF-8 become U+FFFD. Linear.
DecodedText decode_json_text(std::string_view raw);

}  // namespace aitqe
