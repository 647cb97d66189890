#include "aitqe/io/s3_settings.h"

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <map>

#include "aitqe/base/ascii.h"
#include "aitqe/base/error.h"
#include "aitqe/io/url.h"

namespace aitqe {
namespace {

using Section = std::map<std::string, std::string>;

/// `[name]`, `key = value`, comments after # or ;. A line that begins with a blank belongs to a
/// nested setting (`s3 =` and below), of which none matters here.
std::map<std::string, Section> read_sections(const std::string& path) {
  std::map<std::string, Section> sections;
  std::ifstream file(path);
  Section* current = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#' || line[0] == ';' || ascii::is_space(line[0])) continue;
    const std::string_view text = ascii::trim(line);
    if (text.starts_with('[') && text.ends_with(']')) {
      std::string_view name = ascii::trim(text.substr(1, text.size() - 2));
      constexpr std::string_view kProfile = "profile ";  // of the config file alone
      if (name.starts_with(kProfile)) name = ascii::trim(name.substr(kProfile.size()));
      current = &sections[std::string(name)];
      continue;
    }
    const std::size_t equals = text.find('=');
    if (current == nullptr || equals == std::string_view::npos) continue;
    (*current)[ascii::lower(ascii::trim(text.substr(0, equals)))] =
        ascii::trim(text.substr(equals + 1));
  }
  return sections;
}

class Reader {
 public:
  explicit Reader(const Environment& environment) : environment_(environment) {
    const auto asked = variable("AWS_PROFILE");
    const std::string profile = asked.value_or("default");
    const std::string home = variable("HOME").value_or("") + "/.aws/";
    const std::string credentials =
        variable("AWS_SHARED_CREDENTIALS_FILE").value_or(home + "credentials");
    const std::string config = variable("AWS_CONFIG_FILE").value_or(home + "config");
    bool is_found = false;
    for (const std::string& path : {config, credentials}) {  // the second one counts more
      const auto sections = read_sections(path);
      const auto found = sections.find(profile);
      if (found == sections.end()) continue;
      is_found = true;
      for (const auto& [key, value] : found->second) profile_[key] = value;
    }
    if (asked && !is_found) {
      throw Error(ErrorCategory::Usage, "AWS_PROFILE: no profile \"" + profile + "\" in " +
                                            credentials + " or " + config);
    }
  }

  std::optional<std::string> variable(const std::string& name) const {
    auto value = environment_(name);
    return value && !value->empty() ? value : std::nullopt;
  }

  std::optional<std::string> setting(const std::string& key) const {
    const auto found = profile_.find(key);
    return found == profile_.end() || found->second.empty() ? std::nullopt
                                                            : std::optional(found->second);
  }

 private:
  const Environment& environment_;
  Section profile_;
};

void read_keys(const Reader& from, S3Settings& settings) {
  const auto key = from.variable("AWS_ACCESS_KEY_ID");
  const auto secret = from.variable("AWS_SECRET_ACCESS_KEY");
  if (key && secret) {
    settings.access_key = *key;
    settings.secret_key = *secret;
    settings.session_token = from.variable("AWS_SESSION_TOKEN").value_or("");
    return;
  }
  if (key || secret) {
    throw Error(ErrorCategory::Usage,
                std::string(key ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID") +
                    " is not set, but its companion is");
  }
  settings.access_key = from.setting("aws_access_key_id").value_or("");
  settings.secret_key = from.setting("aws_secret_access_key").value_or("");
  settings.session_token = from.setting("aws_session_token").value_or("");
  if (!settings.access_key.empty() && !settings.secret_key.empty()) return;
  throw Error(
      ErrorCategory::Usage,
      "no keys for s3://: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (of "
      "~/.aws/credentials); other ways to log in: "
      "eval \"$(aws configure export-credentials --format env)\"");
}

int read_attempts(const std::string& text) {
  constexpr int kMost = 1000;
  int attempts = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), attempts);
  if (error != std::errc() || end != text.data() + text.size() || attempts < 1 ||
      attempts > kMost) {
    throw Error(ErrorCategory::Usage, "AWS_MAX_ATTEMPTS: \"" + text + "\" is no number from 1 to " +
                                          std::to_string(kMost));
  }
  return attempts;
}

}  // namespace

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

S3Settings S3Settings::read(const Environment& environment) {
  const Reader from(environment);
  const auto first_of = [](std::initializer_list<std::optional<std::string>> values) {
    for (const auto& value : values) {
      if (value) return value;
    }
    return std::optional<std::string>();
  };
  S3Settings settings;
  read_keys(from, settings);
  settings.region = first_of({from.variable("AWS_REGION"), from.variable("AWS_DEFAULT_REGION"),
                              from.setting("region")})
                        .value_or(settings.region);
  settings.endpoint = first_of({from.variable("AWS_ENDPOINT_URL_S3"),
                                from.variable("AWS_ENDPOINT_URL"), from.setting("endpoint_url")})
                          .value_or("");
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  if (!settings.endpoint.empty() && !is_http_url(settings.endpoint)) {
    throw Error(ErrorCategory::Usage, "AWS_ENDPOINT_URL: \"" + settings.endpoint +
                                          "\" does not begin with http:// or https://");
  }
  if (const auto attempts =
          first_of({from.variable("AWS_MAX_ATTEMPTS"), from.setting("max_attempts")})) {
    settings.http.max_attempts = read_attempts(*attempts);
  }
  return settings;
}

}  // namespace aitqe
