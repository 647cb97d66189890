#include <CLI/CLI.hpp>
#include <cstdio>

#include "aitqe/base/error.h"
#include "aitqe/io/output_folder.h"
#include "aitqe/report/status.h"
#include "command.h"
#include "one_of.h"

namespace aitqe::app {

namespace {

class StatusCommand : public Command {
 public:
  std::string name() const override { return "status"; }
  std::string summary() const override {
    return "What of a run is done, in progress, missing or failed, from its output folder alone";
  }
  std::string examples() const override {
    return "  aitqe status out\n"
           "  sbatch -a \"$(aitqe status out --format slurm)\" job.sh\n";
  }

  void add_options(CLI::App& app) override {
    app.add_option("folder", folder_,
                   "Output folder of `aitqe enhance` or `score`, on disk or s3://BUCKET/PREFIX")
        ->type_name("DIR");
    app.add_option("--format", format_,
                   "text, json, or slurm: the tasks of missing shards as 1,3-5")
        ->type_name("FORMAT")
        ->check(one_of({"text", "json", "slurm"}))
        ->capture_default_str();
    app.add_flag("--json", json_, "The same as --format json");
  }

  int run() override {
    if (folder_.empty()) {
      throw Error(ErrorCategory::Usage, "no output folder given (see `aitqe status --help`)");
    }
    const std::string text = text_of(read_status(OutputFolder::open(folder_)));
    std::fwrite(text.data(), 1, text.size(), stdout);
    return 0;
  }

 private:
  std::string text_of(const RunStatus& status) const {
    if (json_ || format_ == "json") return status_to_json(status);
    if (format_ == "text") return render_status(status);
    const std::string indexes = slurm_indexes(status);
    return indexes.empty() ? "" : indexes + "\n";
  }

  std::string folder_;
  std::string format_ = "text";
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_status_command() { return std::make_unique<StatusCommand>(); }

}  // namespace aitqe::app
