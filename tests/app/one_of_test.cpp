#include "app/one_of.h"

#include <gtest/gtest.h>

namespace aitqe::app {
namespace {

TEST(OneOf, TakesItsWordsAndNothingElse) {
  const CLI::Validator shell = one_of({"bash", "zsh", "fish"});
  for (std::string word : {"bash", "zsh", "fish"}) EXPECT_EQ(shell(word), "");
  for (std::string word : {"", "BASH", "bash,zsh"}) EXPECT_NE(shell(word), "") << word;
}

TEST(OneOf, SaysWhatIsAllowedAndWhatIsNear) {
  std::string far = "powershell", near = "bsh";
  const CLI::Validator shell = one_of({"bash", "zsh", "fish"});
  EXPECT_EQ(shell(far), "\"powershell\": expected bash, zsh or fish");
  EXPECT_EQ(shell(near), "\"bsh\": expected bash, zsh or fish; did you mean bash?");
}

TEST(OneOf, HelpListsTheWords) {
  EXPECT_EQ(one_of({"text", "json"}).get_description(), "{text,json}");
}

}  // namespace
}  // namespace aitqe::app
