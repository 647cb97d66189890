#include "aitqe/io/url.h"

#include <algorithm>

namespace aitqe {
namespace {

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";
// What ends a URL inside a shell command.
constexpr std::string_view kUrlEnds = " \t\n\"'<>|;)";

std::string without_secrets_of_url(std::string_view url) {
  const std::size_t host = url.find("://") + 3;
  std::string shown(url.substr(0, std::min(url.find_first_of("?#", host), url.size())));
  const std::size_t host_end = std::min(shown.find('/', host), shown.size());
  const std::size_t at = shown.rfind('@', host_end);
  if (at != std::string::npos && at >= host && at < host_end) shown.erase(host, at + 1 - host);
  return shown;
}

std::size_t next_http_url(std::string_view text, std::size_t from) {
  return std::min(text.find(kHttp, from), text.find(kHttps, from));
}

}  // namespace

bool is_http_url(std::string_view url) { return url.starts_with(kHttp) || url.starts_with(kHttps); }

bool is_s3_url(std::string_view url) { return url.starts_with("s3://"); }

std::string without_secrets(std::string_view text) {
  if (is_http_url(text)) return without_secrets_of_url(text);
  if (!text.starts_with("pipe:")) return std::string(text);
  std::string shown;
  std::size_t done = 0;
  for (std::size_t url = next_http_url(text, 0); url != std::string_view::npos;
       url = next_http_url(text, done)) {
    const std::size_t end = std::min(text.find_first_of(kUrlEnds, url), text.size());
    shown.append(text.substr(done, url - done));
    shown += without_secrets_of_url(text.substr(url, end - url));
    done = end;
  }
  return shown.append(text.substr(done));
}

std::string percent_encoded(std::string_view text, std::string_view kept) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos || kept.find(c) != std::string_view::npos) {
      encoded.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded.append({'%', kDigits[byte >> 4U], kDigits[byte & 15U]});
  }
  return encoded;
}

}  // namespace aitqe
