#include "quality/python_json.h"

#include <gtest/gtest.h>

#include <string>

namespace aitqe {
namespace {

// Both lists: CPython 3.11's json.loads.
TEST(PythonJsonLoads, TakesWhatPythonTakes) {
  for (const std::string_view text : {"1",
                                      "-0",
                                      "1.5",
                                      "1e5",
                                      "-1.5E-3",
                                      "1e400",
                                      R"("a")",
                                      R"("\ud800")",
                                      "{}",
                                      "{ }",
                                      "[]",
                                      "[1,2]",
                                      R"({"a":1})",
                                      R"({"a":[{"b":[]},null]})",
                                      "null",
                                      "true",
                                      "NaN",
                                      "Infinity",
                                      "-Infinity",
                                      " 1 ",
                                      "\n[ ]\r",
                                      "[[[]]]",
                                      "\"\x7f\"",
                                      "\"é\"",
                                      R"("\u00e9\/")",
                                      R"({"a":1 , "b" : 2})",
                                      "[0.0e-0]",
                                      "[true,false,NaN]"}) {
    EXPECT_TRUE(python_json_loads(text)) << text;
  }
}

TEST(PythonJsonLoads, RefusesWhatPythonRefuses) {
  for (const std::string_view text :
       {"",        "-",         "01",         "1.",     ".5",    "1e",         "1e+",   "\"a",
        "[1,]",    R"("\u12")", R"("\x")",    "\"\t\"", "[1 2]", "{\"a\":1,}", "{a:1}", "{'a':1}",
        "{\"a\"}", "{\"a\":}",  "nul",        "True",   "-NaN",  "+1",         "1 1",   "\uFEFF1",
        "[}",      "{]",        "\u00A01",    "[1.]",   "[-]",   "0x1",        "1_0",   "\"a\\",
        "[,1]",    "-01",       "{\"a\":1}}", "\f1",    "[",     "{"}) {
    EXPECT_FALSE(python_json_loads(text)) << text;
  }
}

TEST(PythonJsonLoads, HasPythonsLimits) {
  EXPECT_TRUE(python_json_loads(std::string(4300, '9')));
  EXPECT_FALSE(python_json_loads(std::string(4301, '9')));
  EXPECT_TRUE(python_json_loads("1." + std::string(5000, '9')));
  EXPECT_TRUE(python_json_loads(std::string(900, '[') + std::string(900, ']')));
  EXPECT_FALSE(python_json_loads(std::string(1200, '[') + std::string(1200, ']')));
  EXPECT_FALSE(python_json_loads(std::string(std::size_t{1} << 20, '[')));
}

}  // namespace
}  // namespace aitqe
