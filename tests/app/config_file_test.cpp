#include "app/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace aitqe::app {
namespace {

using aitqe::test::message_of;
using ::testing::AllOf;
using ::testing::HasSubstr;

class ConfigFileTest : public ::testing::Test {
 protected:
  ConfigFileTest() {
    sub_->add_option("--batch-tokens", batch_tokens_);
    sub_->add_option("--rule", rule_);
    sub_->add_option("input", inputs_);
    sub_->add_flag("--full", full_);
  }

  void parse(const std::string& line, const std::string& toml) {
    app_.parse(line);
    folder_.write("c.toml", toml);
    apply_config_file((folder_.path() / "c.toml").string(), *sub_, {"enhance", "score"});
  }

  aitqe::test::TemporaryFolder folder_;
  CLI::App app_;
  CLI::App* sub_ = app_.add_subcommand("enhance");
  int batch_tokens_ = 0;
  std::string rule_;
  std::vector<std::string> inputs_;
  bool full_ = false;
};

TEST_F(ConfigFileTest, SetsWhatTheCommandLineDidNot) {
  parse("enhance --rule a",
        "batch_tokens = 7\nrule = 'b'\nfull = true\ninput = ['x.tar', '{0..9}.tar']\n");
  EXPECT_EQ(batch_tokens_, 7);
  EXPECT_EQ(rule_, "a");
  EXPECT_TRUE(full_);
  EXPECT_EQ(inputs_, (std::vector<std::string>{"x.tar", "{0..9}.tar"}));
}

TEST_F(ConfigFileTest, ReadsTheTableOfItsCommandAndPassesOverOthers) {
  parse("enhance", "[enhance]\nbatch-tokens = 3\n[score]\nanything = 1\n");
  EXPECT_EQ(batch_tokens_, 3);
}

TEST_F(ConfigFileTest, NamesTheFileTheKeyAndTheNearestKey) {
  EXPECT_THAT(
      message_of([&] { parse("enhance", "batch_token = 7\n"); }),
      AllOf(HasSubstr("c.toml"), HasSubstr("unknown key"), HasSubstr("did you mean batch-tokens")));
  EXPECT_THAT(message_of([&] { parse("enhance", "[enhence]\n"); }), HasSubstr("no such command"));
  EXPECT_THAT(message_of([&] { parse("enhance", "batch_tokens = 'many'\n"); }),
              HasSubstr("batch_tokens"));
  EXPECT_THAT(message_of([&] { parse("enhance", "a = \n"); }), HasSubstr("line 1"));
}

TEST_F(ConfigFileTest, AnEmptyListIsAMistakeForEveryOption) {
  for (const std::string toml : {"full = []\n", "input = []\n", "batch_tokens = [[]]\n"}) {
    SCOPED_TRACE(toml);
    const std::string key = toml.substr(0, toml.find(' '));
    EXPECT_THAT(message_of([&] { parse("enhance", toml); }),
                AllOf(HasSubstr("c.toml: " + key), HasSubstr("the list is empty")));
  }
}

}  // namespace
}  // namespace aitqe::app
