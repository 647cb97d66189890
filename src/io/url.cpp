#include "aitqe/io/url.h"

#include <algorithm>
#include <regex>

namespace aitqe {
namespace {

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";
// What ends a URL inside a shell command.
constexpr std::string_view kUrlEnds = " \t\n\"'<>|;)";
constexpr std::string_view kQueryBegins = "?#";  // not of s3 URLs: an object may be called so

bool is_of_scheme(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '-' || c == '.';
}

/// @param url  begins with `SCHEME://`, or just `://`
std::string without_secrets_of_url(std::string_view url, std::string_view query_begins) {
  const std::size_t host = url.find("://") + 3;
  std::string shown(url.substr(0, std::min(url.find_first_of(query_begins, host), url.size())));
  const std::size_t host_end = std::min(shown.find('/', host), shown.size());
  const std::size_t at = shown.rfind('@', host_end);
  if (at != std::string::npos && at >= host && at < host_end) shown.erase(host, at + 1 - host);
  return shown;
}

std::string without_secrets_of_urls(std::string_view command) {
  std::string shown;
  std::size_t done = 0;
  for (std::size_t url = command.find("://"); url != std::string_view::npos;
       url = command.find("://", done)) {
    const std::size_t end = std::min(command.find_first_of(kUrlEnds, url), command.size());
    shown.append(command.substr(done, url - done));
    shown += without_secrets_of_url(command.substr(url, end - url), kQueryBegins);
    done = end;
  }
  return shown.append(command.substr(done));
}

/// What is commonly given to commands as arguments, though it should not be: credentials in
/// variables, of `curl -u`, and in headers.
std::string without_secrets_of_arguments(const std::string& command) {
  constexpr auto kIgnoreCase = std::regex::ECMAScript | std::regex::icase;
  static const std::regex variable(
      R"re((\w*(?:secret|token|passw|access_?key|api_?key)\w*=)('[^']*'|"[^"]*"|[^\s;|&'"]+))re",
      kIgnoreCase);
  static const std::regex header(
      R"re(((?:authorization|cookie|[\w-]*token|[\w-]*key):\s*)[^'"\n]+)re", kIgnoreCase);
  static const std::regex user(
      R"re(((?:^|\s)(?:-u|--user|--proxy-user)[\s=]*['"]?)[^\s:'"]+:[^\s'"]+)re");
  std::string shown = std::regex_replace(command, variable, "$1***");
  shown = std::regex_replace(shown, header, "$1***");
  return std::regex_replace(shown, user, "$1***");
}

}  // namespace

bool is_http_url(std::string_view url) { return url.starts_with(kHttp) || url.starts_with(kHttps); }

bool is_s3_url(std::string_view url) { return url.starts_with("s3://"); }

std::string without_secrets(std::string_view text) {
  if (text.starts_with("pipe:")) {
    return without_secrets_of_arguments(without_secrets_of_urls(text));
  }
  const std::size_t scheme_end = text.find("://");
  const bool is_url = scheme_end != std::string_view::npos &&
                      std::ranges::all_of(text.substr(0, scheme_end), is_of_scheme);
  if (!is_url) return std::string(text);
  return without_secrets_of_url(text, is_s3_url(text) ? "" : kQueryBegins);
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
