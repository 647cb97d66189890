#include <algorithm>

#include "aitqe/base/hash.h"
#include "base64.h"
#include "embedded_html.h"
#include "page_data.h"

namespace aitqe {
namespace {

/// `'sha256-...'` of an inline script or style: the policy lets only these run.
std::string policy_hash(std::string_view text) {
  const std::string hex = sha256_hex(text);
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return "'sha256-" + to_base64(bytes) + "'";
}

/// Of the whole page: what mail servers that stop at 5 MB still let through.
constexpr std::size_t kMostPageBytes = 4'900'000;

std::string page_with(const std::string& data) {
  const std::pair<std::string_view, std::string> parts[] = {
      {"{{style}}", std::string(kReportCss)},
      {"{{script}}", std::string(kReportJs)},
      {"{{chart-library}}", std::string(kChartLibraryJs)},
      {"{{style-hash}}", policy_hash(kReportCss)},
      {"{{script-hashes}}", policy_hash(kChartLibraryJs) + " " + policy_hash(kReportJs)},
      {"{{data}}", data},
  };
  std::string page;
  std::string_view rest = kReportHtml;
  while (!rest.empty()) {
    const std::size_t mark = std::min(rest.find("{{"), rest.size());
    page += rest.substr(0, mark);
    rest.remove_prefix(mark);
    const auto* const part = std::find_if(std::begin(parts), std::end(parts),
                                          [&](const auto& p) { return rest.starts_with(p.first); });
    if (part == std::end(parts)) {
      page += rest.substr(0, 2);
      rest.remove_prefix(std::min<std::size_t>(2, rest.size()));
      continue;
    }
    page += part->second;
    rest.remove_prefix(part->first.size());
  }
  return page;
}

}  // namespace

std::string report_to_html(const RunReport& report) {
  return page_with(page_data(report, kMostPageBytes - page_with("").size()));
}

}  // namespace aitqe
