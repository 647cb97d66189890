#include "model_options.h"

#include <CLI/CLI.hpp>

namespace aitqe::app {

void add_model_options(CLI::App& app, ModelOptions& model) {
  app.add_option("--model", model.folder, "Model folder; default: the model that comes with aitqe")
      ->type_name("DIR")
      ->group("Model");
  app.add_option("--vision-model", model.vision_folder,
                 "Folder of the vision tower's config.json, when it is neither beside the "
                 "checkpoint nor known")
      ->type_name("DIR")
      ->group("Model");
  app.add_option("--device", model.device, "auto, cpu, cuda or cuda:N")
      ->type_name("DEVICE")
      ->group("Model")
      ->capture_default_str();
  app.add_option("--dtype", model.dtype, "auto (bf16 where the device has it), f32 or bf16")
      ->type_name("TYPE")
      ->group("Model")
      ->capture_default_str();
  app.add_option("--packing", model.packing,
                 "CPU: keep a packed copy of the weights (ahead), read them in place (none), or as "
                 "memory allows (auto)")
      ->type_name("HOW")
      ->group("Model")
      ->capture_default_str();
  app.add_option("--threads", model.num_threads, "Threads of the model; default: one a core")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->group("Model");
}

}  // namespace aitqe::app
