#include "s3_request.h"

#include "aitqe/io/url.h"

namespace aitqe {
namespace {

/// "https://BUCKET.s3.REGION.amazonaws.com", or ".../BUCKET" where a name cannot stand in front.
std::string bucket_url(const std::string& bucket, const S3Settings& settings) {
  if (!settings.endpoint.empty()) return settings.endpoint + "/" + bucket;
  const std::string host = "s3." + settings.region + ".amazonaws.com" +
                           (settings.region.starts_with("cn-") ? ".cn" : "");
  // The certificate is for one more label, so not for a bucket with a dot.
  const bool is_one_label = bucket.find_first_of("._") == std::string::npos;
  return is_one_label ? "https://" + bucket + "." + host : "https://" + host + "/" + bucket;
}

HttpRequest make_request(const S3Location& object, const S3Settings& settings,
                         const std::string& path, const std::string& query) {
  HttpRequest request;
  request.url = bucket_url(object.bucket, settings) + "/" + path;
  if (!query.empty()) request.url += "?" + query;
  request.name = object.url();
  request.signature = AwsSignature{settings.access_key, settings.secret_key, settings.session_token,
                                   settings.region};
  request.may_redirect = false;
  return request;
}

bool are_keys_wrong(const std::string& code) {
  return code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch" ||
         code == "RequestTimeTooSkewed";
}

void refuse(S3Access access, const HttpRequest& request, const HttpAnswer& answer) {
  constexpr long kBadRequest = 400;
  constexpr long kUnauthorized = 401;
  constexpr long kForbidden = 403;
  const S3Error error = parse_s3_error(answer.body);
  // The body came too slowly; somebody else is at the object.
  if (error.code == "RequestTimeout" || error.code == "OperationAborted") return;
  const std::string message = request.name + ": " + describe_answer(answer, error);
  const std::string named = answer.header("x-amz-bucket-region");
  const std::string region = named.empty() ? error.region : named;
  const bool may_be_elsewhere = answer.status / 100 == 3 || answer.status == kBadRequest;
  if (may_be_elsewhere && !region.empty() && region != request.signature->region) {
    throw OtherRegion(message + " (the bucket is in " + region + ", AWS_REGION)", region);
  }
  const bool is_expired = error.code == "ExpiredToken" || error.code == "InvalidToken" ||
                          error.code == "RequestExpired";
  if (is_expired) {
    throw Error(ErrorCategory::Usage,
                message + "; with new keys the same command goes on from here");
  }
  const bool is_denied =
      answer.status == kForbidden || answer.status == kUnauthorized || answer.status / 100 == 3;
  const bool is_output = access == S3Access::Write;
  if (is_denied) {
    throw Error(
        is_output && !are_keys_wrong(error.code) ? ErrorCategory::Output : ErrorCategory::Usage,
        message +
            " (AWS_ACCESS_KEY_ID or AWS_PROFILE says who asks, AWS_ENDPOINT_URL_S3 "
            "whom; without the right to list, a missing object is denied too)");
  }
  throw Error(is_output ? ErrorCategory::Output : ErrorCategory::NoInput, message);
}

}  // namespace

HttpRequest object_request(const S3Location& object, const S3Settings& settings,
                           const std::string& query) {
  return make_request(object, settings, percent_encoded(object.key, "/"), query);
}

HttpRequest bucket_request(const S3Location& object, const S3Settings& settings,
                           const std::string& query) {
  return make_request(object, settings, "", query);
}

std::string describe_answer(const HttpAnswer& answer, const S3Error& error) {
  std::string text = "HTTP status " + std::to_string(answer.status);
  if (!error.code.empty()) text += ", " + error.code;
  if (!error.message.empty()) text += ": " + error.message;
  return text;
}

Refuse refuse_s3(S3Access access) {
  return [access](const HttpRequest& request, const HttpAnswer& answer) {
    refuse(access, request, answer);
  };
}

}  // namespace aitqe
