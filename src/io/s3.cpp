#include "aitqe/io/s3.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/io/s3_xml.h"
#include "aitqe/io/url.h"
#include "s3_request.h"

namespace aitqe {
namespace {

constexpr std::string_view kScheme = "s3://";
constexpr std::size_t kMaxListedKeys = 1'000'000;

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
    return std::make_unique<HttpSource>(object_request(object, there), there.http,
                                        refuse_s3(S3Access::Read), should_stop);
  });
}

std::unique_ptr<Source> open_s3(const std::string& url, StopCheck should_stop) {
  return open_s3(S3Location::parse(url), S3Settings::read(), std::move(should_stop));
}

std::vector<S3Object> list_s3(const S3Location& prefix, const S3Settings& settings) {
  return in_its_region(settings, [&](const S3Settings& there) {
    std::vector<S3Object> objects;
    std::string token;
    do {
      const std::string from =
          token.empty() ? "" : "continuation-token=" + percent_encoded(token) + "&";
      const HttpRequest request = bucket_request(
          prefix, there, from + "delimiter=%2F&list-type=2&prefix=" + percent_encoded(prefix.key));
      S3Listing page;
      try {
        page = parse_s3_listing(fetch(request, there.http, refuse_s3(S3Access::Read)).body);
      } catch (const XmlError& error) {
        throw Error(ErrorCategory::NoInput, prefix.url() + ": cannot be listed: " + error.what());
      }
      const bool goes_round = !page.next_token.empty() && page.next_token == token;
      objects.insert(objects.end(), page.objects.begin(), page.objects.end());
      if (goes_round || objects.size() > kMaxListedKeys) {
        throw Error(ErrorCategory::NoInput, prefix.url() + ": the list of objects does not end");
      }
      token = page.next_token;
    } while (!token.empty());
    std::sort(objects.begin(), objects.end(),
              [](const S3Object& a, const S3Object& b) { return a.key < b.key; });
    return objects;
  });
}

}  // namespace aitqe
