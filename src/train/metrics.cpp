#include "metrics.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/io/sink.h"

namespace aitqe {

namespace {

std::string to_row(const StepMetrics& metrics) {
  nlohmann::ordered_json json = {{"stage", metrics.stage},
                                 {"step", metrics.step},
                                 {"loss", metrics.loss},
                                 {"ranking", metrics.ranking},
                                 {"total", metrics.total},
                                 {"rate", metrics.rate},
                                 {"gradient_norm", metrics.gradient_norm}};
  if (metrics.validation) json["validation"] = *metrics.validation;
  return json.dump() + "\n";
}

StepMetrics from_row(const std::string& line) {
  const nlohmann::json json = nlohmann::json::parse(line);
  StepMetrics metrics = {json.at("stage").get<std::string>(),
                         json.at("step").get<std::int64_t>(),
                         json.at("loss").get<double>(),
                         json.at("ranking").get<double>(),
                         json.at("total").get<double>(),
                         json.at("rate").get<double>(),
                         json.at("gradient_norm").get<double>(),
                         /*validation=*/{}};
  if (json.contains("validation")) metrics.validation = json.at("validation").get<double>();
  return metrics;
}

}  // namespace

MetricsFile::MetricsFile(const std::filesystem::path& path, std::int64_t rows_to_keep)
    : path_(path) {
  std::ifstream earlier(path);
  std::string line;
  while (std::ssize(rows_) < rows_to_keep && std::getline(earlier, line)) {
    rows_.push_back(from_row(line));
  }
  earlier.close();
  std::string kept;
  for (const StepMetrics& row : rows_) kept += to_row(row);
  write_atomically(path, kept);
  file_.open(path, std::ios::app);
}

void MetricsFile::add(const StepMetrics& metrics) {
  rows_.push_back(metrics);
  if (!(file_ << to_row(metrics) << std::flush)) {
    throw Error(ErrorCategory::Output, path_.string() + ": cannot be written");
  }
}

std::string loss_plot(const std::vector<StepMetrics>& rows) {
  constexpr double kWidth = 900;
  constexpr double kHeight = 400;
  constexpr double kMargin = 50;
  constexpr double kSmoothing = 0.95;  // of the running mean
  double highest = 0;
  for (const StepMetrics& row : rows) {
    highest = std::max({highest, row.total, row.validation.value_or(0)});
  }
  const double scale_x =
      (kWidth - 2 * kMargin) / std::max<double>(1, static_cast<double>(rows.size()) - 1);
  const double scale_y = (kHeight - 2 * kMargin) / std::max(1e-9, highest);
  std::string svg = formatted(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" font-family=\"sans-serif\" "
      "font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
      "<path d=\"M%g %gV%gH%g\" stroke=\"black\" fill=\"none\"/>\n"
      "<text x=\"%g\" y=\"%g\" text-anchor=\"end\">%.3g</text>\n"
      "<text x=\"%g\" y=\"%g\" text-anchor=\"end\">0</text>\n"
      "<text x=\"%g\" y=\"%g\" text-anchor=\"middle\">step</text>\n",
      kWidth, kHeight, kMargin, kMargin, kHeight - kMargin, kWidth - kMargin, kMargin - 5,
      kMargin + 4, highest, kMargin - 5, kHeight - kMargin + 4, kWidth / 2, kHeight - 12);
  const std::vector<const char*> colours = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b"};
  std::size_t stage = 0;
  for (std::size_t begin = 0; begin < rows.size(); ++stage) {
    std::string points;
    std::string dots;
    double mean = rows[begin].total;
    std::size_t end = begin;
    for (; end < rows.size() && rows[end].stage == rows[begin].stage; ++end) {
      mean = kSmoothing * mean + (1 - kSmoothing) * rows[end].total;
      const double x = kMargin + static_cast<double>(end) * scale_x;
      points += formatted("%.1f,%.1f ", x, kHeight - kMargin - mean * scale_y);
      if (rows[end].validation) {
        dots += formatted("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", x,
                          kHeight - kMargin - *rows[end].validation * scale_y);
      }
    }
    const char* colour = colours[stage % colours.size()];
    svg += formatted("<polyline points=\"%s\" stroke=\"%s\" fill=\"none\" stroke-width=\"1.5\"/>\n",
                     points.c_str(), colour);
    if (!dots.empty()) svg += formatted("<g fill=\"%s\">%s</g>\n", colour, dots.c_str());
    svg += formatted("<text x=\"%.1f\" y=\"%g\" fill=\"%s\">stage %zu</text>\n",
                     kMargin + static_cast<double>(begin) * scale_x + 5, kMargin - 8, colour,
                     stage + 1);
    begin = end;
  }
  return svg + "</svg>\n";
}

}  // namespace aitqe
