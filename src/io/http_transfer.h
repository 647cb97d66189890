#pragma once

#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <stdexcept>

#include "aitqe/io/http.h"

namespace aitqe {

/// One request failed; another one may not.
class TransferError : public std::runtime_error {
 public:
  enum class Kind { Network, ShortBody, Stopped };
  TransferError(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

inline TransferError stopped() { return {TransferError::Kind::Stopped, "stopped on request"}; }

/// One request and its answer, pulled piece by piece: nothing arrives while nobody reads.
/// One thread at a time; `options`, `should_stop` and the request's body must outlive it.
class HttpTransfer {
 public:
  HttpTransfer(const HttpRequest& request, const HttpOptions& options,
               const StopCheck& should_stop);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  /// Status and headers, waited for; of the last answer where there were redirects.
  /// @throws TransferError; Error(Usage) for what no further try can mend.
  const HttpAnswer& head();

  /// The next bytes of the body, 0 at its end. Throws as `head`.
  std::size_t read(std::span<char> buffer);

  /// Size of the whole body where the server says it.
  std::optional<std::int64_t> size_bytes() const;
  /// Seconds that the server asks to wait, 0 if it does not.
  std::int64_t retry_after_s() const;

 private:
  struct EasyDeleter {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct MultiDeleter {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };
  struct ListDeleter {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  static std::size_t take_header(char* bytes, std::size_t, std::size_t count, void* self);
  static std::size_t take_body(char* bytes, std::size_t, std::size_t count, void* self);

  template <typename Value>
  void set(CURLoption option, Value value);
  void set_options(const HttpRequest& request);
  void set_method(const HttpRequest& request);
  void sign(const AwsSignature& signature, std::string_view body);
  /// Lets libcurl work until more of the body is there, or its end.
  void advance();
  void check_speed(std::chrono::steady_clock::duration waited);
  [[noreturn]] void fail(CURLcode result) const;

  const std::string name_;
  const HttpOptions& options_;
  const StopCheck& should_stop_;
  std::unique_ptr<curl_slist, ListDeleter> headers_;
  std::unique_ptr<CURLM, MultiDeleter> multi_;
  std::unique_ptr<CURL, EasyDeleter> easy_;
  HttpAnswer answer_;
  std::string arrived_;
  std::size_t num_given_ = 0;  // of `arrived_`
  bool is_done_ = false;
  CURLcode result_ = CURLE_OK;
  std::chrono::steady_clock::duration window_waited_{};
  std::int64_t window_bytes_ = 0;
  std::int64_t num_sent_ = 0;
};

}  // namespace aitqe
