#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace aitqe {

// What S3 servers answer with. The bytes are not trusted: expat parses them, document types (and
// with them entities of the server's own) are refused, and depth is bounded.

class XmlError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A page of ListObjectsV2.
struct S3Listing {
  std::vector<std::string> keys;
  /// Asks for the next page; "" on the last one.
  std::string next_token;
};

/// @throws XmlError for what is no such page.
S3Listing parse_s3_listing(std::string_view xml);

/// Why a request failed.
struct S3Error {
  /// "NoSuchKey", "AccessDenied", ...
  std::string code;
  std::string message;
  /// Of the bucket, where the answer names it.
  std::string region;
};

/// All "" for a body that is no such answer, as of HEAD and of servers between.
S3Error parse_s3_error(std::string_view xml);

}  // namespace aitqe
