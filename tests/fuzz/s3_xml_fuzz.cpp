// Any bytes as the answer of an S3 server: no crash, a list is either refused or has a token only
// where more is to come, and an error is no completed upload.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "aitqe/io/s3_xml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view xml(reinterpret_cast<const char*>(data), size);
  const bool is_error = !aitqe::parse_s3_error(xml).code.empty();
  if (is_error && !aitqe::parse_s3_completed_etag(xml).empty()) std::abort();
  try {
    if (aitqe::parse_s3_upload_id(xml).empty()) std::abort();
  } catch (const aitqe::XmlError&) {
  }
  try {
    aitqe::parse_s3_pending_uploads(xml);
  } catch (const aitqe::XmlError&) {
  }
  try {
    const aitqe::S3Listing listing = aitqe::parse_s3_listing(xml);
    const bool says_more = xml.find("IsTruncated") != std::string_view::npos;
    if (!listing.next_token.empty() && !says_more) std::abort();
  } catch (const aitqe::XmlError&) {
  }
  return 0;
}
