// Any bytes as a GGUF file: a header that is accepted claims nothing outside the file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "aitqe/base/error.h"
#include "aitqe/io/gguf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const aitqe::GgufHeader header =
        aitqe::parse_gguf(std::as_bytes(std::span(data, size)), "fuzz");
    for (const auto& [name, tensor] : header.tensors) {
      const bool inside = tensor.offset_bytes >= 0 && tensor.num_bytes >= 0 &&
                          static_cast<std::size_t>(tensor.offset_bytes) <= size &&
                          static_cast<std::size_t>(tensor.num_bytes) <=
                              size - static_cast<std::size_t>(tensor.offset_bytes);
      if (!inside) std::abort();
    }
  } catch (const aitqe::Error&) {
    return 0;
  }
  return 0;
}
