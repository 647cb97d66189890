#pragma once

#include <string>
#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/io/s3_objects.h"

namespace aitqe {

/// What a request is for: a refusal is another error where output cannot be written.
enum class S3Access { Read, Write };

/// A GET of the object. @param query  "name=value" pairs, encoded and sorted by name, as signing
/// wants them
HttpRequest object_request(const S3Location& object, const S3Settings& settings,
                           const std::string& query = "");

/// The same of its bucket.
HttpRequest bucket_request(const S3Location& object, const S3Settings& settings,
                           const std::string& query);

/// "HTTP status 403, AccessDenied: ..."
std::string describe_answer(const HttpAnswer& answer, const S3Error& error);

/// The bucket is elsewhere; the request is to be signed for there.
class OtherRegion : public Error {
 public:
  OtherRegion(const std::string& message, std::string region)
      : Error(ErrorCategory::Usage, message), region_(std::move(region)) {}
  const std::string& region() const { return region_; }

 private:
  std::string region_;
};

/// Throws what an answer of S3 stands for: OtherRegion, Error(Usage) for keys that are wrong or
/// expired, else Error(NoInput) or, for Write, Error(Output). Comes back from what is worth another
/// try though its status does not say so.
Refuse refuse_s3(S3Access access);

/// Runs `use(settings)`, a second time where the bucket turns out to be in another region.
template <typename Use>
auto in_its_region(const S3Settings& settings, const Use& use) {
  try {
    return use(settings);
  } catch (const OtherRegion& error) {
    S3Settings there = settings;
    there.region = error.region();
    return use(there);
  }
}

/// The same with a client.
template <typename Use>
auto in_its_region(const S3Client& client, const Use& use) {
  return in_its_region(client.settings, [&](const S3Settings& there) {
    return use(S3Client{there, client.should_stop, client.part_sent});
  });
}

}  // namespace aitqe
