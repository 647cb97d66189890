#include "aitqe/io/shards.h"

#include <fnmatch.h>
#include <glob.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <unordered_map>

#include "aitqe/base/error.h"
#include "aitqe/io/s3.h"
#include "aitqe/io/url.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 5> kShardSuffixes{".tar", ".tar.gz", ".tgz", ".tar.zst",
                                                         ".tzst"};
constexpr std::string_view kPipe = "pipe:";
constexpr std::size_t kMaxExpandedNames = 1'000'000;

std::size_t shard_suffix_length(std::string_view path) {
  std::string lower(path);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const std::string_view suffix : kShardSuffixes) {
    if (lower.ends_with(suffix)) return suffix.size();
  }
  return 0;
}

// Words as a shell would roughly see them: cut at blanks, quotes and redirections.
std::string stem_of_command(const std::string& command) {
  std::string stem = "pipe";
  std::string word;
  for (const char c : command + " ") {
    if (std::string_view(" \t\n\"'<>|;&()=").find(c) == std::string_view::npos) {
      word.push_back(c);
      continue;
    }
    // A signed URL has its query behind the name.
    word = word.substr(0, word.find('?'));
    if (has_shard_suffix(word)) stem = shard_stem(word);
    word.clear();
  }
  return stem;
}

ShardRef make_shard(const std::string& url) {
  ShardRef shard{url, ""};
  if (url == "-") {
    shard.name = "stdin";
  } else if (url.starts_with(kPipe)) {
    shard.name = stem_of_command(url.substr(kPipe.size()));
  } else if (is_http_url(url)) {
    shard.name = shard_stem(without_secrets(url));
  } else {
    shard.name = shard_stem(url);
  }
  if (shard.name.empty() || shard.name.starts_with('.')) {
    throw Error(ErrorCategory::Usage, without_secrets(url) + ": its output name would be \"" +
                                          shard.name + "\", which is a hidden file");
  }
  return shard;
}

struct Range {
  std::string first;
  std::string last;
};

bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.size() <= 18 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

std::optional<Range> parse_range(const std::string& body) {
  const std::size_t dots = body.find("..");
  if (dots == std::string::npos) return std::nullopt;
  Range range{body.substr(0, dots), body.substr(dots + 2)};
  if (!is_number(range.first) || !is_number(range.last)) return std::nullopt;
  return range;
}

[[noreturn]] void fail_too_many(const std::string& pattern) {
  throw Error(ErrorCategory::Usage, without_secrets(pattern) + ": braces give more than " +
                                        std::to_string(kMaxExpandedNames) + " names");
}

std::vector<std::string> expand_range(const Range& range, const std::string& pattern) {
  const std::int64_t first = std::stoll(range.first);
  const std::int64_t last = std::stoll(range.last);
  const std::int64_t step = first <= last ? 1 : -1;
  if ((last - first) * step >= static_cast<std::int64_t>(kMaxExpandedNames)) fail_too_many(pattern);
  const bool is_padded = [&] {
    const auto starts_with_zero = [](std::string_view text) {
      if (text.starts_with('-')) text.remove_prefix(1);
      return text.size() > 1 && text.starts_with('0');
    };
    return starts_with_zero(range.first) || starts_with_zero(range.last);
  }();
  const std::size_t width = is_padded ? std::max(range.first.size(), range.last.size()) : 0;
  std::vector<std::string> numbers;
  for (std::int64_t value = first;; value += step) {
    std::string digits = std::to_string(value < 0 ? -value : value);
    const std::size_t sign_width = value < 0 ? 1 : 0;
    if (digits.size() + sign_width < width)
      digits.insert(0, width - sign_width - digits.size(), '0');
    numbers.push_back((value < 0 ? "-" : "") + digits);
    if (value == last) return numbers;
  }
}

// The position of the brace that closes the one at `open`, and the commas between at its level.
struct Brace {
  std::size_t close = std::string::npos;
  std::vector<std::size_t> commas;
};

Brace match_brace(const std::string& pattern, std::size_t open) {
  Brace brace;
  int depth = 0;
  for (std::size_t i = open; i < pattern.size(); ++i) {
    if (pattern[i] == '{') ++depth;
    if (pattern[i] == ',' && depth == 1) brace.commas.push_back(i);
    if (pattern[i] == '}' && --depth == 0) {
      brace.close = i;
      return brace;
    }
  }
  return brace;
}

enum class Braces { All, RangesOnly };

// The alternatives of the brace at `open`, or nothing where it is plain text.
std::vector<std::string> alternatives(const std::string& pattern, std::size_t open,
                                      const Brace& brace, Braces which) {
  const std::string body = pattern.substr(open + 1, brace.close - open - 1);
  if (open > 0 && pattern[open - 1] == '$') return {};  // ${VARIABLE}
  if (const std::optional<Range> range = parse_range(body)) return expand_range(*range, pattern);
  if (which == Braces::RangesOnly || brace.commas.empty()) return {};
  std::vector<std::string> parts;
  std::size_t begin = open + 1;
  for (const std::size_t comma : brace.commas) {
    parts.push_back(pattern.substr(begin, comma - begin));
    begin = comma + 1;
  }
  parts.push_back(pattern.substr(begin, brace.close - begin));
  return parts;
}

void expand_into(const std::string& pattern, std::size_t from, Braces which,
                 std::vector<std::string>& names) {
  for (std::size_t open = pattern.find('{', from); open != std::string::npos;
       open = pattern.find('{', open + 1)) {
    const Brace brace = match_brace(pattern, open);
    if (brace.close == std::string::npos) continue;
    const std::vector<std::string> parts = alternatives(pattern, open, brace, which);
    if (parts.empty()) continue;
    const std::string head = pattern.substr(0, open);
    const std::string tail = pattern.substr(brace.close + 1);
    for (const std::string& part : parts) expand_into(head + part + tail, open, which, names);
    return;
  }
  if (names.size() >= kMaxExpandedNames) fail_too_many(pattern);
  names.push_back(pattern);
}

std::vector<std::string> expand(const std::string& pattern, Braces which) {
  std::vector<std::string> names;
  expand_into(pattern, 0, which, names);
  return names;
}

std::vector<std::string> list_folder(const std::string& folder) {
  std::vector<std::string> paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with('.') && has_shard_suffix(name) && !entry.is_directory()) {
      paths.push_back(entry.path().string());
    }
  }
  if (paths.empty()) {
    throw Error(ErrorCategory::NoInput,
                folder + ": no .tar, .tar.gz, .tgz, .tar.zst or .tzst file directly inside");
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<std::string> list_glob(const std::string& pattern) {
  glob_t found{};
  const int status = glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
  std::vector<std::string> paths;
  for (std::size_t i = 0; status == 0 && i < found.gl_pathc; ++i)
    paths.emplace_back(found.gl_pathv[i]);
  globfree(&found);
  if (paths.empty()) throw Error(ErrorCategory::NoInput, pattern + ": matches no file");
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool has_glob_character(const std::string& text) {
  return text.find_first_of("*?[") != std::string::npos;
}

// One name after brace expansion.
std::vector<std::string> expand_path(const std::string& path, const std::string& input) {
  std::error_code error;
  if (fs::is_directory(path, error)) return list_folder(path);
  if (fs::exists(path, error)) return {path};
  if (has_glob_character(path)) return list_glob(path);
  throw Error(ErrorCategory::NoInput,
              (path == input ? path : input + ": " + path) + ": no such file or folder");
}

// The key of one name after brace expansion: an object, a folder of shards, or a glob.
std::vector<std::string> expand_s3(const std::string& url) {
  const S3Location location = S3Location::parse(url);
  const std::size_t glob = location.key.find_first_of("*?[");
  const bool is_folder = location.key.empty() || location.key.ends_with('/');
  if (!is_folder && glob == std::string::npos) return {url};
  const S3Location prefix{location.bucket, location.key.substr(0, glob)};
  std::vector<std::string> urls;
  for (const auto& [key, size_bytes] : list_s3(prefix, S3Settings::read())) {
    const bool is_taken =
        glob != std::string::npos
            ? fnmatch(location.key.c_str(), key.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0
            : has_shard_suffix(key) && !key.substr(prefix.key.size()).starts_with('.');
    if (is_taken) urls.push_back(S3Location{location.bucket, key}.url());
  }
  if (urls.empty()) {
    throw Error(
        ErrorCategory::NoInput,
        url + (is_folder ? ": no .tar, .tar.gz, .tgz, .tar.zst or .tzst object directly inside"
                         : ": matches no object"));
  }
  return urls;
}

std::vector<std::string> expand_input(const std::string& input);

std::vector<std::string> expand_list(const std::string& path) {
  std::ifstream list(path);
  if (!list) throw Error(ErrorCategory::NoInput, "@" + path + ": cannot be opened");
  std::vector<std::string> urls;
  int line_number = 0;
  for (std::string line; std::getline(list, line);) {
    ++line_number;
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string::npos || line[begin] == '#') continue;
    line = line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
    const std::string where = path + ":" + std::to_string(line_number) + ": ";
    if (line.starts_with('@')) throw Error(ErrorCategory::Usage, where + "lists do not nest");
    try {
      for (std::string& url : expand_input(line)) urls.push_back(std::move(url));
    } catch (const Error& error) {
      throw Error(error.category(), where + error.what());
    }
  }
  if (urls.empty()) throw Error(ErrorCategory::NoInput, "@" + path + ": lists no input");
  return urls;
}

void require_known_scheme(const std::string& input) {
  const std::size_t end = input.find("://");
  if (end == std::string::npos || end == 0 || is_http_url(input) || is_s3_url(input) ||
      !std::all_of(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(end),
                   [](unsigned char c) { return std::isalnum(c) || c == '+' || c == '-'; })) {
    return;
  }
  throw Error(
      ErrorCategory::Usage,
      without_secrets(input) + ": " + input.substr(0, end) +
          ":// is not built in, http://, https:// and s3:// are; else use \"pipe:COMMAND\"");
}

std::vector<std::string> expand_input(const std::string& input) {
  if (input.empty()) throw Error(ErrorCategory::Usage, "an input is the empty text");
  if (input == "-") return {input};
  if (input.starts_with(kPipe)) return expand(input, Braces::RangesOnly);
  if (input.starts_with('@')) return expand_list(input.substr(1));
  require_known_scheme(input);
  if (is_http_url(input)) return expand(input, Braces::All);
  if (is_s3_url(input)) {
    std::vector<std::string> urls;
    for (const std::string& name : expand(input, Braces::All)) {
      for (std::string& url : expand_s3(name)) urls.push_back(std::move(url));
    }
    return urls;
  }
  std::error_code error;
  if (fs::exists(input, error)) return expand_path(input, input);
  std::vector<std::string> paths;
  for (const std::string& name : expand(input, Braces::All)) {
    for (std::string& path : expand_path(name, input)) paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace

bool has_shard_suffix(const std::string& path) { return shard_suffix_length(path) > 0; }

std::string shard_stem(const std::string& path) {
  std::string name = fs::path(path).filename().string();
  if (const std::size_t length = shard_suffix_length(name); length > 0) {
    name.resize(name.size() - length);
    return name;
  }
  return fs::path(name).stem().string();
}

bool is_local_file(const ShardRef& shard) {
  return shard.url != "-" && !shard.url.starts_with(kPipe) &&
         shard.url.find("://") == std::string::npos;
}

bool can_be_read_again(const ShardRef& shard) {
  return shard.url != "-" && !shard.url.starts_with(kPipe);
}

std::vector<std::string> expand_braces(const std::string& pattern) {
  return expand(pattern, Braces::All);
}

std::vector<ShardRef> expand_inputs(const std::vector<std::string>& inputs) {
  std::vector<ShardRef> shards;
  std::unordered_map<std::string, std::string> url_of_name;
  for (const std::string& input : inputs) {
    for (const std::string& url : expand_input(input)) {
      ShardRef shard = make_shard(url);
      const auto [other, is_new] = url_of_name.emplace(shard.name, url);
      if (!is_new) {
        throw Error(ErrorCategory::Usage, without_secrets(other->second) + " and " +
                                              without_secrets(url) + ": both would be written as " +
                                              shard.name +
                                              ".tar; run them with different output folders");
      }
      shards.push_back(std::move(shard));
    }
  }
  if (shards.empty()) throw Error(ErrorCategory::NoInput, "no input given");
  return shards;
}

}  // namespace aitqe
