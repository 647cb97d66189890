#include "http_transfer.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "aitqe/base/ascii.h"
#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"

namespace aitqe {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kLongestPollMs = 100;  // how soon a request to stop is seen
constexpr long kBufferBytes = 128L << 10;
constexpr long kMaxRedirects = 10;

/// OpenSSL writes to sockets that may be closed. The signal is kept from this thread alone: what
/// the program does with SIGPIPE elsewhere is not ours to change.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutSigpipe() {
    const timespec at_once{};
    while (sigtimedwait(&pipe_, nullptr, &at_once) == SIGPIPE) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

struct Library {
  Library() { curl_global_init(CURL_GLOBAL_DEFAULT); }
};

/// What no further try can mend.
bool is_final(CURLcode result) {
  switch (result) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_TOO_MANY_REDIRECTS:
      return true;
    default:
      return false;
  }
}

}  // namespace

HttpTransfer::HttpTransfer(const HttpRequest& request, const HttpOptions& options,
                           const StopCheck& should_stop)
    : name_(request.name), options_(options), should_stop_(should_stop) {
  static const Library library;
  multi_.reset(curl_multi_init());
  easy_.reset(curl_easy_init());
  set_options(request);
  set_method(request);
  if (request.signature) sign(*request.signature, request.body);
  for (const std::string& header : request.headers) {
    headers_.reset(curl_slist_append(headers_.release(), header.c_str()));
  }
  set(CURLOPT_HTTPHEADER, headers_.get());
  curl_multi_add_handle(multi_.get(), easy_.get());
}

HttpTransfer::~HttpTransfer() {
  const WithoutSigpipe guard;
  curl_multi_remove_handle(multi_.get(), easy_.get());
  easy_.reset();
  multi_.reset();
}

template <typename Value>
void HttpTransfer::set(CURLoption option, Value value) {
  if (const CURLcode result = curl_easy_setopt(easy_.get(), option, value); result != CURLE_OK) {
    fail(result);
  }
}

void HttpTransfer::set_options(const HttpRequest& request) {
  const bool is_https = request.url.starts_with("https://");
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, is_https ? "https" : "http,https");
  set(CURLOPT_FOLLOWLOCATION, request.may_redirect ? 1L : 0L);
  set(CURLOPT_MAXREDIRS, kMaxRedirects);
  // One connection carries one object, and is read only as fast as its reader goes.
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_BUFFERSIZE, kBufferBytes);
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout_ms));
  set(CURLOPT_USERAGENT, "aitqe");
  if (!request.signature) set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
  // The variable of OpenSSL, which libcurl does not ask.
  if (const char* authorities = std::getenv("SSL_CERT_FILE")) set(CURLOPT_CAINFO, authorities);
  set(CURLOPT_HEADERFUNCTION, &HttpTransfer::take_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &HttpTransfer::take_body);
  set(CURLOPT_WRITEDATA, this);
}

void HttpTransfer::set_method(const HttpRequest& request) {
  using Method = HttpRequest::Method;
  if (request.method == Method::Head) set(CURLOPT_NOBODY, 1L);
  if (request.method == Method::Delete) set(CURLOPT_CUSTOMREQUEST, "DELETE");
  if (request.method != Method::Put && request.method != Method::Post) return;
  // From memory, so that libcurl signs its hash.
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  set(CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
  if (request.method == Method::Put) set(CURLOPT_CUSTOMREQUEST, "PUT");
}

void HttpTransfer::sign(const AwsSignature& signature, std::string_view body) {
  set(CURLOPT_AWS_SIGV4, ("aws:amz:" + signature.region + ":s3").c_str());
  set(CURLOPT_USERNAME, signature.access_key.c_str());
  set(CURLOPT_PASSWORD, signature.secret_key.c_str());
  // S3 wants the hash as a header too, which libcurl before 8 does not send.
  const std::string hash = "x-amz-content-sha256: " + sha256_hex(body);
  headers_.reset(curl_slist_append(headers_.release(), hash.c_str()));
  if (signature.session_token.empty()) return;
  const std::string token = "x-amz-security-token: " + signature.session_token;
  headers_.reset(curl_slist_append(headers_.release(), token.c_str()));
}

std::size_t HttpTransfer::take_header(char* bytes, std::size_t, std::size_t count, void* self) {
  auto& answer = static_cast<HttpTransfer*>(self)->answer_;
  const std::string_view line(bytes, count);
  if (line.starts_with("HTTP/")) answer = {};  // after a redirect, or "100 Continue"
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return count;
  answer.headers[ascii::lower(line.substr(0, colon))] = ascii::trim(line.substr(colon + 1));
  return count;
}

std::size_t HttpTransfer::take_body(char* bytes, std::size_t, std::size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  transfer.arrived_.append(bytes, count);
  transfer.window_bytes_ += static_cast<std::int64_t>(count);
  return count;
}

const HttpAnswer& HttpTransfer::head() {
  if (arrived_.empty()) advance();
  // A body that fails after its headers fails in `read`.
  if (is_final(result_) || (result_ != CURLE_OK && answer_.headers.empty())) fail(result_);
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &answer_.status);
  return answer_;
}

std::size_t HttpTransfer::read(std::span<char> buffer) {
  if (num_given_ == arrived_.size()) {
    arrived_.clear();
    num_given_ = 0;
    advance();
    // What came before a failure is given first.
    if (arrived_.empty() && result_ != CURLE_OK) fail(result_);
  }
  const std::size_t count = std::min(buffer.size(), arrived_.size() - num_given_);
  std::memcpy(buffer.data(), arrived_.data() + num_given_, count);
  num_given_ += count;
  return count;
}

void HttpTransfer::advance() {
  const WithoutSigpipe guard;
  while (arrived_.empty() && !is_done_) {
    if (should_stop_ && should_stop_()) throw stopped();
    const Clock::time_point start = Clock::now();
    int num_running = 0;
    curl_multi_perform(multi_.get(), &num_running);
    int num_left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &num_left)) {
      if (message->msg != CURLMSG_DONE) continue;
      is_done_ = true;
      result_ = message->data.result;
    }
    curl_off_t num_sent = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_SIZE_UPLOAD_T, &num_sent);
    window_bytes_ += num_sent - std::exchange(num_sent_, num_sent);
    if (!arrived_.empty() || is_done_) break;
    curl_multi_poll(multi_.get(), nullptr, 0, std::min(kLongestPollMs, options_.stall_ms), nullptr);
    check_speed(Clock::now() - start);
  }
}

// libcurl's own limit would count the time in which nobody reads.
void HttpTransfer::check_speed(Clock::duration waited) {
  window_waited_ += waited;
  const std::chrono::milliseconds window(options_.stall_ms);
  if (window_waited_ < window) return;
  if (window_bytes_ * 1000 < options_.min_bytes_per_s * options_.stall_ms) {
    throw TransferError(TransferError::Kind::Network, std::to_string(window_bytes_) + " bytes in " +
                                                          std::to_string(options_.stall_ms) +
                                                          " ms of waiting");
  }
  window_waited_ = {};
  window_bytes_ = 0;
}

std::optional<std::int64_t> HttpTransfer::size_bytes() const {
  curl_off_t size = -1;
  curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
  return size < 0 ? std::nullopt : std::optional<std::int64_t>(size);
}

std::int64_t HttpTransfer::retry_after_s() const {
  curl_off_t seconds = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &seconds);
  return seconds;
}

void HttpTransfer::fail(CURLcode result) const {
  // libcurl's longer texts may quote the URL.
  const std::string message = curl_easy_strerror(result);
  if (is_final(result)) throw Error(ErrorCategory::Usage, name_ + ": " + message);
  throw TransferError(
      result == CURLE_PARTIAL_FILE ? TransferError::Kind::ShortBody : TransferError::Kind::Network,
      message);
}

}  // namespace aitqe
