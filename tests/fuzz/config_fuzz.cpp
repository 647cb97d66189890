// Any bytes as a configuration file: options are set, or an error of usage names the file.
#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/base/error.h"
#include "app/config_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CLI::App command("", "enhance");
  int batch_tokens = 1;
  double stall_timeout_s = 0;
  std::string rule;
  std::vector<std::string> inputs;
  bool full = false;
  command.add_option("--batch-tokens", batch_tokens)->check(CLI::PositiveNumber);
  command.add_option("--stall-timeout", stall_timeout_s);
  command.add_option("--rewrite-when", rule);
  command.add_option("input", inputs);
  command.add_flag("--full", full);
  try {
    aitqe::app::apply_config_text(text, "c.toml", command, {"enhance", "score"});
    if (batch_tokens < 1) std::abort();
  } catch (const aitqe::Error& error) {
    if (error.category() != aitqe::ErrorCategory::Usage) std::abort();
    if (!std::string_view(error.what()).starts_with("c.toml")) std::abort();
  }
  return 0;
}
