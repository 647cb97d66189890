#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace aitqe {

/// A JSON object from a file, whose values are read with checks. Messages name file and key.
class ConfigJson {
 public:
  /// @throws Error(Model) when the file cannot be read or is not a JSON object.
  static ConfigJson read(const std::filesystem::path& path);
  ConfigJson(nlohmann::json object, std::string where);

  bool has(const char* key) const;  ///< present and not null
  std::int64_t required_count(const char* key) const;
  /// A whole number from 1 to 2^24.
  std::int64_t count(const char* key, std::int64_t fallback) const;
  std::optional<std::int32_t> token_id(const char* key) const;
  /// One id or a list of them.
  std::vector<std::int32_t> token_ids(const char* key,
                                      const std::vector<std::int32_t>& fallback) const;
  double number(const char* key, double fallback) const;
  bool flag(const char* key, bool fallback) const;
  std::string text(const char* key, const std::string& fallback) const;
  ConfigJson object(const char* key) const;
  const nlohmann::json& json() const { return object_; }
  const std::string& where() const { return where_; }

  [[noreturn]] void fail(const char* key, const std::string& expected) const;

 private:
  nlohmann::json object_;
  std::string where_;
};

}  // namespace aitqe
