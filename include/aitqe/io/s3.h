#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aitqe/io/s3_settings.h"
#include "aitqe/io/s3_xml.h"

namespace aitqe {

/// `s3://BUCKET/KEY`.
struct S3Location {
  std::string bucket;
  /// Any bytes but NUL; not encoded. May be "".
  std::string key;

  /// @throws Error(Usage) for a bucket name with other than letters, digits, `-`, `.` and `_`.
  static S3Location parse(const std::string& url);
  std::string url() const { return "s3://" + bucket + "/" + key; }
};

/// The object's bytes (HttpSource). A bucket of another region than the settings' is asked there.
/// @throws Error(NoInput) for an object that is not there, Error(Usage) where access is denied,
/// there
///         are no keys, or the clock is wrong; Error(Resumable) as HttpSource.
std::unique_ptr<Source> open_s3(const std::string& url, StopCheck should_stop = {});
std::unique_ptr<Source> open_s3(const S3Location& object, const S3Settings& settings,
                                StopCheck should_stop = {});

/// Objects whose key begins with `prefix.key`, in the order of its bytes; without those that have a
/// `/` behind that prefix.
/// @throws as open_s3; Error(NoInput) for a bucket that is not there.
std::vector<S3Object> list_s3(const S3Location& prefix, const S3Settings& settings);

}  // namespace aitqe
