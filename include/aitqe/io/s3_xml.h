#pragma once

#include <cstdint>
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

struct S3Object {
  std::string key;
  std::int64_t size_bytes = 0;

  bool operator==(const S3Object&) const = default;
};

/// A page of ListObjectsV2.
struct S3Listing {
  std::vector<S3Object> objects;
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

/// Of the answer to CreateMultipartUpload. @throws XmlError for another answer.
std::string parse_s3_upload_id(std::string_view xml);

/// The object's ETag, of the answer to CompleteMultipartUpload; "" for another answer, such as an
/// error that comes with a good status.
std::string parse_s3_completed_etag(std::string_view xml);

/// An upload in parts that was begun.
struct S3PendingUpload {
  std::string key;
  std::string id;

  bool operator==(const S3PendingUpload&) const = default;
};

/// The first page of ListMultipartUploads. @throws XmlError for another answer.
std::vector<S3PendingUpload> parse_s3_pending_uploads(std::string_view xml);

}  // namespace aitqe
