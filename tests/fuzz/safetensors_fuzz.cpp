// Any bytes as a .safetensors file: either refused with Error, or every tensor lies in the file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "aitqe/base/error.h"
#include "aitqe/io/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span file(reinterpret_cast<const std::byte*>(data), size);
  try {
    for (const auto& [name, info] : aitqe::parse_safetensors(file, "fuzz")) {
      const bool is_inside = info.offset_bytes >= 8 && info.num_bytes >= 0 &&
                             info.offset_bytes <= static_cast<std::int64_t>(size) &&
                             info.num_bytes <= static_cast<std::int64_t>(size) - info.offset_bytes;
      if (!is_inside) std::abort();
    }
  } catch (const aitqe::Error&) {
  }
  return 0;
}
