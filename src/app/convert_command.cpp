#include <CLI/CLI.hpp>
#include <cstdio>

#include "aitqe/base/error.h"
#include "aitqe/convert/merge.h"
#include "command.h"

namespace aitqe::app {

namespace {

class ConvertCommand : public Command {
 public:
  std::string name() const override { return "convert"; }
  std::string summary() const override {
    return "Put a base model and what was trained on top of it together";
  }
  std::string examples() const override {
    return "  aitqe convert my-model/adapter --base models/aitqe-tiny -o merged\n"
           "  aitqe convert adapter --base llama-like-model.gguf -o merged\n";
  }

  void add_options(CLI::App& app) override {
    app.add_option("adapter", adapter_, "Folder with adapter.json: what was trained")
        ->type_name("DIR");
    app.add_option("--base", base_, "What it stands on: a GGUF file or a model folder")
        ->type_name("BASE");
    app.add_option("-o,--output", output_, "Folder for the whole model")->type_name("DIR");
  }

  int run() override {
    const auto need = [](const std::string& given, const char* what) {
      if (given.empty()) {
        throw Error(ErrorCategory::Usage,
                    std::string("no ") + what + " given (see `aitqe convert --help`)");
      }
    };
    need(adapter_, "adapter");
    need(base_, "base (--base)");
    need(output_, "output folder (-o)");
    merge_adapter({adapter_, base_, output_});
    std::printf("the whole model is in %s\n", output_.c_str());
    return 0;
  }

 private:
  std::string adapter_;
  std::string base_;
  std::string output_;
};

}  // namespace

std::unique_ptr<Command> make_convert_command() { return std::make_unique<ConvertCommand>(); }

}  // namespace aitqe::app
