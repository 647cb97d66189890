#include "tokenizer_files.h"

#include <fstream>
#include <sstream>

#include "aitqe/base/error.h"

namespace aitqe {
namespace {

using nlohmann::json;

// The largest published byte-level vocabularies hold some 200,000 tokens in 25 MB of JSON.
constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{256} << 20;
constexpr std::int64_t kMaxTokenId = 10'000'000;
constexpr int kMaxDepth = 50;  // JSON within JSON; what reads and prints it is recursive

}  // namespace

void refuse_file(const std::string& file, const std::string& what) {
  throw Error(ErrorCategory::Model, file + ": " + what);
}

std::string read_text_file(const std::filesystem::path& file) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(file, failure)) {
    refuse_file(file.string(), "no such file; the tokenizer needs it");
  }
  const auto size = std::filesystem::file_size(file, failure);
  if (failure) refuse_file(file.string(), failure.message());
  if (size > kMaxFileBytes) {
    refuse_file(file.string(), "holds " + std::to_string(size) + " bytes, at most " +
                                   std::to_string(kMaxFileBytes) + " are read");
  }
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream || text.str().size() != size) refuse_file(file.string(), "cannot be read");
  return std::move(text).str();
}

json read_json_object(const std::filesystem::path& file) {
  const auto check_depth = [&](int depth, json::parse_event_t, const json&) {
    if (depth > kMaxDepth) refuse_file(file.string(), "is nested too deeply");
    return true;
  };
  json value;
  try {
    value = json::parse(read_text_file(file), check_depth);
  } catch (const json::exception& failure) {
    refuse_file(file.string(), std::string("is not JSON: ") + failure.what());
  }
  if (!value.is_object()) {
    refuse_file(file.string(),
                std::string("holds a JSON ") + value.type_name() + ", expected an object");
  }
  return value;
}

std::int32_t read_token_id(const json& value, const std::string& where, const std::string& file) {
  bool fits = value.is_number_integer();
  if (fits && value.is_number_unsigned()) {
    fits = value.get<std::uint64_t>() <= static_cast<std::uint64_t>(kMaxTokenId);
  } else if (fits) {
    fits = value.get<std::int64_t>() >= 0 && value.get<std::int64_t>() <= kMaxTokenId;
  }
  if (!fits) {
    refuse_file(file, where + ": id is " + value.dump() + ", expected a whole number from 0 to " +
                          std::to_string(kMaxTokenId));
  }
  return value.get<std::int32_t>();
}

std::unordered_map<std::string, std::int32_t> read_vocabulary(const json& value,
                                                              const std::string& file) {
  if (!value.is_object()) {
    refuse_file(file, std::string("vocabulary is a JSON ") + value.type_name() +
                          ", expected an object of token: id");
  }
  if (value.empty()) refuse_file(file, "the vocabulary is empty");
  std::unordered_map<std::string, std::int32_t> vocabulary;
  vocabulary.reserve(value.size());
  for (const auto& [token, id] : value.items()) {
    vocabulary.emplace(token, read_token_id(id, "token \"" + token + "\"", file));
  }
  return vocabulary;
}

bool read_flag(const json& object, const char* key, bool otherwise, const std::string& file) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return otherwise;
  if (!found->is_boolean()) {
    refuse_file(file,
                std::string("\"") + key + "\" is " + found->dump() + ", expected true or false");
  }
  return found->get<bool>();
}

AddedToken read_added_token(const json& value, std::int32_t id, const std::string& file) {
  const std::string where = "added token " + std::to_string(id);
  if (!value.is_object() || !value.contains("content") || !value["content"].is_string()) {
    refuse_file(file, where + " is " + value.dump() + ", expected an object with \"content\"");
  }
  AddedToken token;
  token.content = value["content"].get<std::string>();
  if (token.content.empty()) refuse_file(file, where + " has an empty \"content\"");
  token.id = id;
  token.special = read_flag(value, "special", false, file);
  token.lstrip = read_flag(value, "lstrip", false, file);
  token.rstrip = read_flag(value, "rstrip", false, file);
  token.single_word = read_flag(value, "single_word", false, file);
  token.normalized = read_flag(value, "normalized", !token.special, file);
  return token;
}

}  // namespace aitqe
