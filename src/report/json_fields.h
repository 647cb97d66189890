#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

namespace aitqe {

using Json = nlohmann::ordered_json;

/// `text` as JSON, with quotes: invalid UTF-8 as U+FFFD; what some readers take for the end of a
/// line (U+0085, U+2028, U+2029) escaped.
void append_json_text(std::string& json, std::string_view text);

/// Shortest form that reads back equal, always with a decimal point: 8.0, 7.25, 1.0e+22.
/// -1.0, which stands for absent, when not finite.
void append_json_float(std::string& json, double value);

/// Reads one JSON object strictly: each key once, of its type, and no others. Every failure is
/// Error(Damaged) that names the place.
class JsonFields {
 public:
  /// @param where  names the object in messages. Both must outlive the reader.
  JsonFields(const Json& object, std::string where);

  /// The document itself. @throws Error(Damaged) when it is no JSON.
  static Json parse(std::string_view text, const std::string& where);

  std::string text(std::string_view key);
  std::int64_t integer(std::string_view key);
  double number(std::string_view key);
  bool boolean(std::string_view key);
  const Json& array(std::string_view key);
  const Json& object(std::string_view key);
  /// @throws Error(Damaged) unless the text is `expected`.
  void schema(std::string_view expected);
  /// Call last. @throws Error(Damaged) on a key that was not read.
  void finish() const;

  std::string path(std::string_view key) const { return where_ + ": " + std::string(key); }

 private:
  const Json& at(std::string_view key);
  [[noreturn]] void wrong_type(std::string_view key, std::string_view expected) const;

  const Json& object_;
  std::string where_;
  std::set<std::string, std::less<>> read_;
};

}  // namespace aitqe
