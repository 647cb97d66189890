#include "command.h"

namespace aitqe::app {

std::vector<std::unique_ptr<Command>> make_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(make_enhance_command());
  commands.push_back(make_score_command());
  commands.push_back(make_report_command());
  commands.push_back(make_status_command());
  commands.push_back(make_select_command());
  commands.push_back(make_inspect_command());
  commands.push_back(make_contrast_command());
  commands.push_back(make_train_command());
  commands.push_back(make_eval_command());
  commands.push_back(make_audit_command());
  commands.push_back(make_convert_command());
  commands.push_back(make_config_command());
  commands.push_back(make_completion_command());
  commands.push_back(make_man_command());
  return commands;
}

}  // namespace aitqe::app
