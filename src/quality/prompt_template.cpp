#include "aitqe/quality/prompt_template.h"

#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "aitqe/base/error.h"
#include "key_table.h"

namespace aitqe {
namespace {

using Json = nlohmann::json;

/// Reads one object of aitqe.json key by key; every error names file and key.
class ObjectReader {
 public:
  using Setter = std::function<void(const Json& value, const std::string& path)>;

  ObjectReader(std::string where, std::string path)
      : where_(std::move(where)), path_(std::move(path)) {}

  ObjectReader& text(const std::string& key, std::string& target) {
    setters_[key] = [this, &target](const Json& value, const std::string& path) {
      if (!value.is_string()) fail(path + " must be a text");
      target = value.get<std::string>();
    };
    return *this;
  }

  ObjectReader& number(const std::string& key, double& target) {
    setters_[key] = [this, &target](const Json& value, const std::string& path) {
      if (!value.is_number()) fail(path + " must be a number");
      target = value.get<double>();
    };
    return *this;
  }

  ObjectReader& integer(const std::string& key, int& target) {
    setters_[key] = [this, &target](const Json& value, const std::string& path) {
      if (!value.is_number_integer()) fail(path + " must be a whole number");
      const auto wide = value.get<std::int64_t>();
      if (wide < 1 || wide > kMostNewTokens) {
        fail(path + " must be from 1 to " + std::to_string(kMostNewTokens));
      }
      target = static_cast<int>(wide);
    };
    return *this;
  }

  ObjectReader& object(const std::string& key, const std::function<void(ObjectReader&)>& describe) {
    setters_[key] = [this, describe](const Json& value, const std::string& path) {
      ObjectReader inner(where_, path);
      describe(inner);
      inner.read(value);
    };
    return *this;
  }

  ObjectReader& ignored(const std::string& key) {
    setters_[key] = [](const Json&, const std::string&) {};
    return *this;
  }

  void read(const Json& object) const {
    if (!object.is_object()) fail((path_.empty() ? "the file" : path_) + " must be an object");
    for (const auto& [key, value] : object.items()) {
      const std::string path = path_.empty() ? key : path_ + "." + key;
      const auto setter = setters_.find(key);
      if (setter == setters_.end()) fail("unknown key \"" + path + "\"; known here: " + known());
      setter->second(value, path);
    }
  }

 private:
  std::string known() const {
    std::string keys;
    for (const auto& [key, setter] : setters_) keys += (keys.empty() ? "" : ", ") + key;
    return keys;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCategory::Model, where_ + ": " + what);
  }

  std::string where_;
  std::string path_;
  std::map<std::string, Setter> setters_;
};

void describe_answer(ObjectReader& answer, AnswerKeys& keys) {
  const auto fields = [](std::array<std::string, kNumScoreFields>& targets) {
    return [&targets](ObjectReader& reader) {
      for (std::size_t i = 0; i < kNumScoreFields; ++i) {
        reader.text(std::string(score_field_name(static_cast<ScoreField>(i))), targets[i]);
      }
    };
  };
  answer.text("recaption", keys.recaption)
      .text("score_end", keys.score_end)
      .integer("max_new_tokens", keys.max_new_tokens)
      .object("scores", fields(keys.scores))
      .object("explanations", fields(keys.explanations));
}

void check_keys(const AnswerKeys& keys, const std::string& where) {
  std::set<std::string> seen;
  const auto check = [&](const std::string& key) {
    const std::string reduced = KeyTable::reduce(key);
    if (!reduced.empty() && seen.insert(reduced).second) return;
    throw Error(ErrorCategory::Model,
                where + ": answer key \"" + key +
                    "\" must hold a letter or digit and differ from all others in more than case, "
                    "spaces and punctuation");
  };
  check(keys.recaption);
  for (const std::string& key : keys.scores) check(key);
  for (const std::string& key : keys.explanations) check(key);
  const bool is_scale = std::isfinite(keys.lowest_score) && std::isfinite(keys.highest_score) &&
                        keys.lowest_score >= 0.0 && keys.lowest_score < keys.highest_score;
  if (!is_scale) {
    throw Error(ErrorCategory::Model,
                where + ": score_scale must have lowest at least 0 and below highest");
  }
  const bool is_share =
      !keys.rewrite_above || (*keys.rewrite_above >= 0.0 && *keys.rewrite_above <= 1.0);
  if (!is_share) {
    throw Error(ErrorCategory::Model, where + ": decision.rewrite_above must be from 0 to 1");
  }
}

}  // namespace

PromptTemplate parse_prompt_template(const std::string& json_text, const std::string& where) {
  PromptTemplate result;
  double rewrite_above = std::numeric_limits<double>::quiet_NaN();  // where the file is silent
  ObjectReader file(where, "");
  file.ignored("vision_model_type")
      .object("prompt",
              [&result](ObjectReader& prompt) {
                prompt.text("before_caption", result.before_caption)
                    .text("after_caption", result.after_caption)
                    .text("after_image", result.after_image);
              })
      .object("answer", [&result](ObjectReader& answer) { describe_answer(answer, result.keys); })
      .object("score_scale",
              [&result](ObjectReader& scale) {
                scale.number("lowest", result.keys.lowest_score)
                    .number("highest", result.keys.highest_score);
              })
      .object("decision", [&rewrite_above](ObjectReader& decision) {
        decision.number("rewrite_above", rewrite_above);
      });
  try {
    file.read(Json::parse(json_text));
  } catch (const Json::exception& error) {
    throw Error(ErrorCategory::Model, where + ": not valid JSON: " + error.what());
  }
  if (!std::isnan(rewrite_above)) result.keys.rewrite_above = rewrite_above;
  check_keys(result.keys, where);
  return result;
}

PromptTemplate load_prompt_template(const std::filesystem::path& model_folder) {
  const std::filesystem::path path = model_folder / "aitqe.json";
  if (!std::filesystem::exists(path)) return {};
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw Error(ErrorCategory::Model, path.string() + ": cannot be read");
  return parse_prompt_template(text.str(), path.string());
}

}  // namespace aitqe
