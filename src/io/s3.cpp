#include "aitqe/io/s3.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/io/s3_xml.h"
#include "aitqe/io/url.h"

namespace aitqe {
namespace {

constexpr std::string_view kScheme = "s3://";
constexpr std::size_t kMaxListedKeys = 1'000'000;

/// The bucket is elsewhere; the request is to be signed for there.
class OtherRegion : public Error {
 public:
  OtherRegion(const std::string& message, std::string region)
      : Error(ErrorCategory::Usage, message), region_(std::move(region)) {}
  const std::string& region() const { return region_; }

 private:
  std::string region_;
};

/// "https://BUCKET.s3.REGION.amazonaws.com", or ".../BUCKET" where a name cannot stand in front.
std::string bucket_url(const std::string& bucket, const S3Settings& settings) {
  if (!settings.endpoint.empty()) return settings.endpoint + "/" + bucket;
  const std::string host = "s3." + settings.region + ".amazonaws.com" +
                           (settings.region.starts_with("cn-") ? ".cn" : "");
  // The certificate is for one more label, so not for a bucket with a dot.
  const bool is_one_label = bucket.find_first_of("._") == std::string::npos;
  return is_one_label ? "https://" + bucket + "." + host : "https://" + host + "/" + bucket;
}

/// @param query  "name=value" pairs, encoded and sorted by name, as signing wants them
HttpRequest make_request(const S3Location& location, const S3Settings& settings,
                         const std::string& query = "") {
  HttpRequest request;
  request.url = bucket_url(location.bucket, settings) + "/";
  request.url += query.empty() ? percent_encoded(location.key, "/") : "?" + query;
  request.name = location.url();
  request.signature = AwsSignature{settings.access_key, settings.secret_key, settings.session_token,
                                   settings.region};
  request.may_redirect = false;
  return request;
}

std::string describe(const HttpAnswer& answer, const S3Error& error) {
  std::string text = "HTTP status " + std::to_string(answer.status);
  if (!error.code.empty()) text += ", " + error.code;
  if (!error.message.empty()) text += ": " + error.message;
  return text;
}

/// Throws what an answer of S3 stands for.
void refuse_s3(const HttpRequest& request, const HttpAnswer& answer) {
  constexpr long kBadRequest = 400;
  constexpr long kUnauthorized = 401;
  constexpr long kForbidden = 403;
  const S3Error error = parse_s3_error(answer.body);
  const std::string message = request.name + ": " + describe(answer, error);
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
  if (answer.status == kForbidden || answer.status == kUnauthorized || answer.status / 100 == 3) {
    throw Error(ErrorCategory::Usage,
                message +
                    " (AWS_ACCESS_KEY_ID or AWS_PROFILE says who asks, AWS_ENDPOINT_URL_S3 whom; "
                    "without the right to list, a missing object is denied too)");
  }
  throw Error(ErrorCategory::NoInput, message);
}

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

}  // namespace

S3Location S3Location::parse(const std::string& url) {
  const std::string path = url.substr(std::min(kScheme.size(), url.size()));
  const std::size_t slash = std::min(path.find('/'), path.size());
  S3Location location{path.substr(0, slash), path.substr(std::min(slash + 1, path.size()))};
  const bool is_name = std::all_of(
      location.bucket.begin(), location.bucket.end(),
      [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '.' || c == '_'; });
  if (!is_s3_url(url) || location.bucket.empty() || !is_name) {
    throw Error(ErrorCategory::Usage, url + ": expected s3://BUCKET/KEY");
  }
  return location;
}

std::unique_ptr<Source> open_s3(const S3Location& object, const S3Settings& settings,
                                StopCheck should_stop) {
  return in_its_region(settings, [&](const S3Settings& there) {
    return std::make_unique<HttpSource>(make_request(object, there), there.http, refuse_s3,
                                        should_stop);
  });
}

std::unique_ptr<Source> open_s3(const std::string& url, StopCheck should_stop) {
  return open_s3(S3Location::parse(url), S3Settings::read(), std::move(should_stop));
}

std::vector<std::string> list_s3(const S3Location& prefix, const S3Settings& settings) {
  return in_its_region(settings, [&](const S3Settings& there) {
    std::vector<std::string> keys;
    std::string token;
    do {
      const std::string from =
          token.empty() ? "" : "continuation-token=" + percent_encoded(token) + "&";
      const HttpRequest request = make_request(
          prefix, there, from + "delimiter=%2F&list-type=2&prefix=" + percent_encoded(prefix.key));
      S3Listing page;
      try {
        page = parse_s3_listing(fetch(request, there.http, refuse_s3).body);
      } catch (const XmlError& error) {
        throw Error(ErrorCategory::NoInput, prefix.url() + ": cannot be listed: " + error.what());
      }
      const bool goes_round = !page.next_token.empty() && page.next_token == token;
      keys.insert(keys.end(), page.keys.begin(), page.keys.end());
      if (goes_round || keys.size() > kMaxListedKeys) {
        throw Error(ErrorCategory::NoInput, prefix.url() + ": the list of objects does not end");
      }
      token = page.next_token;
    } while (!token.empty());
    std::sort(keys.begin(), keys.end());
    return keys;
  });
}

}  // namespace aitqe
