#include <CLI/CLI.hpp>
#include <cstdio>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/io/output_folder.h"
#include "aitqe/io/sink.h"
#include "aitqe/report/report.h"
#include "command.h"
#include "progress_line.h"
#include "share.h"
#include "terminal.h"

namespace aitqe::app {

namespace {

class ReportCommand : public Command {
 public:
  std::string name() const override { return "report"; }
  std::string summary() const override {
    return "Prove that a run is complete, from its files alone, and show what it did";
  }
  std::string examples() const override {
    return "  aitqe report out\n"
           "  aitqe report task-0 task-1 --html job.html\n"
           "  aitqe report out --json --no-html\n"
           "  aitqe report out --filter-below 4.5\n";
  }

  void add_options(CLI::App& app) override {
    app.add_option("folder", folders_,
                   "Output folders of `aitqe enhance` or `score`, on disk or s3://BUCKET/PREFIX; "
                   "several are parts of one job")
        ->type_name("DIR");
    app.add_option("--html", html_, "Where the page goes; default: report.html in the first DIR")
        ->type_name("FILE");
    app.add_flag("--no-html", no_html_, "Write no page");
    app.add_flag("--no-images", no_images_, "No pictures on the page");
    app.add_option("--seed", options_.seed, "Another seed shows other pairs on the page")
        ->type_name("N");
    app.add_option("--filter-below", options_.filter_below,
                   "Show also what leaving out all pairs with a score below K would do to words, "
                   "names, sources and scripts")
        ->type_name("K")
        ->check(CLI::Range(1.0, 10.0));
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
    for (const std::string& folder : folders_) {
      options_.folders.push_back(OutputFolder::open(folder));
    }
    options_.max_failed_percent = 100 * parse_share(max_failed_, "--max-failed");
    if (!max_repeated_.empty()) {
      options_.drift_limits.repeated_percent = 100 * parse_share(max_repeated_, "--max-repeated");
    }
    options_.with_images = !no_images_ && !no_html_;
    const RunReport report = make();
    write_sizes(report);
    if (!no_html_) write_page(report);
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

  void write_page(const RunReport& report) const {
    constexpr const char* kPage = "report.html";
    const OutputFolder& first = options_.folders.front();
    if (html_.empty()) {
      first.write(kPage, report_to_html(report));
    } else {
      write_atomically(html_, report_to_html(report));
    }
    log_info("the same with charts and examples: " +
             (html_.empty() ? first.name_of(kPage) : html_));
  }

  /// open_clip counts on it, so none is left of a folder that is no longer complete.
  static void write_sizes(const RunReport& report) {
    const bool is_complete = report.problems.empty();
    constexpr const char* kSizes = "sizes.json";
    for (std::size_t i = 0; i < report.folders.size(); ++i) {
      const OutputFolder& folder = report.folders[i];
      if (is_complete && !report.sizes[i].empty()) {
        folder.write(kSizes, sizes_to_json(report, i));
      } else if (!is_complete && folder.size_bytes(kSizes)) {
        folder.remove(kSizes);
        log_warning(folder.name_of(kSizes) + ": removed, the folder is not complete");
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
