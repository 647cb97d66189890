#include "one_of.h"

#include <algorithm>

#include "aitqe/base/nearest.h"

namespace aitqe::app {

namespace {

/// `a, b or c`
std::string in_prose(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

}  // namespace

CLI::Validator one_of(const std::vector<std::string>& words) {
  std::string listed;
  for (const std::string& word : words) listed += (listed.empty() ? "" : ",") + word;
  const auto check = [words](const std::string& text) {
    if (std::ranges::find(words, text) != words.end()) return std::string();
    return "\"" + text + "\": expected " + in_prose(words) + did_you_mean(text, words);
  };
  return {check, "{" + listed + "}"};
}

}  // namespace aitqe::app
