#pragma once

#include <functional>
#include <string>
#include <vector>

#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "aitqe/io/s3_objects.h"
#include "support/http_server.h"

// Answers of an S3 server to requests that write, and what was asked.
namespace aitqe::test {

inline const S3Location kObject{"bucket", "out/0.tar"};

inline S3Client client_for(const HttpServer& server, StopCheck should_stop = {}) {
  S3Settings settings;
  settings.access_key = "key";
  settings.secret_key = "hidden";
  settings.endpoint = server.url("");
  settings.http.max_attempts = 2;
  settings.http.first_wait_ms = 1;
  return {settings, std::move(should_stop)};
}

inline ScriptedReply error_reply(const std::string& status, const std::string& code) {
  return status_reply(status, "", "<Error><Code>" + code + "</Code></Error>");
}

/// The answer to HEAD for an object with these bytes.
inline ScriptedReply head_reply(const std::string& bytes) {
  return {ok_head(bytes.size(), "x-amz-meta-sha256: " + sha256_hex(bytes) + "\r\n"), ""};
}

/// "PUT /bucket/out/0.tar", ...
inline std::vector<std::string> request_lines(const HttpServer& server) {
  std::vector<std::string> lines;
  for (const std::string& request : server.requests()) {
    lines.push_back(request.substr(0, request.find(" HTTP/1.1")));
  }
  return lines;
}

/// Of the Error that `run` throws; Bug for none, or one that does not name the object or tells a
/// key.
inline ErrorCategory category_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error& error) {
    const std::string message = error.what();
    const bool is_good =
        message.starts_with(kObject.url() + ": ") && message.find("hidden") == std::string::npos;
    return is_good ? error.category() : ErrorCategory::Bug;
  }
  return ErrorCategory::Bug;
}

}  // namespace aitqe::test
