#include "app/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/definition.h"
#include "app/man_page.h"

namespace aitqe::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class DefinitionTest : public ::testing::Test {
 protected:
  DefinitionTest() {
    CLI::App* sub = app_.add_subcommand("judge", "Judge it: all [of] it");
    sub->add_option("input", inputs_, "What")->type_name("INPUT");
    sub->add_option("-o,--output", output_, "Where")->type_name("DIR");
    sub->add_option("--kind", kind_, "It's a 'kind'")
        ->type_name("KIND")
        ->check(CLI::IsMember({"this", "that"}))
        ->envname("JUDGE_KIND")
        ->capture_default_str();
    sub->add_flag("--full", full_, "All of it");
    sub->footer("Examples:\n  aitqe judge x\n  'a \\ b'\n");
  }

  std::vector<CommandDefinition> read() const { return read_definition(app_); }
  OptionDefinition option(const std::string& name) const {
    const std::vector<CommandDefinition> commands = read();
    for (const OptionDefinition& one : commands.front().options) {
      if (one.name == name) return one;
    }
    return {};
  }

  CLI::App app_;
  std::vector<std::string> inputs_;
  std::string output_;
  std::string kind_ = "this";
  bool full_ = false;
};

TEST_F(DefinitionTest, HoldsWhatHelpShows) {
  EXPECT_EQ(read().front().name, "judge");
  EXPECT_EQ(read().front().examples, "  aitqe judge x\n  'a \\ b'\n");
  EXPECT_TRUE(option("input").is_positional);
  EXPECT_TRUE(option("input").takes_several);
  EXPECT_TRUE(option("input").takes_file());
  EXPECT_EQ(option("--output").short_name, "-o");
  EXPECT_TRUE(option("--output").takes_folder_only());
  EXPECT_THAT(option("--kind").choices, ElementsAre("this", "that"));
  EXPECT_EQ(option("--kind").value, "KIND");
  EXPECT_EQ(option("--kind").default_value, "this");
  EXPECT_EQ(option("--kind").variable, "JUDGE_KIND");
  EXPECT_FALSE(option("--kind").takes_file());
  EXPECT_TRUE(option("--full").is_flag());
  EXPECT_THAT(option("--full").choices, IsEmpty());
  EXPECT_EQ(option("--help").short_name, "-h");
}

TEST_F(DefinitionTest, CompletionsQuoteWhatShellsWouldRead) {
  EXPECT_THAT(bash_completion(read()), HasSubstr("'judge --kind') mapfile"));
  EXPECT_THAT(zsh_completion(read()), HasSubstr("'judge:Judge it\\: all [of] it'"));
  EXPECT_THAT(zsh_completion(read()),
              HasSubstr("'--kind=[It'\\''s a '\\''kind'\\'']:KIND:(this that)'"));
  EXPECT_THAT(zsh_completion(read()),
              HasSubstr("'(-o --output)'{-o,--output=}'[Where]:DIR:_files -/'"));
  EXPECT_THAT(fish_completion(read()),
              HasSubstr("-l kind -x -a 'this that' -d 'It'\\''s a '\\''kind'\\'''"));
}

TEST_F(DefinitionTest, ManPageTakesNothingForARequest) {
  const std::string page = man_page(read(), "1.2.3");
  EXPECT_THAT(page, HasSubstr(".TH AITQE 1 \"20"));
  EXPECT_THAT(page, HasSubstr("\"aitqe 1.2.3\""));
  EXPECT_THAT(page, HasSubstr("\\fB\\-o\\fR, \\fB\\-\\-output\\fR \\fIDIR\\fR\n"));
  EXPECT_THAT(page, HasSubstr("(one of: this that) [default: this]"));
  EXPECT_THAT(page, HasSubstr("'a \\e b'"));
  EXPECT_THAT(page, Not(HasSubstr("\n'")));
}

}  // namespace
}  // namespace aitqe::app
