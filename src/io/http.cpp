#include "aitqe/io/http.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/io/url.h"
#include "http_transfer.h"
#include "patience.h"

namespace aitqe {
namespace {

constexpr std::size_t kMaxBodyBytes = std::size_t{16} << 20;
// A try that brought less is as good as none; the server may let a byte through now and then.
constexpr std::int64_t kProgressBytes = std::int64_t{256} << 10;

enum HttpStatus : long {
  PartialContent = 206,
  Unauthorized = 401,
  Forbidden = 403,
  ProxyUnauthorized = 407,
  RequestTimeout = 408,
  PreconditionFailed = 412,
  RangeNotSatisfiable = 416,
  TooManyRequests = 429,
  ServerErrors = 500,
  NotImplemented = 501,
};

bool is_success(long status) { return status >= 200 && status < 300; }

bool is_temporary(long status) {
  return status == RequestTimeout || status == TooManyRequests ||
         (status >= ServerErrors && status != NotImplemented);
}

std::string status_text(const HttpAnswer& answer) {
  return "HTTP status " + std::to_string(answer.status);
}

FailedTry failed_try(const TransferError& error) {
  return {error.what(), error.kind() == TransferError::Kind::ShortBody, 0};
}

/// Of an answer that was refused, for its explanation; what cannot be read of it is left out.
std::string read_body(HttpTransfer& transfer) {
  constexpr std::size_t kPieceBytes = std::size_t{64} << 10;
  std::string body;
  while (true) {
    const std::size_t filled = body.size();
    body.resize(filled + kPieceBytes);
    const std::size_t count = transfer.read(std::span(body).subspan(filled));
    body.resize(filled + count);
    if (count == 0) return body;
    if (body.size() > kMaxBodyBytes) {
      throw TransferError(TransferError::Kind::Network,
                          "an answer of more than " + std::to_string(kMaxBodyBytes) + " bytes");
    }
  }
}

/// A transfer whose head tells success, after as many tries as patience allows.
class Sender {
 public:
  Sender(const HttpOptions& options, const Refuse& refuse, const StopCheck& should_stop)
      : options_(options), refuse_(refuse), should_stop_(should_stop) {}

  std::unique_ptr<HttpTransfer> send(const HttpRequest& request, Patience& patience) const {
    while (true) {
      try {
        auto transfer = std::make_unique<HttpTransfer>(request, options_, should_stop_);
        HttpAnswer answer = transfer->head();
        if (is_success(answer.status)) return transfer;
        if (!is_temporary(answer.status)) {
          answer.body = read_body(*transfer);
          refuse_(request, answer);
        }
        patience.wait_after({status_text(answer), false, transfer->retry_after_s()});
      } catch (const TransferError& error) {
        if (error.kind() == TransferError::Kind::Stopped) throw;
        patience.wait_after(failed_try(error));
      }
    }
  }

 private:
  const HttpOptions& options_;
  const Refuse& refuse_;
  const StopCheck& should_stop_;
};

/// What tells one version of an object from another.
struct Version {
  std::string etag;
  std::string last_modified;
  std::optional<std::int64_t> size_bytes;

  bool can_be_told() const { return !etag.empty() || !last_modified.empty(); }
  bool may_equal(const Version& other) const {
    const bool is_size_known = size_bytes && other.size_bytes;
    return etag == other.etag && last_modified == other.last_modified &&
           (!is_size_known || size_bytes == other.size_bytes);
  }
};

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size() && number >= 0;
  return is_number ? std::optional(number) : std::nullopt;
}

/// "bytes 100-199/1234".
struct ContentRange {
  std::optional<std::int64_t> begin;
  std::optional<std::int64_t> total;

  static ContentRange parse(std::string_view text) {
    constexpr std::string_view kUnit = "bytes ";
    const std::size_t dash = text.find('-');
    const std::size_t slash = text.find('/');
    if (!text.starts_with(kUnit) || dash >= slash || slash == std::string_view::npos) return {};
    return {parse_number(text.substr(kUnit.size(), dash - kUnit.size())),
            parse_number(text.substr(slash + 1))};
  }
};

}  // namespace

std::string HttpAnswer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

void refuse_http(const HttpRequest& request, const HttpAnswer& answer) {
  const bool is_denied = answer.status == Unauthorized || answer.status == Forbidden ||
                         answer.status == ProxyUnauthorized;
  if (is_denied) {
    throw Error(ErrorCategory::Usage, request.name + ": access denied, " + status_text(answer));
  }
  throw Error(ErrorCategory::NoInput, request.name + ": cannot be read, " + status_text(answer));
}

HttpAnswer fetch(const HttpRequest& request, const HttpOptions& options, const Refuse& refuse,
                 const StopCheck& should_stop) {
  const StopCheck never;
  Patience patience(request.name, options, should_stop);
  try {
    while (true) {
      const auto transfer = Sender(options, refuse, never).send(request, patience);
      try {
        HttpAnswer answer = transfer->head();
        answer.body = read_body(*transfer);
        return answer;
      } catch (const TransferError& error) {
        patience.wait_after({error.what(), /*is_short_body=*/false, 0});
      }
    }
  } catch (const TransferError& error) {  // stopped; all others were tried again
    throw Error(ErrorCategory::Resumable, request.name + ": " + error.what());
  }
}

class HttpSource::State {
 public:
  State(HttpRequest request, HttpOptions options, Refuse refuse, StopCheck should_stop)
      : request_(std::move(request)),
        options_(options),
        refuse_(std::move(refuse)),
        should_stop_(std::move(should_stop)),
        patience_(request_.name, options_, should_stop_) {
    begin();
  }

  const std::string& name() const { return request_.name; }
  std::optional<std::int64_t> size_bytes() const { return version_.size_bytes; }
  std::string version() const {
    return version_.etag.empty() ? version_.last_modified : version_.etag;
  }

  std::size_t read(std::span<char> buffer) {
    while (!buffer.empty()) {
      try {
        if (!transfer_) position_ == 0 ? begin() : resume();
        const std::size_t count = read_counted(buffer);
        if (count == 0 && version_.size_bytes && position_ < *version_.size_bytes) {
          throw TransferError(TransferError::Kind::ShortBody, "the answer ends early");
        }
        return count;
      } catch (const TransferError& error) {
        transfer_.reset();
        if (error.kind() == TransferError::Kind::Stopped) throw;
        give_up_or_wait(error);
      }
    }
    return 0;
  }

 private:
  void begin() {
    transfer_ = Sender(options_, refuse_, should_stop_).send(request_, patience_);
    const HttpAnswer& head = transfer_->head();
    version_ = {head.header("etag"), head.header("last-modified"), transfer_->size_bytes()};
  }

  std::size_t read_counted(std::span<char> buffer) {
    const std::size_t count = transfer_->read(buffer);
    position_ += static_cast<std::int64_t>(count);
    if (position_ - resumed_at_ >= kProgressBytes) patience_.renew();
    return count;
  }

  void give_up_or_wait(const TransferError& error) {
    FailedTry failed = failed_try(error);
    failed.problem += " at byte " + std::to_string(position_);
    if (version_.size_bytes) failed.problem += " of " + std::to_string(*version_.size_bytes);
    if (position_ > 0 && !version_.can_be_told()) {
      throw Error(ErrorCategory::Resumable,
                  name() + ": " + failed.problem +
                      "; the server gives neither ETag nor Last-Modified, so the rest cannot be "
                      "asked for; the same command starts this shard again");
    }
    patience_.wait_after(failed);
  }

  void resume() {
    resumed_at_ = position_;
    HttpRequest request = request_;
    request.headers.push_back("Range: bytes=" + std::to_string(position_) + "-");
    // A weak ETag may not be used here (RFC 9110, 13.1.1).
    if (version_.etag.starts_with('"')) request.headers.push_back("If-Match: " + version_.etag);
    const Refuse refuse = [this](const HttpRequest& sent, const HttpAnswer& answer) {
      const bool is_other =
          answer.status == PreconditionFailed || answer.status == RangeNotSatisfiable;
      if (is_other) fail_replaced();
      refuse_(sent, answer);
    };
    auto transfer = Sender(options_, refuse, should_stop_).send(request, patience_);
    const HttpAnswer& head = transfer->head();
    const auto range = ContentRange::parse(head.header("content-range"));
    // rclone 1.75 gives the part that was asked for with 200.
    const bool is_part = head.status == PartialContent || range.begin;
    const auto size = is_part ? range.total : transfer->size_bytes();
    const Version version{head.header("etag"), head.header("last-modified"), size};
    if (!version.may_equal(version_)) fail_replaced();
    if (!is_part) skip(*transfer);
    if (is_part && range.begin != position_) {
      throw Error(ErrorCategory::NoInput, name() + ": asked for byte " + std::to_string(position_) +
                                              ", the server gives \"" +
                                              head.header("content-range") + "\"");
    }
    transfer_ = std::move(transfer);
  }

  // A server that does not know Range begins anew.
  void skip(HttpTransfer& transfer) const {
    std::string buffer(std::size_t{64} << 10, '\0');
    std::int64_t left = position_;
    while (left > 0) {
      const auto piece = std::min(static_cast<std::size_t>(left), buffer.size());
      const std::size_t count = transfer.read(std::span(buffer).first(piece));
      if (count == 0) throw TransferError(TransferError::Kind::ShortBody, "the answer ends early");
      left -= static_cast<std::int64_t>(count);
    }
  }

  [[noreturn]] void fail_replaced() const {
    throw Error(ErrorCategory::Resumable, name() + ": was replaced while it was read, at byte " +
                                              std::to_string(position_) +
                                              "; the same command starts this shard again");
  }

  const HttpRequest request_;
  const HttpOptions options_;
  const Refuse refuse_;
  const StopCheck should_stop_;
  Patience patience_;
  std::unique_ptr<HttpTransfer> transfer_;
  Version version_;
  std::int64_t position_ = 0;
  std::int64_t resumed_at_ = 0;
};

HttpSource::HttpSource(HttpRequest request, HttpOptions options, Refuse refuse,
                       StopCheck should_stop) {
  const std::string name = request.name;
  try {
    state_ = std::make_unique<State>(std::move(request), options, std::move(refuse),
                                     std::move(should_stop));
  } catch (const TransferError& error) {  // all others were tried again
    throw Error(ErrorCategory::Resumable, name + ": " + error.what());
  }
}
HttpSource::~HttpSource() = default;

std::size_t HttpSource::read(std::span<char> buffer) {
  try {
    return state_->read(buffer);
  } catch (const TransferError& error) {
    // No damage of this input: what comes next would pass for its end.
    if (error.kind() == TransferError::Kind::Stopped) {
      throw Error(ErrorCategory::Resumable, name() + ": " + error.what());
    }
    throw SourceError(name() + ": " + error.what());
  }
}

std::string HttpSource::name() const { return state_->name(); }
std::optional<std::int64_t> HttpSource::size_bytes() const { return state_->size_bytes(); }
std::string HttpSource::version() const { return state_->version(); }

std::unique_ptr<Source> open_http(const std::string& url, const HttpOptions& options,
                                  StopCheck should_stop) {
  HttpRequest request;
  request.url = url;
  request.name = without_secrets(url);
  return std::make_unique<HttpSource>(std::move(request), options, refuse_http,
                                      std::move(should_stop));
}

}  // namespace aitqe
