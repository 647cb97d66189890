#include "aitqe/report/hints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "aitqe/data/sample.h"
#include "aitqe/io/loss_log.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string content_of(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

TEST(Hints, AreTheTableOfTheDocumentation) {
  const std::string document = content_of(AITQE_SOURCE_DIR "/docs/formats.md");
  const std::size_t begin = document.find("\n## Failures and damage");
  ASSERT_NE(begin, std::string::npos);
  const std::string section = document.substr(begin, document.find("\n## ", begin + 1) - begin);
  std::string table;
  std::set<std::string_view> codes;
  for (const Hint& hint : hints()) {
    EXPECT_TRUE(codes.insert(hint.code).second) << hint.code;
    table += "| `" + std::string(hint.code) + "` | " + std::string(hint.what) + " | " +
             std::string(hint.advice) + " |\n";
  }
  EXPECT_THAT(section, HasSubstr(table));
}

TEST(Hints, KnowEveryCodeThatCanFailAPair) {
  const std::regex code(R"rx(SampleError\(\s*(?:std::string\()?"([a-z_]+): )rx");
  int num_found = 0;
  // The modules that a run goes through; others fail trials and lessons.
  for (const char* module : {"data", "image", "quality", "pipeline", "engine"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(AITQE_SOURCE_DIR) / "src" / module)) {
      if (entry.path().extension() != ".cpp") continue;
      const std::string source = content_of(entry.path());
      for (std::sregex_iterator match(source.begin(), source.end(), code), end; match != end;
           ++match) {
        ++num_found;
        if ((*match)[1] == "thumbnail") continue;  // costs a page its picture, and no pair anything
        EXPECT_NE(find_hint((*match)[1].str()), nullptr) << (*match)[1] << " in " << entry.path();
      }
    }
  }
  EXPECT_GT(num_found, 30);
  for (const char* answer : {"answer_unreadable", "answer_cut"}) {
    EXPECT_NE(find_hint(answer), nullptr) << answer;
  }
}

TEST(Hints, KnowEveryProblemOfASampleAndEveryDamage) {
  for (int i = 0; i <= static_cast<int>(DamageKind::SourceFailed); ++i) {
    EXPECT_NE(find_hint(to_string(static_cast<DamageKind>(i))), nullptr) << i;
  }
  for (int i = 0; i <= static_cast<int>(SampleProblem::SplitSample); ++i) {
    EXPECT_NE(find_hint(to_string(static_cast<SampleProblem>(i))), nullptr) << i;
  }
  EXPECT_EQ(find_hint("other"), nullptr);
}

TEST(ProblemLines, NameTheMostFrequentFirstWithWhatToDo) {
  Summary summary;
  summary.failures = {
      {"image: truncated_image", 1200}, {"image: no_image", 1}, {"new: unheard", 7}};
  summary.add_damage({"00001", "truncated_input", 10, 1});
  summary.add_damage({"00002", "truncated_input", 10, 1});
  EXPECT_THAT(
      problem_lines(summary, 3),
      testing::ElementsAre(
          "1,200 pairs failed, image: truncated_image: the image ends early -> fetch it again",
          "7 pairs failed, new: unheard",
          "2 places damaged, truncated_input: the tar ends early -> fetch or write the shard again",
          "and 1 more kind; `aitqe report` and --json list all"));
  EXPECT_THAT(problem_lines(summary, 4).back(),
              HasSubstr("1 pair failed, image: no_image: the sample has no image -> "));
}

TEST(ProblemLines, AreNoneWhenAllIsWell) { EXPECT_TRUE(problem_lines(Summary(), 5).empty()); }

}  // namespace
}  // namespace aitqe
