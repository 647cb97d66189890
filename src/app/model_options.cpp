#include "model_options.h"

#include <CLI/CLI.hpp>
#include <sstream>
#include <string>
#include <string_view>

#include "one_of.h"

namespace aitqe::app {

namespace {

bool is_a_device(const std::string& text) {
  constexpr std::string_view kNumbered = "cuda:";
  const bool is_numbered =
      text.size() > kNumbered.size() && text.starts_with(kNumbered) &&
      text.find_first_not_of("0123456789", kNumbered.size()) == std::string::npos;
  return is_numbered || text == "auto" || text == "cpu" || text == "cuda";
}

std::string names_a_device(const std::string& text) {
  return is_a_device(text) ? "" : "\"" + text + "\": expected auto, cpu, cuda or cuda:N";
}

std::string names_devices(const std::string& text) {
  std::istringstream list(text);
  bool is_known = !text.empty() && !text.ends_with(',');
  for (std::string name; std::getline(list, name, ',');) {
    is_known = is_known && (name == "cuda:all" || is_a_device(name));
  }
  return is_known
             ? ""
             : "\"" + text + "\": expected auto, cpu, cuda, cuda:N, cuda:all or a list with commas";
}

}  // namespace

void add_device_option(CLI::App& app, std::string& device) {
  app.add_option("--device", device, "auto, cpu, cuda or cuda:N")
      ->type_name("DEVICE")
      ->check(names_a_device)
      ->group("Model")
      ->capture_default_str();
}

void add_model_options(CLI::App& app, ModelOptions& model) {
  app.add_option("--model", model.folder, "Model folder; default: the model that comes with aitqe")
      ->type_name("DIR")
      ->group("Model");
  app.add_option("--vision-model", model.vision_folder,
                 "Folder of the vision tower's config.json, when it is neither beside the "
                 "checkpoint nor known")
      ->type_name("DIR")
      ->group("Model");
  app.add_option("--device", model.device,
                 "auto, cpu, cuda, cuda:N, cuda:all, or several with commas: all share the work")
      ->type_name("DEVICE")
      ->check(names_devices)
      ->group("Model")
      ->capture_default_str();
  app.add_option(
         "--dtype", model.dtype,
         "auto (bf16 where the device has it), f32, bf16, int8 (CPU; not exact), or fp8 (GPU; not "
         "exact)")
      ->type_name("TYPE")
      ->check(one_of({"auto", "f32", "bf16", "int8", "fp8"}))
      ->group("Model")
      ->capture_default_str();
  app.add_option("--packing", model.packing,
                 "CPU: keep a packed copy of the weights (ahead), read them in place (none), or as "
                 "memory allows (auto)")
      ->type_name("HOW")
      ->check(one_of({"auto", "ahead", "none"}))
      ->group("Model")
      ->capture_default_str();
  app.add_option("--threads", model.num_threads, "Threads of the model; default: one a core")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->group("Model");
}

}  // namespace aitqe::app
