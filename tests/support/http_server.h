#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace aitqe::test {

/// What the server does with one connection.
struct ScriptedReply {
  /// Status line and headers, without the empty line; "" = the connection is reset unanswered.
  std::string head;
  std::string body;
  enum class End {
    Close,  ///< in good order
    Reset,
    Hang,  ///< nothing more, until the client goes away
  };
  End end = End::Close;
};

inline std::string ok_head(std::size_t size_bytes, const std::string& more = "ETag: \"v1\"\r\n") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size_bytes) + "\r\n" + more;
}

inline std::string part_head(std::size_t begin, std::size_t total,
                             const std::string& more = "ETag: \"v1\"\r\n") {
  return "HTTP/1.1 206 Partial Content\r\nContent-Length: " + std::to_string(total - begin) +
         "\r\nContent-Range: bytes " + std::to_string(begin) + "-" + std::to_string(total - 1) +
         "/" + std::to_string(total) + "\r\n" + more;
}

/// @param status  "404 Not Found"   @param headers  with their line ends
inline ScriptedReply status_reply(const std::string& status, const std::string& headers = "",
                                  const std::string& body = "") {
  return {"HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
              headers,
          body};
}

/// A server on the loopback that answers its first connection with the first reply and so on, then
/// resets all others.
class HttpServer {
 public:
  explicit HttpServer(std::vector<ScriptedReply> replies) : replies_(std::move(replies)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_, 16);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { serve(); });
  }
  /// Ends the connection that is being served.
  ~HttpServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url(const std::string& path = "/00000.tar") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }

  /// Request line, headers and body of each connection so far.
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    for (std::size_t i = 0;; ++i) {
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      const std::string request = read_request(connection);
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      const ScriptedReply reply =
          i < replies_.size() ? replies_[i] : ScriptedReply{"", "", ScriptedReply::End::Reset};
      if (!reply.head.empty()) {
        send_all(connection, reply.head + "Connection: close\r\n\r\n" + reply.body);
      }
      finish(connection, reply.head.empty() ? ScriptedReply::End::Reset : reply.end);
    }
  }

  static std::string read_request(int connection) {
    std::string request;
    char byte = 0;
    while (!request.ends_with("\r\n\r\n") && recv(connection, &byte, 1, 0) == 1) request += byte;
    constexpr std::string_view kLength = "\r\nContent-Length: ";
    const std::size_t length = request.find(kLength);
    if (length == std::string::npos) return request;
    std::size_t left = std::stoul(request.substr(length + kLength.size()));
    while (left > 0 && recv(connection, &byte, 1, 0) == 1) {
      request += byte;
      --left;
    }
    return request;
  }

  static void send_all(int connection, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  void finish(int connection, ScriptedReply::End end) const {
    if (end == ScriptedReply::End::Hang) {
      pollfd ends[] = {{connection, POLLIN | POLLRDHUP, 0}, {listener_, POLLRDHUP, 0}};
      poll(ends, 2, -1);
    }
    if (end == ScriptedReply::End::Reset) {
      // The receiver still gets what arrived before the reset.
      const linger at_once{1, 0};
      setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
    close(connection);
  }

  std::vector<ScriptedReply> replies_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace aitqe::test
