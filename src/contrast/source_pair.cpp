#include "aitqe/contrast/source_pair.h"

#include <nlohmann/json.hpp>

#include "aitqe/base/ascii.h"
#include "aitqe/base/error.h"
#include "aitqe/text/unicode.h"

namespace aitqe {

namespace {

using Json = nlohmann::json;

void read_fields(const Json& json, SourcePair& pair) {
  pair.group = json.value("group", "");
  pair.better = json.value("better", "");
  const std::string kind = json.value("kind", "");
  if (kind == "generic") pair.kind = SourcePair::Kind::Generic;
  if (kind == "lore") pair.kind = SourcePair::Kind::Vague;
  for (const Json& text : json.value("texts", Json::array())) {
    pair.texts.push_back(text.get<std::string>());
  }
  const Json translations = json.value("translations", Json::object());
  for (const auto& [language, text] : translations.items()) {
    pair.translations.push_back(text.get<std::string>());
  }
}

}  // namespace

SourcePair read_source_pair(const Sample& sample, const CaptionSource& source) {
  if (!sample.problems.empty()) throw SampleError(to_string(sample.problems.front()));
  if (find_image(sample) == nullptr) throw SampleError("no_image");
  SourcePair pair;
  pair.caption = std::string(ascii::trim(read_caption(sample, source)));
  if (pair.caption.empty()) throw SampleError("no_caption");
  if (!is_valid_utf8(pair.caption)) throw SampleError("not_utf8");
  const Member* json = find_member(sample, "json");
  if (json == nullptr) return pair;
  try {
    const Json parsed = Json::parse(json->bytes);
    if (parsed.is_object()) read_fields(parsed, pair);
  } catch (const Json::exception& error) {
    throw SampleError(std::string("bad_json: ") + error.what());
  }
  return pair;
}

}  // namespace aitqe
