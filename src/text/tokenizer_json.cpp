// tokenizer.json of HF `tokenizers`: only what byte-level BPE with known pre-tokenizers needs.
#include <string>

#include "tokenizer_files.h"

namespace aitqe {
namespace {

using nlohmann::json;

/// Reads one tokenizer.json, once; names it in every complaint.
class TokenizerJson {
 public:
  explicit TokenizerJson(const std::filesystem::path& file)
      : file_(file.string()), root_(read_json_object(file)) {}

  TokenizerFiles read() {
    files_.vocabulary_file = file_;
    files_.merges_file = file_;
    read_model();
    read_added();
    files_.nfc = normalizes(member(root_, "normalizer"));
    read_split(member(root_, "pre_tokenizer"));
    if (!has_byte_level_) refuse_file(file_, "pre_tokenizer has no ByteLevel step");
    const json& decoder = member(root_, "decoder");
    if (type_of(decoder) != "ByteLevel") not_understood("decoder", decoder);
    return std::move(files_);
  }

 private:
  [[noreturn]] void not_understood(const std::string& what, const json& value) const {
    const std::string text = value.dump();
    refuse_file(file_, what + " is " + (text.size() > 200 ? text.substr(0, 200) + "..." : text) +
                           ", which is not understood");
  }

  static const json& member(const json& object, const char* key) {
    static const json null;
    if (!object.is_object()) return null;
    const auto found = object.find(key);
    return found == object.end() ? null : *found;
  }

  static std::string type_of(const json& value) {
    const json& type = member(value, "type");
    return type.is_string() ? type.get<std::string>() : "";
  }

  void read_model() {
    const json& model = member(root_, "model");
    if (type_of(model) != "BPE") not_understood("model.type", member(model, "type"));
    for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"}) {
      const json& value = member(model, key);
      if (!value.is_null() && value != "") not_understood(std::string("model.") + key, value);
    }
    for (const char* key : {"fuse_unk", "byte_fallback", "ignore_merges"}) {
      if (read_flag(model, key, false, file_)) {
        not_understood(std::string("model.") + key, member(model, key));
      }
    }
    files_.has_unknown_token = !member(model, "unk_token").is_null();
    files_.vocabulary = read_vocabulary(member(model, "vocab"), file_);
    const json& merges = member(model, "merges");
    if (!merges.is_array()) not_understood("model.merges", merges);
    for (const json& merge : merges) files_.merges.push_back(read_merge(merge));
  }

  std::pair<std::string, std::string> read_merge(const json& merge) const {
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      return {merge[0].get<std::string>(), merge[1].get<std::string>()};
    }
    if (!merge.is_string()) not_understood("a merge", merge);
    const auto text = merge.get<std::string>();
    const std::size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) {
      not_understood("a merge", merge);
    }
    return {text.substr(0, space), text.substr(space + 1)};
  }

  void read_added() {
    const json& added = member(root_, "added_tokens");
    if (added.is_null()) return;
    if (!added.is_array()) not_understood("added_tokens", added);
    for (const json& token : added) {
      const std::int32_t id = read_token_id(member(token, "id"), "an added token", file_);
      files_.added.push_back(read_added_token(token, id, file_));
    }
  }

  bool normalizes(const json& normalizer) const {
    if (normalizer.is_null()) return false;
    if (type_of(normalizer) == "NFC") return true;
    const json& steps = member(normalizer, "normalizers");
    if (type_of(normalizer) != "Sequence" || !steps.is_array()) {
      not_understood("normalizer", normalizer);
    }
    bool nfc = false;
    for (const json& step : steps) nfc = normalizes(step) || nfc;
    return nfc;
  }

  void read_split(const json& step) {
    // ByteLevel turns bytes into its alphabet, so what comes after it would see other text.
    if (has_byte_level_) not_understood("a pre_tokenizer after ByteLevel", step);
    const std::string type = type_of(step);
    const json& members = member(step, "pretokenizers");
    if (type == "Sequence" && members.is_array()) {
      for (const json& next : members) read_split(next);
    } else if (type == "Split") {
      files_.split.push_back({split_pattern(step), false});
    } else if (type == "Digits") {
      const bool single = read_flag(step, "individual_digits", false, file_);
      files_.split.push_back({std::string(digit_pattern()) + (single ? "" : "+"), false});
    } else if (type == "ByteLevel") {
      const bool uses_pattern = read_flag(step, "use_regex", true, file_);
      files_.split.push_back({uses_pattern ? std::string(gpt2_pattern()) : "",
                              read_flag(step, "add_prefix_space", true, file_)});
      has_byte_level_ = true;
    } else {
      not_understood("pre_tokenizer", step);
    }
  }

  std::string split_pattern(const json& step) const {
    const json& pattern = member(member(step, "pattern"), "Regex");
    const bool is_known = pattern.is_string() && member(step, "behavior") == "Isolated" &&
                          !read_flag(step, "invert", false, file_);
    if (!is_known) not_understood("pre_tokenizer", step);
    return pattern.get<std::string>();
  }

  std::string file_;
  json root_;
  bool has_byte_level_ = false;
  TokenizerFiles files_;
};

}  // namespace

TokenizerFiles read_tokenizer_json(const std::filesystem::path& file) {
  return TokenizerJson(file).read();
}

}  // namespace aitqe
