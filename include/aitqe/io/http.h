#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/io/source.h"

namespace aitqe {

/// How long to bear with a server.
struct HttpOptions {
  /// Tries one after the other that bring nothing; at least 1.
  int max_attempts = 8;
  /// Before the second try; doubled before each further one, up to `longest_wait_ms`. At least 0.
  int first_wait_ms = 500;
  int longest_wait_ms = 30'000;
  /// A server that asks for more (Retry-After) is given up.
  int longest_retry_after_s = 300;
  int connect_timeout_ms = 20'000;
  /// A try has failed when so long a wait brings fewer bytes than `min_bytes_per_s`. At least 1.
  int stall_ms = 60'000;
  std::int64_t min_bytes_per_s = 1024;
};

/// Signs requests with AWS Signature Version 4, which libcurl makes.
struct AwsSignature {
  std::string access_key;
  std::string secret_key;
  /// Of temporary credentials; else "".
  std::string session_token;
  std::string region;
};

struct HttpRequest {
  enum class Method { Get, Head, Put, Post, Delete };
  Method method = Method::Get;
  std::string url;
  /// For messages: the url without secrets, or the `s3://` one.
  std::string name;
  /// `Name: value` each.
  std::vector<std::string> headers;
  /// Of Put and Post. Not copied: outlives the answer.
  std::string_view body;
  std::optional<AwsSignature> signature;
  /// Signed requests must not: the signature names the host.
  bool may_redirect = true;
};

struct HttpAnswer {
  long status = 0;
  /// Names in small letters.
  std::map<std::string, std::string> headers;
  std::string body;

  /// "" when there is none.
  std::string header(const std::string& name) const;
};

/// Throws the Error that stands for an answer which is neither a success nor worth another try.
/// Where it comes back there is another try.
using Refuse = std::function<void(const HttpRequest&, const HttpAnswer&)>;

/// Error(NoInput) for what is not there, Error(Usage) where access is denied.
void refuse_http(const HttpRequest& request, const HttpAnswer& answer);

/// A whole small answer, at most 16 MiB. Tries again as HttpSource does: the whole request, so it
/// must be one that may be sent twice. When `should_stop`, what is under way goes on, but nothing
/// is tried again: Error(Resumable).
/// @throws Error(Resumable) when the network or the server fails all the while, Error(Usage) for a
///         URL or a certificate that is wrong, and what `refuse` throws.
HttpAnswer fetch(const HttpRequest& request, const HttpOptions& options, const Refuse& refuse,
                 const StopCheck& should_stop = {});

/// The body of a GET. When the connection breaks, stalls or crawls, or the server is busy (408,
/// 429, 5xx; Retry-After is honoured), the rest is asked for with Range; an answer of another
/// object (ETag, Last-Modified, size) is never joined to it. Certificates are checked; redirects
/// stay with https once there; `*_proxy` variables and ~/.netrc count. libcurl does the talking,
/// HTTP/1.1.
class HttpSource : public Source {
 public:
  /// Waits for the answer's headers. @throws as `fetch` does; Error(Resumable) when `should_stop`.
  HttpSource(HttpRequest request, HttpOptions options, Refuse refuse, StopCheck should_stop);
  ~HttpSource() override;

  /// @throws Error(Resumable) when the rest cannot be had now, or the object was replaced
  /// meanwhile;
  ///         SourceError when the server ends its answer early time and again, or `should_stop`.
  std::size_t read(std::span<char> buffer) override;
  std::string name() const override;
  std::optional<std::int64_t> size_bytes() const override;
  std::string version() const override;

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// @throws as HttpSource.
std::unique_ptr<Source> open_http(const std::string& url, const HttpOptions& options = {},
                                  StopCheck should_stop = {});

}  // namespace aitqe
