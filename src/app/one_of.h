#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace aitqe::app {

/// One of the words; help and completions list them. Another one is refused with all that are
/// allowed and the nearest of them: `"bf15": expected auto, f32 or bf16; did you mean bf16?`
CLI::Validator one_of(const std::vector<std::string>& words);

}  // namespace aitqe::app
