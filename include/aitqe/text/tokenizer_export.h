#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace aitqe {

/// A tokenizer as other programs read it.
struct ExportedTokenizer {
  /// The text of a tokenizer.json of HF `tokenizers`.
  std::string json;
  /// Id of the further token.
  std::int32_t id = 0;
};

/// The tokenizer of `folder` (see Tokenizer::load) as one tokenizer.json, which gives the same ids,
/// with one further special token behind all others; a token of that text that is there already
/// stays as it is.
/// Source: the format of HF `tokenizers` 0.23; checked by `tokenizer_export_test.cpp`, and against
/// that library by tests/e2e/llava_test.py.
/// @throws Error(Model) as Tokenizer::load.
ExportedTokenizer export_tokenizer(const std::filesystem::path& folder,
                                   const std::string& further_special);

}  // namespace aitqe
