#include "page_data.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "aitqe/quality/policy.h"
#include "aitqe/report/hints.h"
#include "aitqe/text/unicode.h"
#include "base64.h"
#include "cells.h"
#include "report_json.h"

namespace aitqe {
namespace {

// What the parts may take up, in bytes as they stand in the page.
constexpr std::size_t kMostThumbnailBytes = 2'600'000;
constexpr std::size_t kMostGalleryTextBytes = 1'400'000;
constexpr std::size_t kMostCommandBytes = 20'000;
constexpr std::size_t kMostConfigBytes = 200'000;
/// Any other text: a name, a detail. Those of the gallery were cut before they were escaped.
constexpr std::size_t kMostTextBytes = 1'000;
constexpr std::size_t kMostPairTextBytes = 6'100;

constexpr std::size_t kMostListed = 200;
constexpr std::size_t kMostFolders = 20;
constexpr std::size_t kMostReasons = 200;

constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

/// Of a byte, as part of a JSON text in the page.
std::size_t bytes_in_page(char c) {
  constexpr std::size_t kByNumber = 6;  // \u003c
  if (c == '<' || c == '>' || c == '&') return kByNumber;
  if (c == '"' || c == '\\') return 2;
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 ? kByNumber : 1;
}

std::size_t bytes_in_page(std::string_view text) {
  std::size_t bytes = 0;
  for (const char c : text) bytes += bytes_in_page(c);
  return bytes;
}

/// Cuts between characters.
std::string cut_text(std::string text, std::size_t most_bytes) {
  if (text.size() * 6 <= most_bytes) return text;
  text = repair_utf8(text);
  std::size_t end = 0;
  for (std::size_t bytes = 0; end < text.size(); ++end) {
    bytes += bytes_in_page(text[end]);
    if (bytes > most_bytes) break;
  }
  if (end == text.size()) return text;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end).append(kEllipsis);
}

/// Cuts every text of `json`, wherever it stands; names of an object's fields are left alone.
void cut_texts(Json& json, std::size_t most_bytes) {
  if (json.is_string()) {
    json = cut_text(json.get<std::string>(), most_bytes);
  } else if (json.is_structured()) {
    for (Json& part : json) cut_texts(part, most_bytes);
  }
}

std::string in_page(const Json& json) {
  return script_safe(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

/// Cuts a list that grows with the run, and says how long it was.
void shorten(Json& parent, const char* list, const char* count, std::size_t most = kMostListed) {
  parent[count] = parent[list].size();
  Json& entries = parent[list];
  if (entries.size() > most)
    entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(most), entries.end());
}

/// The most frequent ones; the others are counted together.
void shorten_counts(Json& counts) {
  std::vector<std::pair<std::string, std::int64_t>> sorted;
  for (const auto& [name, count] : counts.items()) {
    sorted.emplace_back(cut_text(name, kMostTextBytes), count.get<std::int64_t>());
  }
  const auto is_more = [](const auto& a, const auto& b) { return a.second > b.second; };
  if (sorted.size() > kMostReasons) std::stable_sort(sorted.begin(), sorted.end(), is_more);
  Json kept = Json::object();
  std::int64_t others = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto& [name, count] = sorted[i];
    if (i >= kMostReasons) {
      others += count;
    } else {
      kept[name] = kept.value(name, std::int64_t{0}) + count;
    }
  }
  if (others > 0) {
    const auto num_others = static_cast<std::int64_t>(sorted.size() - kMostReasons);
    kept[std::string(kEllipsis) + " and " + grouped(num_others) + " more"] = others;
  }
  counts = std::move(kept);
}

/// In whole where it has room, else the first options.
Json shortened_config(const Json& config) {
  Json kept = Json::object();
  std::size_t bytes = 0;
  for (const auto& [name, value] : config.items()) {
    Json field = Json::object();
    field[name] = value;
    cut_texts(field, kMostCommandBytes);
    bytes += in_page(field).size();
    if (bytes > kMostConfigBytes) break;
    kept.update(field);
  }
  return kept;
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

/// All but the gallery.
Json frame(const RunReport& report) {
  Json data = report_object(report);
  const std::string command = shortened_command(report.run.command, kMostCommandBytes);
  const Json config = shortened_config(data["config"]);
  data["command"] = "";
  data["config"] = Json::object();
  shorten(data, "folders", "num_folders", kMostFolders);
  shorten(data["shards"], "missing", "num_missing");
  shorten(data, "problems", "num_problems");
  shorten(data["summary"], "damage", "num_damage");
  shorten_counts(data["summary"]["reasons"]);
  shorten_counts(data["summary"]["failures"]);
  cut_texts(data, kMostTextBytes);
  data["command"] = command;
  data["config"] = config;
  data["reason_texts"] = reason_texts();
  data["hint_texts"] = hint_texts();
  return data;
}

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
  Json json = {
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
      {"url", row.url},
      {"jpeg", ""}};
  cut_texts(json, kMostPairTextBytes);
  return json;
}

/// As many pairs from the front of the sample as have room, with commas between them. A picture
/// that has none is left out before its pair is.
std::string gallery_entries(const Gallery& gallery, std::size_t most_bytes) {
  std::string entries;
  std::size_t text_bytes = 0;
  std::size_t thumbnail_bytes = 0;
  for (const GalleryPair* pair : gallery.pairs()) {
    Json json = pair_object(*pair);
    std::string entry = (entries.empty() ? "" : ",") + in_page(json);
    text_bytes += entry.size();
    if (text_bytes > kMostGalleryTextBytes || entries.size() + entry.size() > most_bytes) break;
    std::string image = to_base64(pair->thumbnail_jpeg);  // nothing of it is escaped
    if (thumbnail_bytes + image.size() <= kMostThumbnailBytes &&
        entries.size() + entry.size() + image.size() <= most_bytes) {
      thumbnail_bytes += image.size();
      entry.insert(entry.size() - std::string_view("\"}").size(), image);
    }
    entries += entry;
  }
  return entries;
}

/// Arguments of a command as a shell reads them, each with the space before it.
std::vector<std::string_view> split_command(std::string_view command) {
  std::vector<std::string_view> arguments;
  std::size_t start = 0;
  bool is_quoted = false;
  for (std::size_t i = 0; i < command.size(); ++i) {
    if (command[i] == '\\' && !is_quoted) {
      ++i;
    } else if (command[i] == '\'') {
      is_quoted = !is_quoted;
    } else if (command[i] == ' ' && !is_quoted) {
      arguments.push_back(command.substr(start, i - start));
      start = i;
    }
  }
  arguments.push_back(command.substr(start));
  return arguments;
}

}  // namespace

std::string script_safe(std::string_view json) {
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

std::string shortened_command(const std::string& command, std::size_t most_bytes) {
  if (bytes_in_page(command) <= most_bytes) return command;
  const auto arguments = split_command(command);
  const auto fitting = [&](auto from, auto to) {
    std::size_t bytes = 0;
    return std::find_if(from, to, [&](std::string_view argument) {
      bytes += bytes_in_page(argument);
      return bytes > most_bytes / 2;
    });
  };
  const auto front_end = fitting(arguments.begin(), arguments.end());
  const auto back_begin = fitting(arguments.rbegin(), std::reverse_iterator(front_end)).base();
  std::string kept;
  for (auto part = arguments.begin(); part != front_end; ++part) kept += *part;
  kept += " " + std::string(kEllipsis) + " and " + grouped(back_begin - front_end) + " more " +
          std::string(kEllipsis);
  for (auto part = back_begin; part != arguments.end(); ++part) kept += *part;
  return kept;
}

std::string page_data(const RunReport& report, std::size_t most_bytes) {
  constexpr std::string_view kEnd = "]}";
  std::string data = in_page(frame(report));
  data.pop_back();  // of the object
  data += ",\"gallery\":[";
  const std::size_t taken = data.size() + kEnd.size();
  data += gallery_entries(report.gallery, most_bytes - std::min(most_bytes, taken));
  return data.append(kEnd);
}

}  // namespace aitqe
