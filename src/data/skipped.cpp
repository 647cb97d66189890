#include "aitqe/data/skipped.h"

#include "aitqe/base/ascii.h"
#include "aitqe/base/log.h"

namespace aitqe {

void Skipped::add(const std::string& where, const SampleError& error) {
  Reason& reason = by_code_[error.code()];
  if (++reason.count == 1) reason.example = ascii::visible(where + ": " + error.what());
}

std::int64_t Skipped::count() const {
  std::int64_t sum = 0;
  for (const auto& [code, reason] : by_code_) sum += reason.count;
  return sum;
}

std::map<std::string, std::int64_t> Skipped::counts() const {
  std::map<std::string, std::int64_t> found;
  for (const auto& [code, reason] : by_code_) found[code] = reason.count;
  return found;
}

std::string Skipped::render(const std::string& what) const {
  std::string text;
  for (const auto& [code, reason] : by_code_) {
    text += formatted("%s%-28s %9ld, e.g. %s\n", what.c_str(), code.c_str(), reason.count,
                      reason.example.c_str());
  }
  return text;
}

}  // namespace aitqe
