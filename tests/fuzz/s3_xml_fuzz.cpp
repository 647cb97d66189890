// Any bytes as the answer of an S3 server: no crash, and a list is either refused or has a token
// only where more is to come.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "aitqe/io/s3_xml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view xml(reinterpret_cast<const char*>(data), size);
  aitqe::parse_s3_error(xml);
  try {
    const aitqe::S3Listing listing = aitqe::parse_s3_listing(xml);
    const bool says_more = xml.find("IsTruncated") != std::string_view::npos;
    if (!listing.next_token.empty() && !says_more) std::abort();
  } catch (const aitqe::XmlError&) {
  }
  return 0;
}
