#include "app/typed_command.h"

#include <gtest/gtest.h>

namespace aitqe::app {
namespace {

class TypedCommandTest : public testing::Test {
 protected:
  TypedCommandTest() {
    sub_ = app_.add_subcommand("enhance");
    sub_->add_option("input", inputs_);
    sub_->add_option("-o,--output", output_);
    sub_->add_option("--limit", limit_);
    sub_->add_flag("--full", full_);
  }

  std::string command(const std::string& line) {
    app_.parse(line);
    return typed_command(*sub_);
  }

  CLI::App app_;
  CLI::App* sub_ = nullptr;
  std::vector<std::string> inputs_;
  std::string output_;
  int limit_ = 0;
  bool full_ = false;
};

TEST_F(TypedCommandTest, IsALineForAShell) {
  EXPECT_EQ(command("enhance 'in/*.tar' b.tar -o out --full --limit 5"),
            "aitqe enhance 'in/*.tar' b.tar --output out --limit 5 --full");
}

TEST_F(TypedCommandTest, LeavesOutWhatMayBeAKey) {
  EXPECT_EQ(command("enhance https://me:key@host/a.tar?signature=1 -o out"),
            "aitqe enhance https://host/a.tar --output out");
  EXPECT_EQ(typed_command(*sub_).find("key"), std::string::npos);
}

TEST_F(TypedCommandTest, LeavesOutWhatMayBeAKeyInACommand) {
  EXPECT_EQ(
      command("enhance \"pipe:curl 'https://me:key@host/a.tar?X-Amz-Signature=key' # a.tar\""),
      "aitqe enhance 'pipe:curl '\\''https://host/a.tar'\\'' # a.tar'");
}

TEST_F(TypedCommandTest, QuotesQuotes) {
  EXPECT_EQ(command("enhance \"it's.tar\""), "aitqe enhance 'it'\\''s.tar'");
}

}  // namespace
}  // namespace aitqe::app
