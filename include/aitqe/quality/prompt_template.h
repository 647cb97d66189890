#pragma once

#include <filesystem>
#include <string>

#include "aitqe/quality/answer_keys.h"

namespace aitqe {

/// The words around a caption, and the words of the answer. The defaults are the reference's
/// (`process_prompt` in its inference.py).
struct PromptTemplate {
  /// Encoded as one string with the caption between them.
  std::string before_caption = "\nEvaluate the caption: ";
  std::string after_caption =
      "\nif score is low, give a short description of the image."
      "\nRespond using a dictionary structure.";
  /// Between the image slots and `before_caption`; encoded apart from it.
  std::string after_image = "\n";
  AnswerKeys keys;
};

/// Reads `aitqe.json` of a model folder; the defaults where the file is missing. Keys, all optional
/// (docs/formats.md): prompt{before_caption, after_caption, after_image}, answer{recaption,
/// score_end, max_new_tokens, scores{...}, explanations{...}}, score_scale{lowest, highest},
/// decision{rewrite_above}, vision_model_type (read by module `model`).
/// @throws Error(Model) naming file and key on an unknown key, a wrong type, an empty scale or no
/// share.
PromptTemplate load_prompt_template(const std::filesystem::path& model_folder);

/// As above, from the text of the file. @param where  names the file in messages.
PromptTemplate parse_prompt_template(const std::string& json_text, const std::string& where);

}  // namespace aitqe
