#pragma once

#include <functional>
#include <optional>
#include <string>

#include "aitqe/io/http.h"

namespace aitqe {

/// The value of an environment variable; nothing when it is not set. An empty one counts as not
/// set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The process's own.
std::optional<std::string> environment_variable(const std::string& name);

/// Where S3 is and who asks, as the AWS command line takes it from its variables and files.
struct S3Settings {
  std::string access_key;
  std::string secret_key;
  std::string session_token;
  std::string region = "us-east-1";
  /// `https://host[:port]` of another S3 server; "" = Amazon's, by bucket and region.
  std::string endpoint;
  /// AWS_MAX_ATTEMPTS sets its number of tries.
  HttpOptions http;

  /// Keys: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; else the profile
  /// (AWS_PROFILE, or `default`) in AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials) or
  /// AWS_CONFIG_FILE
  /// (~/.aws/config). Region: AWS_REGION, AWS_DEFAULT_REGION, the profile's `region`. Endpoint:
  /// AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's `endpoint_url`.
  /// @throws Error(Usage) when there are no keys, a profile that was asked for is in neither file,
  /// or
  ///         a value is no value; messages never hold a key.
  static S3Settings read(const Environment& environment = environment_variable);
};

}  // namespace aitqe
