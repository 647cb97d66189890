#include "aitqe/text/tokenizer_export.h"

#include <algorithm>
#include <utility>

#include "aitqe/text/tokenizer.h"
#include "tokenizer_files.h"

namespace aitqe {
namespace {

using nlohmann::json;

json added_token_json(const AddedToken& token) {
  return {{"id", token.id},          {"content", token.content}, {"single_word", token.single_word},
          {"lstrip", token.lstrip},  {"rstrip", token.rstrip},   {"normalized", token.normalized},
          {"special", token.special}};
}

/// What tokenizer_config.json only names becomes an added token, as TokenTable takes it.
std::vector<AddedToken> all_added(const TokenizerFiles& files) {
  std::vector<AddedToken> added = files.added;
  for (const std::string& content : files.named_special) {
    const auto found = std::find_if(added.begin(), added.end(), [&](const AddedToken& token) {
      return token.content == content;
    });
    if (found != added.end()) {
      found->special = true;
      continue;
    }
    AddedToken token;
    token.content = content;
    token.id = files.vocabulary.at(content);
    token.special = true;
    added.push_back(token);
  }
  // HF `tokenizers` numbers those beyond the vocabulary as they come.
  std::sort(added.begin(), added.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  return added;
}

json byte_level(bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", false},
          {"use_regex", use_regex}};
}

json pre_tokenizer_json(const std::vector<SplitStep>& split) {
  json steps = json::array();
  for (const SplitStep& step : split) {
    if (step.pattern == digit_pattern()) {
      steps.push_back({{"type", "Digits"}, {"individual_digits", true}});
    } else {
      steps.push_back({{"type", "Split"},
                       {"pattern", {{"Regex", step.pattern}}},
                       {"behavior", "Isolated"},
                       {"invert", false}});
    }
  }
  steps.push_back(byte_level(/*use_regex=*/false));
  return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

json model_json(const TokenizerFiles& files) {
  json merges = json::array();
  for (const auto& [left, right] : files.merges) merges.push_back(left + " " + right);
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", nullptr},
          {"continuing_subword_prefix", ""},
          {"end_of_word_suffix", ""},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"ignore_merges", false},
          {"vocab", files.vocabulary},
          {"merges", std::move(merges)}};
}

/// Of a folder with vocab.json, merges.txt and tokenizer_config.json.
json tokenizer_json_of(const std::filesystem::path& folder) {
  const TokenizerFiles files = read_tokenizer_folder(folder);
  json added = json::array();
  for (const AddedToken& token : all_added(files)) added.push_back(added_token_json(token));
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", std::move(added)},
          {"normalizer", files.nfc ? json({{"type", "NFC"}}) : json()},
          {"pre_tokenizer", pre_tokenizer_json(files.split)},
          {"post_processor", nullptr},
          {"decoder", byte_level(/*use_regex=*/true)},
          {"model", model_json(files)}};
}

}  // namespace

ExportedTokenizer export_tokenizer(const std::filesystem::path& folder,
                                   const std::string& further_special) {
  const Tokenizer tokenizer = Tokenizer::load(folder);  // checks the files
  const std::filesystem::path file = folder / "tokenizer.json";
  json root = std::filesystem::exists(file) ? read_json_object(file) : tokenizer_json_of(folder);
  const auto present = tokenizer.token_id(further_special);
  AddedToken token;
  token.content = further_special;
  token.id = present.value_or(tokenizer.size());
  token.special = true;
  if (!present) root["added_tokens"].push_back(added_token_json(token));
  return {root.dump() + "\n", token.id};
}

}  // namespace aitqe
