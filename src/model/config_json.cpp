#include "config_json.h"

#include <cmath>
#include <fstream>
#include <sstream>

#include "aitqe/base/error.h"

namespace aitqe {

namespace {
constexpr std::int64_t kLargestCount = std::int64_t{1} << 24;

bool is_token_id(const nlohmann::json& value) {
  return value.is_number_integer() &&
         std::abs(value.get<double>()) <= static_cast<double>(kLargestCount);
}

}  // namespace

ConfigJson::ConfigJson(nlohmann::json object, std::string where)
    : object_(std::move(object)), where_(std::move(where)) {}

ConfigJson ConfigJson::read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCategory::Model, path.string() + ": cannot be opened");
  std::ostringstream content;
  content << file.rdbuf();
  nlohmann::json object = nlohmann::json::parse(content.str(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    throw Error(ErrorCategory::Model, path.string() + ": not a JSON object");
  }
  return {std::move(object), path.string()};
}

bool ConfigJson::has(const char* key) const {
  const auto found = object_.find(key);
  return found != object_.end() && !found->is_null();
}

void ConfigJson::fail(const char* key, const std::string& expected) const {
  const std::string found =
      object_.contains(key) ? object_.at(key).dump().substr(0, 80) : "nothing";
  throw Error(ErrorCategory::Model,
              where_ + ": \"" + key + "\": found " + found + ", expected " + expected);
}

std::int64_t ConfigJson::required_count(const char* key) const {
  if (!has(key)) fail(key, "a whole number of at least 1");
  return count(key, 0);
}

std::int64_t ConfigJson::count(const char* key, std::int64_t fallback) const {
  if (!has(key)) return fallback;
  const nlohmann::json& value = object_.at(key);
  if (!value.is_number_integer() || value.get<double>() < 1 ||
      value.get<double>() > static_cast<double>(kLargestCount)) {
    fail(key, "a whole number from 1 to " + std::to_string(kLargestCount));
  }
  return value.get<std::int64_t>();
}

std::optional<std::int32_t> ConfigJson::token_id(const char* key) const {
  if (!has(key)) return std::nullopt;
  const nlohmann::json& value = object_.at(key);
  if (!is_token_id(value)) fail(key, "a token id");
  return value.get<std::int32_t>();
}

std::vector<std::int32_t> ConfigJson::token_ids(const char* key,
                                                const std::vector<std::int32_t>& fallback) const {
  if (!has(key)) return fallback;
  const nlohmann::json& value = object_.at(key);
  if (!value.is_array()) return {*token_id(key)};
  std::vector<std::int32_t> ids;
  for (const nlohmann::json& element : value) {
    if (!is_token_id(element)) fail(key, "token ids");
    ids.push_back(element.get<std::int32_t>());
  }
  return ids;
}

double ConfigJson::number(const char* key, double fallback) const {
  if (!has(key)) return fallback;
  const nlohmann::json& value = object_.at(key);
  if (!value.is_number() || !std::isfinite(value.get<double>())) fail(key, "a number");
  return value.get<double>();
}

bool ConfigJson::flag(const char* key, bool fallback) const {
  if (!has(key)) return fallback;
  if (!object_.at(key).is_boolean()) fail(key, "true or false");
  return object_.at(key).get<bool>();
}

std::string ConfigJson::text(const char* key, const std::string& fallback) const {
  if (!has(key)) return fallback;
  if (!object_.at(key).is_string()) fail(key, "a text");
  return object_.at(key).get<std::string>();
}

ConfigJson ConfigJson::object(const char* key) const {
  if (!has(key) || !object_.at(key).is_object()) fail(key, "an object");
  return {object_.at(key), where_ + ": \"" + key + "\""};
}

}  // namespace aitqe
