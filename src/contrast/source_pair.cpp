#include "aitqe/contrast/source_pair.h"

#include <nlohmann/json.hpp>

#include "aitqe/base/ascii.h"
#include "aitqe/base/error.h"
#include "aitqe/text/unicode.h"

namespace aitqe {

namespace {

using Json = nlohmann::json;

/// The fields of a pair's json member.
class Fields {
 public:
  Fields(const Json& json, OddFields odd) : json_(json), odd_(odd) {}

  std::string text(const char* name) const {
    std::string found;
    if (const Json* value = field(name)) add_text(*value, name, [&](auto text) { found = text; });
    return found;
  }

  /// Of a list, or of an object's values.
  std::vector<std::string> texts(const char* name, Json::value_t form) const {
    std::vector<std::string> found;
    const Json* value = field(name);
    if (value == nullptr) return found;
    if (value->type() != form) {
      refuse(name, form == Json::value_t::array ? "a list of texts" : "an object of texts", *value);
      return found;
    }
    for (const Json& one : *value) {
      add_text(one, name, [&](auto text) { found.push_back(std::move(text)); });
    }
    return found;
  }

 private:
  const Json* field(const char* name) const {
    const auto found = json_.find(name);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }

  template <typename Use>
  void add_text(const Json& value, const char* name, const Use& use) const {
    if (value.is_string()) {
      use(value.get<std::string>());
    } else {
      refuse(name, "a text", value);
    }
  }

  void refuse(const char* name, const char* expected, const Json& value) const {
    if (odd_ == OddFields::Ignore) return;
    throw SampleError(std::string("bad_json: ") + name + " is " + value.type_name() +
                      ", expected " + expected);
  }

  const Json& json_;
  OddFields odd_;
};

void read_fields(const Fields& fields, SourcePair& pair) {
  pair.group = fields.text("group");
  pair.better = fields.text("better");
  const std::string kind = fields.text("kind");
  if (kind == "generic") pair.kind = SourcePair::Kind::Generic;
  if (kind == "lore") pair.kind = SourcePair::Kind::Vague;
  pair.texts = fields.texts("texts", Json::value_t::array);
  pair.translations = fields.texts("translations", Json::value_t::object);
}

}  // namespace

std::vector<std::string> SourcePair::true_texts() const {
  std::vector<std::string> found = texts;
  if (kind == Kind::Good) found.push_back(caption);
  if (!better.empty()) found.push_back(better);
  return found;
}

SourcePair read_source_pair(const Sample& sample, const CaptionSource& source, OddFields odd) {
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
    if (parsed.is_object()) read_fields({parsed, odd}, pair);
  } catch (const Json::exception& error) {
    if (odd == OddFields::Refuse) throw SampleError(std::string("bad_json: ") + error.what());
  }
  return pair;
}

}  // namespace aitqe
