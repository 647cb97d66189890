#include <algorithm>

#include "aitqe/base/hash.h"
#include "aitqe/quality/policy.h"
#include "aitqe/report/hints.h"
#include "base64.h"
#include "embedded_html.h"
#include "report_json.h"

namespace aitqe {
namespace {

/// What the page's parts may take up, so that it stays below 5 MB: base64 of thumbnails, and the
/// gallery's texts as JSON. What is left is numbers, and the lists cut below.
constexpr std::size_t kMostThumbnailBytes = 2'600'000;
constexpr std::size_t kMostTextBytes = 1'400'000;
constexpr std::size_t kMostListed = 200;

Json scores_object(const Scores& scores) {
  Json json = Json::object();
  for (std::size_t i = 0; i < kNumScoreFields; ++i) {
    const auto field = static_cast<ScoreField>(i);
    if (scores.at(field) >= 0.0) json[std::string(score_field_name(field))] = scores.at(field);
  }
  return json;
}

Json pair_object(const GalleryPair& pair) {
  const ReportRow& row = pair.row;
  return {
      {"shard", row.shard},
      {"key", row.key},
      {"decision", decision_name(row.decision)},
      {"reason", row.reason},
      {"failure", row.failure.stage.empty() ? "" : row.failure.stage + ": " + row.failure.reason},
      {"caption", row.caption},
      {"caption_out", row.caption_out},
      {"recaption", row.recaption},
      {"score", pair.score},
      {"score_recaption", row.score_recaption},
      {"p_rewrite", row.p_rewrite},
      {"scores", scores_object(row.scores)},
      {"size", {row.image.width, row.image.height}},
      {"url", row.url}};
}

/// As many pairs from the front of the sample as the page has room for.
Json gallery_array(const Gallery& gallery) {
  Json pairs = Json::array();
  std::size_t text_bytes = 0;
  std::size_t thumbnail_bytes = 0;
  for (const GalleryPair* pair : gallery.pairs()) {
    Json json = pair_object(*pair);
    text_bytes += json.dump(-1, ' ', false, Json::error_handler_t::replace).size();
    if (text_bytes > kMostTextBytes) break;
    std::string image = to_base64(pair->thumbnail_jpeg);
    const bool has_room = thumbnail_bytes + image.size() <= kMostThumbnailBytes;
    if (has_room) thumbnail_bytes += image.size();
    json["jpeg"] = has_room ? std::move(image) : "";
    pairs.push_back(std::move(json));
  }
  return pairs;
}

/// Cuts a list that grows with the run, and says how long it was.
void shorten(Json& parent, const char* list, const char* count) {
  parent[count] = parent[list].size();
  while (parent[list].size() > kMostListed) parent[list].erase(parent[list].size() - 1);
}

Json reason_texts() {
  Json json = Json::object();
  for (const VerdictReason& reason : verdict_reasons())
    json[std::string(reason.code)] = reason.text;
  return json;
}

Json hint_texts() {
  Json json = Json::object();
  for (const Hint& hint : hints()) {
    json[std::string(hint.code)] = std::string(hint.what) + ": " + std::string(hint.advice);
  }
  return json;
}

/// JSON that cannot end the script element it stands in, nor open another.
std::string page_data(const RunReport& report) {
  Json data = report_object(report);
  shorten(data["shards"], "missing", "num_missing");
  shorten(data, "problems", "num_problems");
  shorten(data["summary"], "damage", "num_damage");
  data["reason_texts"] = reason_texts();
  data["hint_texts"] = hint_texts();
  data["gallery"] = gallery_array(report.gallery);
  const std::string json = data.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string safe;
  safe.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      safe += "\\u003c";
    } else if (c == '>') {
      safe += "\\u003e";
    } else if (c == '&') {
      safe += "\\u0026";
    } else {
      safe += c;
    }
  }
  return safe;
}

/// `'sha256-...'` of an inline script or style: the policy lets only these run.
std::string policy_hash(std::string_view text) {
  const std::string hex = sha256_hex(text);
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return "'sha256-" + to_base64(bytes) + "'";
}

}  // namespace

std::string report_to_html(const RunReport& report) {
  const std::pair<std::string_view, std::string> parts[] = {
      {"{{style}}", std::string(kReportCss)},
      {"{{script}}", std::string(kReportJs)},
      {"{{style-hash}}", policy_hash(kReportCss)},
      {"{{script-hash}}", policy_hash(kReportJs)},
      {"{{data}}", page_data(report)},
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

}  // namespace aitqe
