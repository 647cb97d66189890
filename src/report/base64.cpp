#include "base64.h"

#include <openssl/evp.h>

#include "aitqe/base/error.h"

namespace aitqe {

std::string to_base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // OpenSSL ends it with a NUL
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::string from_base64(std::string_view text, const std::string& where) {
  std::string bytes(3 * (text.size() / 4), '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  if (length < 0 || static_cast<std::size_t>(length) != bytes.size() || bytes.size() < padding) {
    throw Error(ErrorCategory::Damaged, where + " is no base64");
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace aitqe
