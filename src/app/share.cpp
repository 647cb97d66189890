#include "share.h"

#include <exception>

#include "aitqe/base/error.h"

namespace aitqe::app {

double parse_share(const std::string& text, const char* option) {
  std::size_t end = 0;
  double value = -1;
  try {
    value = std::stod(text, &end);
  } catch (const std::exception&) {
    end = 0;
  }
  const std::string unit = text.substr(end);
  if (unit == "%") value /= 100;
  if (end == 0 || (!unit.empty() && unit != "%") || value < 0 || value > 1) {
    throw Error(ErrorCategory::Usage,
                std::string(option) + " " + text + ": expected a share, e.g. 1% or 0.01");
  }
  return value;
}

}  // namespace aitqe::app
