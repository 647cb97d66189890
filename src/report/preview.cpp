#include "aitqe/report/preview.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "cells.h"
#include "preview_json.h"
#include "report_text.h"
#include "summary_json.h"

namespace aitqe {
namespace {

constexpr std::size_t kCaptionWidth = 66;
constexpr std::size_t kPreviewCountWidth = 13;
constexpr double kUnknown = -1.0;

/// The score that the rule compared.
double decisive_score(const ReportRow& row) {
  return row.score_forced >= 0 ? row.score_forced : row.score_expected;
}

/// The less, the nearer a rewritten pair is to being kept: rules by score replace the captions of
/// low scores, and a model that decides for itself those where it is surest.
double distance_from_border(const ReportRow& row, const RewriteRule& rule) {
  if (rule.kind == RewriteRule::Kind::Model) return row.p_rewrite;
  return -decisive_score(row);
}

Json share_object(const DecisionEstimate& decision, bool is_random) {
  return {{"pairs", decision.pairs},
          {"share", decision.of_all.share},
          {"low", is_random ? decision.of_all.low : kUnknown},
          {"high", is_random ? decision.of_all.high : kUnknown}};
}

std::string headline(const PreviewScope& scope, std::int64_t judged) {
  std::string text = label("preview") + grouped(judged) + " of " + grouped(scope.pairs_in_input) +
                     (scope.pairs_in_input == 1 ? " pair judged" : " pairs judged");
  return text + (scope.is_random ? ", drawn at random from every shard\n"
                                 : ", the first ones of some shards; --sample draws at random\n");
}

std::string decision_line(const DecisionEstimate& decision, const PreviewScope& scope,
                          std::int64_t judged) {
  std::string text = label(std::string("  ") + decision.name) +
                     right(grouped(decision.pairs), kPreviewCountWidth) +
                     share(decision.pairs, judged);
  if (!scope.is_random || judged == 0) return text + "\n";
  const auto of_all = [&](double part) {
    return grouped(std::llround(part * static_cast<double>(scope.pairs_in_input)));
  };
  return text + "   of all " + of_all(decision.of_all.low) + " to " + of_all(decision.of_all.high) +
         " (" + fixed(100 * decision.of_all.low, 1) + " to " +
         fixed(100 * decision.of_all.high, 1) + " %)\n";
}

std::string caption_cell(const std::string& caption) {
  return name_cell(caption, std::min(caption.size(), kCaptionWidth));
}

std::string border_lines(const Preview& preview) {
  std::string text;
  for (const ReportRow& row : preview.border) {
    if (text.empty()) text = "rewritten, those first that were nearly kept:\n";
    const double score = decisive_score(row);
    text += label("  " + (score >= 0 ? fixed(score, 2) : std::string("-"))) +
            caption_cell(row.caption) + "\n" + label("       ->") + caption_cell(row.caption_out) +
            "\n";
  }
  return text;
}

}  // namespace

PreviewBuilder::PreviewBuilder(PreviewOptions options) : options_(std::move(options)) {
  report_.run = options_.run;
}

void PreviewBuilder::add(const ReportRow& row, const Sample& sample) {
  report_.summary.add(row);
  report_.tallies.add(row);
  GalleryPair* shown = report_.gallery.add(row);
  if (shown != nullptr && options_.with_images) add_thumbnail(sample, *shown);
  if (row.decision == Decision::Rewrite) keep_at_border(row);
}

void PreviewBuilder::keep_at_border(const ReportRow& row) {
  border_.emplace(std::tuple(distance_from_border(row, options_.rule), row.shard, row.index), row);
  if (border_.size() > options_.most_border) border_.erase(std::prev(border_.end()));
}

Preview PreviewBuilder::finish(const PreviewScope& scope, const std::vector<ShardDamage>& damage) {
  Preview preview;
  for (const ShardDamage& place : damage) report_.summary.add_damage(place);
  report_.shards_done = std::ssize(report_.tallies.by_shard);
  report_.shards_expected = std::ssize(options_.run.shards);
  report_.preview = scope;
  preview.report = std::move(report_);
  for (auto& [distance, row] : border_) preview.border.push_back(std::move(row));
  return preview;
}

std::array<DecisionEstimate, 3> estimate_decisions(const RunReport& report) {
  const Summary& summary = report.summary;
  const auto estimate = [&](const char* name, std::int64_t pairs) {
    return DecisionEstimate{name, pairs,
                            estimate_share(pairs, summary.read, report.preview->pairs_in_input)};
  };
  return {estimate("kept", summary.kept), estimate("rewritten", summary.rewritten),
          estimate("failed", summary.failed)};
}

Json preview_object(const RunReport& report) {
  const PreviewScope& scope = *report.preview;
  Json json = {{"random", scope.is_random},
               {"sample", scope.rate},
               {"seed", scope.seed},
               {"pairs_in_input", scope.pairs_in_input},
               {"pairs", report.summary.read}};
  for (const DecisionEstimate& decision : estimate_decisions(report)) {
    json[decision.name] = share_object(decision, scope.is_random);
  }
  return json;
}

std::string preview_to_json(const Preview& preview) {
  Json json = preview_object(preview.report);
  json["summary"] = summary_object(preview.report.summary);
  json["border"] = Json::array();
  for (const ReportRow& row : preview.border) {
    json["border"].push_back({{"shard", row.shard},
                              {"key", row.key},
                              {"score", decisive_score(row)},
                              {"p_rewrite", row.p_rewrite},
                              {"caption", row.caption},
                              {"caption_out", row.caption_out}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string render_preview(const Preview& preview, const TerminalStyle& style) {
  const RunReport& report = preview.report;
  std::string text = headline(*report.preview, report.summary.read);
  for (const DecisionEstimate& decision : estimate_decisions(report)) {
    text += decision_line(decision, *report.preview, report.summary.read);
  }
  return text + histograms(report, style) + failures(report.summary) + border_lines(preview);
}

}  // namespace aitqe
