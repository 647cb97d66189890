#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "aitqe/report/summary.h"
#include "aitqe/text/unicode.h"

namespace aitqe {
namespace {

Summary full_summary() {
  Summary summary;
  summary.read = 1234567;
  summary.kept = 1000000;
  summary.rewritten = 234000;
  summary.failed = 567;
  summary.scored = 1234000;
  summary.score_sum_millionths = 7404000000000;
  summary.score_histogram = {1000, 0, 200000, 1, 5, 433000, 300000, 200000, 99994, 0};
  summary.words_before = 2340000;
  summary.words_after = 4680000;
  summary.captions_missing = 12;
  summary.captions_with_special_tokens = 3;
  summary.captions_suspect = 4;
  summary.failures = {{"answer: answer_cut", 60},
                      {"decode: truncated_jpeg", 500},
                      {"decode: unsupported", 5},
                      {"answer: answer_unreadable", 2}};
  summary.add_damage({"00012.tar", "truncated_input", 276, 3});
  summary.add_damage({"00013.tar", "truncated_input", 1000, 0});
  summary.add_damage({"00014.tar", "data_after_end_marker", 512, 0});
  return summary;
}

TEST(RenderText, IsAlignedAndSaysTheNumbers) {
  EXPECT_EQ(render_text(full_summary()),
            "pairs             1,234,567\n"
            "  kept            1,000,000   81.0 %\n"
            "  rewritten         234,000   19.0 %\n"
            "  failed                567    0.0 %\n"
            "scored            1,234,000  100.0 %   mean 6.00\n"
            "   1                  1,000    0.1 %  #\n"
            "   2                      0    0.0 %\n"
            "   3                200,000   16.2 %  ###################\n"
            "   4                      1    0.0 %  #\n"
            "   5                      5    0.0 %  #\n"
            "   6                433,000   35.1 %  ########################################\n"
            "   7                300,000   24.3 %  ############################\n"
            "   8                200,000   16.2 %  ###################\n"
            "   9                 99,994    8.1 %  ##########\n"
            "  10                      0    0.0 %\n"
            "words per rewritten caption: 10.0 before, 20.0 after\n"
            "captions: 12 missing, 3 with special tokens, 4 suspect of injection\n"
            "failures, 3 of 4 kinds:\n"
            "  decode: truncated_jpeg                              500\n"
            "  answer: answer_cut                                   60\n"
            "  decode: unsupported                                   5\n"
            "damaged input: 3 places, 1,788 bytes, 3 pairs lost\n"
            "  00012.tar truncated_input                           276 bytes        3 pairs\n"
            "  00013.tar truncated_input                         1,000 bytes        0 pairs\n");
}

TEST(RenderText, FitsAScreen) {
  Summary summary = full_summary();
  summary.add_damage(
      {std::string(300, 'x'), "é\xFF\x1b[31m" + std::string(300, 'y'), 1234567890123, 123456789});
  summary.failures["\xE4\xB8\xAD" + std::string(45, 'z') + "\n"] = 999999999999;
  std::istringstream lines(render_text(summary));
  int num_lines = 0;
  for (std::string line; std::getline(lines, line); ++num_lines) {
    EXPECT_LE(line.size(), 82u) << line;
    EXPECT_TRUE(is_valid_utf8(line));
    EXPECT_TRUE(std::none_of(line.begin(), line.end(), [](char c) { return c >= 0 && c < ' '; }));
  }
  EXPECT_LE(num_lines, 24);
}

TEST(RenderText, IsShortWhenThereIsNothingToSay) {
  EXPECT_EQ(render_text(Summary()),
            "pairs                     0\n"
            "  kept                    0\n"
            "  rewritten               0\n"
            "  failed                  0\n");
}

}  // namespace
}  // namespace aitqe
