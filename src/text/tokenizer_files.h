#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "added_tokens.h"
#include "aitqe/text/split.h"

namespace aitqe {

/// What a tokenizer folder says, checked for shape but not yet for sense. The parsers throw
/// Error(Model) naming the file, what was found and what was expected.
struct TokenizerFiles {
  std::string vocabulary_file;  ///< for messages
  std::string merges_file;
  std::unordered_map<std::string, std::int32_t> vocabulary;  ///< keys in the byte alphabet
  std::vector<std::pair<std::string, std::string>> merges;   ///< best first
  std::vector<AddedToken> added;
  std::vector<std::string> named_special;  ///< further contents that are special tokens
  bool has_unknown_token = false;          ///< bytes without a token would become special
  bool nfc = false;
  std::vector<SplitStep> split;
};

/// @param file  a tokenizer.json of HF `tokenizers`.
TokenizerFiles read_tokenizer_json(const std::filesystem::path& file);

/// @param folder  with vocab.json, merges.txt and tokenizer_config.json.
TokenizerFiles read_tokenizer_folder(const std::filesystem::path& folder);

/// Throws Error(Model) "file: what".
[[noreturn]] void refuse_file(const std::string& file, const std::string& what);

/// All of a file, at most 256 MiB.
std::string read_text_file(const std::filesystem::path& file);

/// The JSON object that `file` holds.
nlohmann::json read_json_object(const std::filesystem::path& file);

/// {"token": id, ...}
std::unordered_map<std::string, std::int32_t> read_vocabulary(const nlohmann::json& value,
                                                              const std::string& file);

/// {"content": "...", "special": true, ...}
AddedToken read_added_token(const nlohmann::json& value, std::int32_t id, const std::string& file);

/// A token id out of JSON.
std::int32_t read_token_id(const nlohmann::json& value, const std::string& where,
                           const std::string& file);

/// A field that is true or false; `otherwise` where it is missing or null.
bool read_flag(const nlohmann::json& object, const char* key, bool otherwise,
               const std::string& file);

}  // namespace aitqe
