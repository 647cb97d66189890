// Any bytes as an input that a user typed: braces, URLs, commands. What is expanded is expanded
// once, names are no hidden files, and no secret of a URL is shown.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "aitqe/base/error.h"
#include "aitqe/io/s3.h"
#include "aitqe/io/shards.h"
#include "aitqe/io/url.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_usage_or_no_input(const aitqe::Error& error) {
  return error.category() == aitqe::ErrorCategory::Usage ||
         error.category() == aitqe::ErrorCategory::NoInput;
}

/// Braces may give a million names, which is right and slow: only few are asked for here.
bool gives_few_names(const std::string& text) {
  std::size_t num_digits = 0;
  std::size_t num_alternatives = 1;
  for (const char c : text) {
    if (c >= '0' && c <= '9') ++num_digits;
    if (c == '{' || c == ',') ++num_alternatives;
  }
  const bool has_range = text.find("..") != std::string::npos;
  return num_alternatives <= 8 && (!has_range || (num_digits <= 4 && num_alternatives <= 3));
}

void check_braces(const std::string& text) {
  for (const std::string& name : aitqe::expand_braces(text)) {
    require(name.size() <= text.size() + 20);
  }
}

/// Those that are no files: what there is on the disk decides about others.
void check_input(const std::string& input) {
  try {
    for (const aitqe::ShardRef& shard : aitqe::expand_inputs({input})) {
      require(!shard.name.empty() && !shard.name.starts_with('.'));
      require(shard.name.find('/') == std::string::npos);
      require(!aitqe::is_local_file(shard));
    }
  } catch (const aitqe::Error& error) {
    require(is_usage_or_no_input(error));
  }
}

void check_url(const std::string& text) {
  constexpr const char* kSecret = "SeCrEt";
  const bool may_hold_it = text.find(kSecret) != std::string::npos;
  const std::string url = "https://user:" + std::string(kSecret) + "@host/" + text;
  const bool is_plain = text.find_first_of("@?# \t\n'\"`") == std::string::npos;
  if (is_plain && !may_hold_it) {
    require(aitqe::without_secrets(url).find(kSecret) == std::string::npos);
  }
  const std::string once = aitqe::without_secrets(text);
  require(aitqe::without_secrets(once) == once);
  require(aitqe::percent_encoded(text).find_first_of(" /?#{}") == std::string::npos);
}

void check_s3(const std::string& text) {
  try {
    const aitqe::S3Location location = aitqe::S3Location::parse("s3://" + text);
    require(!location.bucket.empty() && location.bucket.find('/') == std::string::npos);
  } catch (const aitqe::Error& error) {
    require(is_usage_or_no_input(error));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_url(text);
  check_s3(text);
  aitqe::shard_stem(text);
  if (!gives_few_names(text)) return 0;
  check_braces(text);
  check_input("pipe:" + text);
  check_input("https://" + text);
  return 0;
}
