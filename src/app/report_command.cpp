#include <CLI/CLI.hpp>
#include <cstdio>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/io/sink.h"
#include "aitqe/report/report.h"
#include "command.h"
#include "progress_line.h"
#include "share.h"
#include "terminal.h"

namespace aitqe::app {

namespace {

namespace fs = std::filesystem;

class ReportCommand : public Command {
 public:
  std::string name() const override { return "report"; }
  std::string summary() const override {
    return "Prove that a run is complete, from its files alone, and show what it did";
  }
  std::string examples() const override {
    return "  aitqe report out\n"
           "  aitqe report task-0 task-1 --html job.html\n"
           "  aitqe report out --json --no-html\n";
  }

  void add_options(CLI::App& app) override {
    app.add_option("folder", folders_,
                   "Output folders of `aitqe enhance` or `score`; several are parts of one job")
        ->type_name("DIR");
    app.add_option("--html", html_, "Where the page goes; default: report.html in the first DIR")
        ->type_name("FILE");
    app.add_flag("--no-html", no_html_, "Write no page");
    app.add_flag("--no-images", no_images_, "No pictures on the page");
    app.add_option("--seed", options_.seed, "Another seed shows other pairs on the page")
        ->type_name("N");
    app.add_option("--max-failed", max_failed_, "Exit with 3 when a larger share of pairs fails")
        ->type_name("P%")
        ->capture_default_str();
    app.add_option("--max-divergence", options_.drift_limits.divergence_bits,
                   "Exit with 3 when the words of all captions are further than this from those "
                   "before: Jensen-Shannon divergence, 0 to 1")
        ->type_name("BITS")
        ->check(CLI::Range(0.0, 1.0));
    app.add_option("--max-repeated", max_repeated_,
                   "Exit with 3 when more of the new captions have the very text of another one")
        ->type_name("P%");
    app.add_flag("--json", json_, "Print JSON");
  }

  int run() override {
    if (folders_.empty()) {
      throw Error(ErrorCategory::Usage, "no output folder given (see `aitqe report --help`)");
    }
    options_.folders.assign(folders_.begin(), folders_.end());
    options_.max_failed_percent = 100 * parse_share(max_failed_, "--max-failed");
    if (!max_repeated_.empty()) {
      options_.drift_limits.repeated_percent = 100 * parse_share(max_repeated_, "--max-repeated");
    }
    options_.with_images = !no_images_ && !no_html_;
    const RunReport report = make();
    write_sizes(report);
    if (!no_html_) {
      const fs::path page =
          html_.empty() ? options_.folders.front() / "report.html" : fs::path(html_);
      write_atomically(page, report_to_html(report));
      log_info("the same with charts and examples: " + page.string());
    }
    const std::string text =
        json_ ? report_to_json(report) : render_report(report, terminal_style());
    std::fwrite(text.data(), 1, text.size(), stdout);
    const auto category = report.outcome();
    return category ? exit_code(*category) : 0;
  }

 private:
  RunReport make() const {
    ReportProgress progress;
    const ProgressLine line(
        [&progress](double elapsed_s) {
          return formatted(
              "shard %ld/%ld  %ld pairs  %.0f s", static_cast<long>(progress.shards_done),
              static_cast<long>(progress.num_shards), static_cast<long>(progress.pairs), elapsed_s);
        },
        !log_shows_information());
    return make_report(options_, progress);
  }

  /// open_clip counts on it, so none is left of a folder that is no longer complete.
  static void write_sizes(const RunReport& report) {
    const bool is_complete = report.problems.empty();
    for (std::size_t i = 0; i < report.folders.size(); ++i) {
      const fs::path path = report.folders[i] / "sizes.json";
      std::error_code ignored;
      if (is_complete && !report.sizes[i].empty()) {
        write_atomically(path, sizes_to_json(report, i));
      } else if (!is_complete && fs::remove(path, ignored)) {
        log_warning(path.string() + ": removed, the folder is not complete");
      }
    }
  }

  std::vector<std::string> folders_;
  std::string html_;
  bool no_html_ = false;
  bool no_images_ = false;
  std::string max_failed_ = "1%";
  std::string max_repeated_;
  bool json_ = false;
  ReportOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_report_command() { return std::make_unique<ReportCommand>(); }

}  // namespace aitqe::app
