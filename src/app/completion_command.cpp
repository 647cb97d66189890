#include <cstdio>
#include <string>

#include "aitqe/base/version.h"
#include "command.h"
#include "command_line.h"
#include "completion.h"
#include "man_page.h"
#include "one_of.h"

namespace aitqe::app {

namespace {

int print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

class CompletionCommand : public Command {
 public:
  std::string name() const override { return "completion"; }
  std::string summary() const override {
    return "Print a script that lets a shell complete aitqe's commands and options";
  }
  std::string examples() const override {
    return "  aitqe completion bash > ~/.local/share/bash-completion/completions/aitqe\n"
           "  aitqe completion zsh > \"${fpath[1]}/_aitqe\"\n"
           "  aitqe completion fish > ~/.config/fish/completions/aitqe.fish\n"
           "  . <(aitqe completion bash)\n";
  }

  void add_options(CLI::App& app) override {
    app.add_option("shell", shell_, "bash, zsh or fish")
        ->type_name("SHELL")
        ->required()
        ->check(one_of({"bash", "zsh", "fish"}));
  }

  bool takes_config_file() const override { return false; }

  int run() override {
    const auto commands = make_commands();
    const CommandLine line(commands);
    const auto definition = read_definition(line.definition());
    if (shell_ == "bash") return print(bash_completion(definition));
    return print(shell_ == "zsh" ? zsh_completion(definition) : fish_completion(definition));
  }

 private:
  std::string shell_;
};

class ManCommand : public Command {
 public:
  std::string name() const override { return "man"; }
  std::string summary() const override { return "Print the manual page"; }
  std::string examples() const override {
    return "  aitqe man | man -l -\n"
           "  aitqe man > /usr/local/share/man/man1/aitqe.1\n";
  }
  void add_options(CLI::App&) override {}
  bool takes_config_file() const override { return false; }

  int run() override {
    const auto commands = make_commands();
    const CommandLine line(commands);
    return print(man_page(read_definition(line.definition()), std::string(kVersion)));
  }
};

}  // namespace

std::unique_ptr<Command> make_completion_command() { return std::make_unique<CompletionCommand>(); }
std::unique_ptr<Command> make_man_command() { return std::make_unique<ManCommand>(); }

}  // namespace aitqe::app
