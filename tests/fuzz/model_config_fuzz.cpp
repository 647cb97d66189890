// Any bytes as `aitqe.json` of a model folder: a template, or an error of the model that names the
// file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "aitqe/base/error.h"
#include "aitqe/quality/prompt_template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    aitqe::parse_prompt_template(text, "aitqe.json");
  } catch (const aitqe::Error& error) {
    if (error.category() != aitqe::ErrorCategory::Model) std::abort();
    if (!std::string_view(error.what()).starts_with("aitqe.json")) std::abort();
  }
  return 0;
}
