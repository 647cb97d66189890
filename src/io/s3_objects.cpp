#include "aitqe/io/s3_objects.h"

#include <charconv>

#include "aitqe/base/hash.h"
#include "http_transfer.h"
#include "s3_request.h"
#include "s3_writing.h"

namespace aitqe {
namespace {

using Method = HttpRequest::Method;

constexpr long kNotFound = 404;

/// No such object, as against no such bucket.
class Absent : public std::exception {};

/// @throws Absent where there is no object
HttpAnswer ask(const HttpRequest& request, const S3Client& client, S3Access access) {
  const Refuse refuse = [access](const HttpRequest& sent, const HttpAnswer& answer) {
    const bool is_bucket_missing = parse_s3_error(answer.body).code == "NoSuchBucket";
    if (answer.status == kNotFound && !is_bucket_missing) throw Absent();
    refuse_s3(access)(sent, answer);
  };
  return fetch(request, client.settings.http, refuse, client.should_stop);
}

std::string content_type(const std::string& key) {
  if (key.ends_with(".tar")) return "application/x-tar";
  if (key.ends_with(".json")) return "application/json";
  if (key.ends_with(".html")) return "text/html; charset=utf-8";
  return "application/octet-stream";
}

/// Not for other regions than the client's.
std::optional<S3ObjectHead> look_at(const S3Location& object, const S3Client& client) {
  HttpRequest request = object_request(object, client.settings);
  request.method = Method::Head;
  try {
    const HttpAnswer answer = ask(request, client, S3Access::Write);
    S3ObjectHead head;
    const std::string size = answer.header("content-length");
    std::from_chars(size.data(), size.data() + size.size(), head.size_bytes);
    head.etag = answer.header("etag");
    head.sha256 = answer.header("x-amz-meta-sha256");
    return head;
  } catch (const Absent&) {
    return std::nullopt;
  }
}

}  // namespace

HttpAnswer send(const HttpRequest& request, const S3Client& client) {
  return fetch(request, client.settings.http, refuse_s3(S3Access::Write), client.should_stop);
}

HttpRequest writing_request(Method method, const S3Location& object, const S3Client& client,
                            std::string_view body, const std::string& query) {
  HttpRequest request = object_request(object, client.settings, query);
  request.method = method;
  request.body = body;
  request.headers.push_back("Content-Type: " + content_type(object.key));
  return request;
}

void add_sha256(HttpRequest& request, const std::string& sha256) {
  request.headers.push_back("x-amz-meta-sha256: " + sha256);
}

void put(const S3Location& object, std::string_view bytes, const FileDigest& digest,
         const S3Client& client) {
  HttpRequest request = writing_request(Method::Put, object, client, bytes);
  add_sha256(request, digest.sha256);
  Patience patience(object.url(), client.settings.http, client.should_stop);
  while (true) {
    const std::string etag = send(request, client).header("etag");
    const std::string problem = problem_with(object, digest, etag, client);
    if (problem.empty()) return;
    wait_after(patience, object, problem);
  }
}

std::string problem_with(const S3Location& object, const FileDigest& digest,
                         const std::string& etag, const S3Client& client) {
  const auto head = look_at(object, client);
  if (!head) return "was written and is not there";
  if (head->size_bytes != digest.size_bytes) {
    return "was written with " + std::to_string(digest.size_bytes) + " bytes and has " +
           std::to_string(head->size_bytes);
  }
  const bool is_ours = head->sha256 == digest.sha256 || (!etag.empty() && head->etag == etag);
  return is_ours ? "" : "was written, and is another object now";
}

void wait_after(Patience& patience, const S3Location& object, const std::string& problem) {
  try {
    patience.wait_after({problem});
  } catch (const TransferError&) {
    throw Error(ErrorCategory::Resumable,
                object.url() + ": " + problem + "; stopped on request before another try");
  }
}

void put_s3(const S3Location& object, std::string_view bytes, const S3Client& client) {
  const FileDigest digest{std::ssize(bytes), sha256_hex(bytes)};
  in_its_region(client, [&](const S3Client& there) { put(object, bytes, digest, there); });
}

void remove_s3(const S3Location& object, const S3Client& client) {
  in_its_region(client, [&](const S3Client& there) {
    HttpRequest request = object_request(object, there.settings);
    request.method = Method::Delete;
    try {
      ask(request, there, S3Access::Write);
    } catch (const Absent&) {
    }
  });
}

std::optional<S3ObjectHead> look_at_s3(const S3Location& object, const S3Client& client) {
  return in_its_region(client, [&](const S3Client& there) { return look_at(object, there); });
}

std::optional<std::string> read_s3(const S3Location& object, const S3Client& client) {
  return in_its_region(client, [&](const S3Client& there) -> std::optional<std::string> {
    try {
      return ask(object_request(object, there.settings), there, S3Access::Read).body;
    } catch (const Absent&) {
      return std::nullopt;
    }
  });
}

}  // namespace aitqe
