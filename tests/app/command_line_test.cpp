#include "app/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

namespace aitqe::app {
namespace {

using ::testing::HasSubstr;

class Fake : public Command {
 public:
  std::string name() const override { return "enhance"; }
  std::string summary() const override { return "Does it"; }
  std::string examples() const override { return "  aitqe enhance x.tar\n"; }
  void add_options(CLI::App& app) override { app.add_option("--batch-tokens", batch_tokens); }
  int run() override { return 0; }
  int batch_tokens = 0;
};

class CommandLineTest : public ::testing::Test {
 protected:
  CommandLineTest() {
    auto command = std::make_unique<Fake>();
    fake_ = command.get();
    commands_.push_back(std::move(command));
  }

  Command* parse(std::vector<std::string> words) {
    std::vector<char*> argv;
    words.insert(words.begin(), "aitqe");
    for (std::string& word : words) argv.push_back(word.data());
    CommandLine line(commands_);
    ::testing::internal::CaptureStderr();
    ::testing::internal::CaptureStdout();
    Command* chosen = line.parse(static_cast<int>(argv.size()), argv.data());
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
    exit_code_ = line.exit_code();
    return chosen;
  }

  std::vector<std::unique_ptr<Command>> commands_;
  Fake* fake_;
  std::string out_, err_;
  int exit_code_ = 0;
};

TEST_F(CommandLineTest, ChoosesTheCommandAndSetsItsOptions) {
  EXPECT_EQ(parse({"enhance", "--batch-tokens", "5"}), fake_);
  EXPECT_EQ(fake_->batch_tokens, 5);
}

TEST_F(CommandLineTest, TakesVariablesThatFlagsBeat) {
  setenv("AITQE_BATCH_TOKENS", "9", 1);
  EXPECT_EQ(parse({"enhance"}), fake_);
  EXPECT_EQ(fake_->batch_tokens, 9);
  parse({"enhance", "--batch-tokens", "5"});
  EXPECT_EQ(fake_->batch_tokens, 5);
  unsetenv("AITQE_BATCH_TOKENS");
}

TEST_F(CommandLineTest, NamesTheNearestOptionAndCommand) {
  EXPECT_EQ(parse({"enhance", "--batch-token=5"}), nullptr);
  EXPECT_EQ(exit_code_, 2);
  EXPECT_THAT(err_, HasSubstr("unknown option --batch-token; did you mean --batch-tokens?"));
  EXPECT_EQ(parse({"enhence"}), nullptr);
  EXPECT_EQ(exit_code_, 2);
  EXPECT_THAT(err_, HasSubstr("did you mean enhance?"));
}

TEST_F(CommandLineTest, ShowsHelpWithExamplesOnStdout) {
  EXPECT_EQ(parse({"enhance", "--help"}), nullptr);
  EXPECT_EQ(exit_code_, 0);
  EXPECT_THAT(out_, HasSubstr("aitqe enhance x.tar"));
  EXPECT_EQ(parse({"--version"}), nullptr);
  EXPECT_THAT(out_, HasSubstr("aitqe "));
}

}  // namespace
}  // namespace aitqe::app
