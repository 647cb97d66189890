#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/io/sink.h"
#include "aitqe/select/patch.h"
#include "aitqe/select/resharder.h"
#include "aitqe/select/restore.h"
#include "aitqe/select/select_rows.h"
#include "aitqe/select/uid_list.h"
#include "command.h"
#include "share.h"

namespace aitqe::app {

namespace {

/// Data to stdout. @throws Error(Output) when nobody takes it.
void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size()) return;
  throw Error(ErrorCategory::Output, "standard output: cannot be written");
}

/// `SHARD<TAB>KEY`, one line a row.
class KeyList : public RowSink {
 public:
  void add(const SelectedRow& selected) override {
    print(escaped(selected.row.shard) + "\t" + escaped(selected.row.key) + "\n");
  }
  void finish() override { std::fflush(stdout); }

 private:
  // Keys come out of tars and may hold anything.
  static std::string escaped(const std::string& text) {
    std::string line;
    for (const char c : text) {
      if (c == '\\') line += "\\\\";
      if (c == '\t') line += "\\t";
      if (c == '\n') line += "\\n";
      if (c != '\\' && c != '\t' && c != '\n') line += c;
    }
    return line;
  }
};

/// The rows as they stand in NAME.aitqe.jsonl.
class RowList : public RowSink {
 public:
  void add(const SelectedRow& selected) override { print(std::string(selected.line) + "\n"); }
  void finish() override { std::fflush(stdout); }
};

class SelectCommand : public Command {
 public:
  std::string name() const override { return "select"; }
  std::string summary() const override {
    return "Take a part of a finished run: keys, rows, uids, shards, new captions or the old ones";
  }
  std::string examples() const override {
    return "  aitqe select out --worst 10%\n"
           "  aitqe select out --where 'decision == \"rewrite\" and score_expected < 3' --json\n"
           "  aitqe select out --best 30% --npy subset.npy\n"
           "  aitqe select out --best 30% --shards best\n"
           "  aitqe select out --patch new-captions\n"
           "  aitqe select out --restore as-before\n";
  }

  void add_options(CLI::App& app) override {
    app.add_option("run", folders_, "Output folders of `aitqe enhance` or `aitqe score`")
        ->type_name("DIR");
    add_choice_options(app);
    add_output_options(app);
  }

  int run() override {
    if (folders_.empty()) {
      throw Error(ErrorCategory::Usage, "no folder of a run given (see `aitqe select --help`)");
    }
    complete_options();
    const std::vector<FinishedShard> shards = finished_shards({folders_.begin(), folders_.end()});
    if (!restore_.empty()) return restore(shards);
    const std::vector<std::unique_ptr<RowSink>> sinks = make_sinks();
    std::vector<RowSink*> all;
    for (const auto& sink : sinks) all.push_back(sink.get());
    tell(select_rows(shards, options_, all), shards.size());
    return 0;
  }

 private:
  void add_choice_options(CLI::App& app) {
    app.add_option("--where", where_,
                   "Only rows for which this is true, e.g. 'score_expected < 4 and reason == "
                   "\"model_keeps\"'")
        ->type_name("EXPRESSION")
        ->group("Choice");
    CLI::Option* worst = app.add_option("--worst", worst_, "Of those the worst P% or N")
                             ->type_name("P%|N")
                             ->group("Choice");
    app.add_option("--best", best_, "Of those the best P% or N")
        ->type_name("P%|N")
        ->group("Choice")
        ->excludes(worst);
    app.add_option("--by", score_column_, "Which column says what is worst and best")
        ->type_name("COLUMN")
        ->group("Choice")
        ->capture_default_str();
    app.add_option("--seed", options_.seed, "Another seed breaks ties another way")
        ->type_name("N")
        ->group("Choice");
  }

  void add_output_options(CLI::App& app) {
    app.add_flag("--json", json_, "Print the rows and not just the keys")->group("Output");
    app.add_option("--npy", npy_, "Write the uids as DataComp's tools read them")
        ->type_name("FILE")
        ->group("Output");
    app.add_option("--shards", reshard_.folder, "Write new tars of the selected samples")
        ->type_name("DIR")
        ->group("Output");
    app.add_option("--pairs-per-shard", reshard_.pairs_per_shard, "Samples in one of those tars")
        ->type_name("N")
        ->check(CLI::PositiveNumber)
        ->group("Output")
        ->capture_default_str();
    app.add_option("--patch", patch_, "Write the new captions alone, a small file for each shard")
        ->type_name("DIR")
        ->group("Output");
    app.add_option("--restore", restore_, "Write the shards with their original captions")
        ->type_name("DIR")
        ->group("Output");
  }

  void complete_options() {
    if (!where_.empty()) options_.where = RowFilter::parse(where_);
    options_.score_column = &find_score_column(score_column_);
    if (!worst_.empty()) set_amount(SelectOptions::Take::Worst, worst_, "--worst");
    if (!best_.empty()) set_amount(SelectOptions::Take::Best, best_, "--best");
    const bool selects = !where_.empty() || !worst_.empty() || !best_.empty();
    const bool writes = json_ || !npy_.empty() || !reshard_.folder.empty() || !patch_.empty();
    if (!restore_.empty() && (selects || writes)) {
      throw Error(ErrorCategory::Usage,
                  "--restore puts back whole shards; it goes with no other option of select");
    }
    for (const std::string& folder : folders_) {
      require_on_disk(folder, "aitqe select");
      if (!reshard_.folder.empty()) require_other_folder(folder, reshard_.folder, "--shards");
      if (!patch_.empty()) require_other_folder(folder, patch_, "--patch");
      if (!restore_.empty()) require_other_folder(folder, restore_, "--restore");
    }
  }

  void set_amount(SelectOptions::Take take, const std::string& text, const char* option) {
    options_.take = take;
    if (text.ends_with('%')) {
      options_.percent = 100 * parse_share(text, option);
      return;
    }
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, options_.count);
    if (error != std::errc() || stop != end || options_.count < 0) {
      throw Error(ErrorCategory::Usage, std::string(option) + " " + text +
                                            ": expected a share, e.g. 10%, or a number of rows");
    }
  }

  std::vector<std::unique_ptr<RowSink>> make_sinks() const {
    std::vector<std::unique_ptr<RowSink>> sinks;
    if (!npy_.empty()) sinks.push_back(std::make_unique<UidList>(npy_));
    if (!reshard_.folder.empty()) sinks.push_back(std::make_unique<Resharder>(reshard_));
    if (!patch_.empty()) sinks.push_back(std::make_unique<PatchWriter>(patch_));
    if (json_) {
      sinks.push_back(std::make_unique<RowList>());
    } else if (sinks.empty()) {
      sinks.push_back(std::make_unique<KeyList>());
    }
    return sinks;
  }

  void tell(const SelectCounts& counts, std::size_t num_shards) const {
    std::string ranked;
    if (options_.take != SelectOptions::Take::All) {
      ranked = formatted(", %ld of them with %s", counts.scored, score_column_.c_str());
    }
    log_info(formatted("%ld of %ld rows of %zu shard%s selected; %ld match%s", counts.selected,
                       counts.read, num_shards, num_shards == 1 ? "" : "s", counts.matching,
                       ranked.c_str()));
    if (options_.take != SelectOptions::Take::All && options_.percent < 0 &&
        counts.selected < options_.count) {
      log_warning(
          formatted("%ld rows were asked for, there are %ld", options_.count, counts.selected));
    }
  }

  int restore(const std::vector<FinishedShard>& shards) const {
    const std::int64_t count = restore_captions(shards, restore_);
    log_info(formatted("%ld captions put back in %zu shard%s, in %s", count, shards.size(),
                       shards.size() == 1 ? "" : "s", restore_.c_str()));
    return 0;
  }

  std::vector<std::string> folders_;
  std::string where_;
  std::string worst_;
  std::string best_;
  std::string score_column_ = "score_expected";
  std::string npy_;
  std::string patch_;
  std::string restore_;
  bool json_ = false;
  ReshardOptions reshard_;
  SelectOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_select_command() { return std::make_unique<SelectCommand>(); }

}  // namespace aitqe::app
