// The folders that slow tokenizers of transformers write: vocab.json, merges.txt and
// tokenizer_config.json.
#include <array>
#include <charconv>
#include <sstream>
#include <string>

#include "tokenizer_files.h"

namespace aitqe {
namespace {

using nlohmann::json;

constexpr std::array<const char*, 7> kNamedTokens = {
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};
constexpr std::array<const char*, 2> kNamedTokenLists = {"additional_special_tokens",
                                                         "extra_special_tokens"};

/// "left right" a line, best first; an optional first line "#version: ...".
std::vector<std::pair<std::string, std::string>> read_merges(const std::filesystem::path& file) {
  std::vector<std::pair<std::string, std::string>> merges;
  std::istringstream lines(read_text_file(file));
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (number == 1 && line.starts_with("#version")) continue;
    std::istringstream words(line);
    std::string left;
    std::string right;
    std::string more;
    if (!(words >> left)) continue;
    if (!(words >> right) || (words >> more)) {
      refuse_file(file.string(), "line " + std::to_string(number) + " is \"" + line.substr(0, 100) +
                                     "\", expected two tokens");
    }
    merges.emplace_back(std::move(left), std::move(right));
  }
  return merges;
}

/// {"151643": {"content": "<|endoftext|>", ...}, ...}
std::vector<AddedToken> read_added_tokens(const json& config, const std::string& file) {
  std::vector<AddedToken> added;
  const auto found = config.find("added_tokens_decoder");
  if (found == config.end()) return added;
  if (!found->is_object()) refuse_file(file, "\"added_tokens_decoder\" is not an object");
  for (const auto& [key, value] : found->items()) {
    std::int64_t number = -1;
    const auto parsed = std::from_chars(key.data(), key.data() + key.size(), number);
    const bool is_number = parsed.ec == std::errc() && parsed.ptr == key.data() + key.size();
    const json id = is_number ? json(number) : json(key);
    added.push_back(read_added_token(value, read_token_id(id, "added_tokens_decoder", file), file));
  }
  return added;
}

/// A token given by its text, or by an object with its text.
std::string read_named(const json& value, const char* key, const std::string& file) {
  const json& text = value.is_object() && value.contains("content") ? value["content"] : value;
  if (!text.is_string()) {
    refuse_file(file, std::string("\"") + key + "\" is " + value.dump() + ", expected a token");
  }
  return text.get<std::string>();
}

std::vector<std::string> read_named_special(const json& config, const std::string& file) {
  std::vector<std::string> named;
  for (const char* key : kNamedTokens) {
    const json value = config.value(key, json());
    if (!value.is_null()) named.push_back(read_named(value, key, file));
  }
  for (const char* key : kNamedTokenLists) {
    const json values = config.value(key, json());
    if (values.is_null()) continue;
    if (!values.is_structured()) refuse_file(file, std::string("\"") + key + "\" is not a list");
    for (const json& value : values) named.push_back(read_named(value, key, file));
  }
  return named;
}

/// What the name of a tokenizer says about normalization and cutting.
struct Rules {
  bool nfc = false;
  std::vector<SplitStep> split;
};

Rules read_rules(const json& config, const std::string& file) {
  if (read_flag(config, "add_prefix_space", false, file)) {
    refuse_file(file, "\"add_prefix_space\" is true, which is not understood");
  }
  const json name = config.value("tokenizer_class", json());
  if (name == "Qwen2Tokenizer" || name == "Qwen2TokenizerFast") return {true, qwen2_split_steps()};
  if (name == "GPT2Tokenizer" || name == "GPT2TokenizerFast") return {false, smollm2_split_steps()};
  refuse_file(
      file, "\"tokenizer_class\" is " + name.dump() + ", expected Qwen2Tokenizer or GPT2Tokenizer");
}

}  // namespace

TokenizerFiles read_tokenizer_folder(const std::filesystem::path& folder) {
  const std::filesystem::path config_file = folder / "tokenizer_config.json";
  const json config = read_json_object(config_file);
  TokenizerFiles files;
  files.vocabulary_file = (folder / "vocab.json").string();
  files.merges_file = (folder / "merges.txt").string();
  Rules rules = read_rules(config, config_file.string());
  files.nfc = rules.nfc;
  files.split = std::move(rules.split);
  files.vocabulary =
      read_vocabulary(read_json_object(files.vocabulary_file), files.vocabulary_file);
  files.merges = read_merges(files.merges_file);
  files.added = read_added_tokens(config, config_file.string());
  files.named_special = read_named_special(config, config_file.string());
  return files;
}

}  // namespace aitqe
