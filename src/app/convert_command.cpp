#include <CLI/CLI.hpp>
#include <cstdio>

#include "aitqe/base/error.h"
#include "aitqe/convert/llava.h"
#include "aitqe/convert/merge.h"
#include "command.h"
#include "one_of.h"

namespace aitqe::app {

namespace {

class ConvertCommand : public Command {
 public:
  std::string name() const override { return "convert"; }
  std::string summary() const override {
    return "Put a base and what was trained on top of it together, or export a model";
  }
  std::string examples() const override {
    return "  aitqe convert my-model/adapter --base models/aitqe-tiny -o merged\n"
           "  aitqe convert adapter --base llama-like-model.gguf -o merged\n"
           "  aitqe convert my-model --to llava -o my-model-llava\n";
  }

  void add_options(CLI::App& app) override {
    app.add_option("input", input_, "An adapter (folder with adapter.json), or a whole model")
        ->type_name("DIR");
    app.add_option("--to", to_,
                   "aitqe: a whole model out of an adapter and its base; llava: a whole model in "
                   "the layout of transformers' LlavaForConditionalGeneration")
        ->type_name("LAYOUT")
        ->check(one_of({kAitqe, kLlava}))
        ->capture_default_str();
    app.add_option("--base", base_, "What the adapter stands on: a GGUF file or a model folder")
        ->type_name("BASE");
    app.add_option("--vision-model", vision_model_,
                   "With --to llava: folder of the vision tower's config.json, when it is neither "
                   "beside the model nor known")
        ->type_name("DIR");
    app.add_option("-o,--output", output_, "Folder for what is written")->type_name("DIR");
  }

  int run() override {
    need(input_, "adapter or model");
    if (to_ == kLlava) {
      export_to_llava();
    } else {
      merge();
    }
    std::printf("the whole model is in %s\n", output_.c_str());
    return 0;
  }

 private:
  static constexpr const char* kAitqe = "aitqe";
  static constexpr const char* kLlava = "llava";

  static void need(const std::string& given, const char* what) {
    if (!given.empty()) return;
    throw Error(ErrorCategory::Usage,
                std::string("no ") + what + " given (see `aitqe convert --help`)");
  }

  static void need_none(const std::string& given, const char* option, const char* layout) {
    if (given.empty()) return;
    throw Error(ErrorCategory::Usage, std::string(option) + " says nothing with --to " + layout +
                                          " (see `aitqe convert --help`)");
  }

  void merge() const {
    need(base_, "base (--base)");
    need_none(vision_model_, "--vision-model", kAitqe);
    need(output_, "output folder (-o)");
    merge_adapter({input_, base_, output_});
  }

  void export_to_llava() const {
    need_none(base_, "--base", kLlava);
    need(output_, "output folder (-o)");
    LlavaOptions options{input_, {}, output_};
    if (!vision_model_.empty()) options.vision_folder = vision_model_;
    export_llava(options);
  }

  std::string input_;
  std::string to_ = kAitqe;
  std::string base_;
  std::string vision_model_;
  std::string output_;
};

}  // namespace

std::unique_ptr<Command> make_convert_command() { return std::make_unique<ConvertCommand>(); }

}  // namespace aitqe::app
