#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/contrast/contrast.h"
#include "command.h"

namespace aitqe::app {

namespace {

std::string render(const ContrastResult& result) {
  std::string text = formatted("%ld pairs read, %ld training samples written\n", result.pairs_read,
                               result.samples_written);
  for (const auto& [flaw, count] : result.by_flaw) {
    text += formatted("  bad: %-24s %9ld\n", flaw.c_str(), count);
  }
  return text + result.skipped.render("  skipped: ");
}

void warn(const std::vector<std::string>& unusable_rows) {
  constexpr std::size_t kMostShown = 10;
  for (std::size_t i = 0; i < std::min(kMostShown, unusable_rows.size()); ++i) {
    log_warning(unusable_rows[i]);
  }
  if (unusable_rows.size() <= kMostShown) return;
  log_warning(formatted("and %zu more rows of the teacher that cannot be used",
                        unusable_rows.size() - kMostShown));
}

class ContrastCommand : public Command {
 public:
  std::string name() const override { return "contrast"; }
  std::string summary() const override {
    return "Make training shards of captioned ones: each pair once good and once bad on purpose";
  }
  std::string examples() const override {
    return "  aitqe contrast 'captioned/{00000..00009}.tar' -o training\n"
           "  aitqe contrast captioned -o training --flaws all,-shuffled --rounds 3\n"
           "  aitqe contrast captioned -o training --teacher annotations.jsonl\n";
  }

  void add_options(CLI::App& app) override {
    app.add_option("input", inputs_, "Captioned shards: files, folders, globs, braces, @list.txt")
        ->type_name("INPUT");
    app.add_option("-o,--output", output_, "Folder for the training shards")->type_name("DIR");
    app.add_option("--caption-from", caption_from_, "Where captions are: txt or json:FIELD")
        ->type_name("SOURCE");
    app.add_option("--flaws", flaws_,
                   "How captions are made bad: all, names, -name, name=WEIGHT, in one list")
        ->type_name("LIST");
    app.add_option("--rounds", options_.num_rounds, "Times that every pair is taken")
        ->type_name("N")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_option("--seed", options_.seed, "Another seed makes other flaws")->type_name("N");
    app.add_option("--teacher", teacher_,
                   "JSON lines with another judge's scores and recaptions, by key")
        ->type_name("FILE");
    app.add_flag("--json", json_, "Print the counts as JSON");
  }

  int run() override {
    if (inputs_.empty()) {
      throw Error(ErrorCategory::Usage, "no input given (see `aitqe contrast --help`)");
    }
    if (output_.empty()) throw Error(ErrorCategory::Usage, "no output folder given (-o DIR)");
    options_.flaws = flaws_.empty() ? FlawMix() : FlawMix::parse(flaws_);
    options_.caption_source = CaptionSource::parse(caption_from_);
    options_.output_folder = output_;
    if (!teacher_.empty()) options_.teacher_file = teacher_;
    options_.shards = expand_inputs(inputs_);
    const ContrastResult result = contrast(options_);
    warn(result.unusable_teacher_rows);
    const std::string text = json_ ? result.to_json() + "\n" : render(result);
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (result.samples_written > 0) return 0;
    log_error("no pair gave a training sample");
    return exit_code(ErrorCategory::NoInput);
  }

 private:
  std::vector<std::string> inputs_;
  std::string output_;
  std::string caption_from_ = "txt";
  std::string flaws_;
  std::string teacher_;
  bool json_ = false;
  ContrastOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_contrast_command() { return std::make_unique<ContrastCommand>(); }

}  // namespace aitqe::app
