#include "metrics_text.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "aitqe/base/log.h"
#include "aitqe/text/unicode.h"

namespace aitqe::app {

namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;
using Clock = std::chrono::system_clock;

std::string escaped(const std::string& value) {
  std::string text;
  for (const char c : repair_utf8(value)) {
    if (c == '\n') {
      text += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') text += '\\';
    text += c;
  }
  return text;
}

double seconds_of(Clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

/// Writes metrics one after the other, each with the labels of the process.
class Writer {
 public:
  explicit Writer(Labels common) : common_(std::move(common)) {}

  /// What follows are values of this metric.
  void begin(const std::string& name, const char* type, const char* help) {
    name_ = name;
    text_ += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
  }

  void value(const Labels& labels, const std::string& number) {
    text_ += name_ + "{";
    bool is_first = true;
    for (const Labels* some : {&common_, &labels}) {
      for (const auto& [name, value] : *some) {
        text_ += (is_first ? "" : ",") + name + "=\"" + escaped(value) + "\"";
        is_first = false;
      }
    }
    text_ += "} " + number + "\n";
  }
  void count(const Labels& labels, std::int64_t number) { value(labels, std::to_string(number)); }
  void real(const Labels& labels, double number) { value(labels, formatted("%.6f", number)); }

  std::string take() { return std::move(text_); }

 private:
  const Labels common_;
  std::string name_;
  std::string text_;
};

void write_pairs(Writer& writer, const Progress& progress) {
  const std::int64_t rewritten = progress.rewritten;
  const std::int64_t failed = progress.failed;
  // Counted before the others: never negative, whatever is counted meanwhile.
  const std::int64_t kept = std::max<std::int64_t>(0, progress.pairs - rewritten - failed);
  writer.begin("aitqe_pairs_total", "counter", "Pairs written, by what became of their caption.");
  writer.count({{"decision", "keep"}}, kept);
  writer.count({{"decision", "rewrite"}}, rewritten);
  writer.count({{"decision", "failed"}}, failed);
  writer.begin("aitqe_failures_total", "counter", "Failed pairs, by stage and reason.");
  for (const auto& [kind, count] : progress.failures.all()) {
    const std::size_t colon = std::min(kind.find(": "), kind.size());
    const std::string reason = colon < kind.size() ? kind.substr(colon + 2) : "";
    writer.count({{"stage", kind.substr(0, colon)}, {"reason", reason}}, count);
  }
  writer.begin("aitqe_injection_suspects_total", "counter",
               "Pairs whose caption may speak to the judge.");
  writer.count({}, progress.suspects);
}

void write_work(Writer& writer, const Progress& progress) {
  const Activity& activity = progress.activity;
  writer.begin("aitqe_input_bytes_total", "counter", "Bytes read of input shards, as stored.");
  writer.count({}, activity.bytes_read());
  writer.begin("aitqe_stage_seconds_total", "counter",
               "Time spent in a stage, added up over its threads.");
  for (std::size_t i = 0; i < kNumStages; ++i) {
    const auto stage = static_cast<RunStage>(i);
    writer.real({{"stage", std::string(stage_name(stage))}}, activity.seconds(stage));
  }
  writer.begin("aitqe_shards", "gauge", "Shards that this process has to do.");
  writer.count({}, progress.num_shards);
  writer.begin("aitqe_shards_done", "gauge", "Those that are in place, by earlier runs too.");
  writer.count({}, progress.shards_done);
  const auto total = static_cast<double>(progress.work_total);
  writer.begin("aitqe_done_ratio", "gauge", "Share of this run's work that is done, 0 to 1.");
  writer.real({}, total > 0 ? static_cast<double>(progress.work_done) / total : 0.0);
}

void write_times(Writer& writer, const Progress& progress, const MetricsTimes& times) {
  const double elapsed_s = std::chrono::duration<double>(times.now - times.start).count();
  writer.begin("aitqe_pairs_per_second", "gauge", "Pairs written a second since the start.");
  writer.real({}, elapsed_s > 0 ? static_cast<double>(progress.pairs) / elapsed_s : 0.0);
  writer.begin("aitqe_start_time_seconds", "gauge", "When the process began, Unix time.");
  writer.real({}, seconds_of(times.start));
  writer.begin("aitqe_last_progress_timestamp_seconds", "gauge",
               "When anything last moved on, Unix time.");
  writer.real({}, seconds_of(progress.activity.last_end()));
  writer.begin("aitqe_stalled", "gauge", "1 once --stall-timeout has ended the run.");
  writer.count({}, progress.has_stalled ? 1 : 0);
  writer.begin("aitqe_running", "gauge", "1 while the process runs.");
  writer.count({}, times.exit_code ? 0 : 1);
  if (!times.exit_code) return;
  writer.begin("aitqe_exit_code", "gauge", "Exit status, once the process has ended.");
  writer.count({}, *times.exit_code);
}

}  // namespace

std::string metrics_text(const Progress& progress, const MetricsLabels& labels,
                         const MetricsTimes& times) {
  Writer writer({{"output", labels.output}, {"task", std::to_string(labels.task)}});
  write_pairs(writer, progress);
  write_work(writer, progress);
  write_times(writer, progress, times);
  return writer.take();
}

}  // namespace aitqe::app
