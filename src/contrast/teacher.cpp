#include "aitqe/contrast/teacher.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "aitqe/base/error.h"

namespace aitqe {

namespace {

using Json = nlohmann::json;

double read_score(const Json& value, std::string_view name) {
  constexpr double kLowest = 1;
  constexpr double kHighest = 10;
  if (!value.is_number() || value.get<double>() < kLowest || value.get<double>() > kHighest) {
    throw std::invalid_argument("scores." + std::string(name) + " is " + value.dump() +
                                ", expected a number from 1 to 10");
  }
  return value.get<double>();
}

std::string read_text(const Json& row, const std::string& name) {
  if (!row.contains(name) || row.at(name).is_null()) return {};
  if (!row.at(name).is_string()) throw std::invalid_argument(name + " is no text");
  return row.at(name).get<std::string>();
}

Assessment read_row(const Json& row) {
  Assessment assessment;
  if (!row.contains("scores") || !row.at("scores").contains("overall")) {
    throw std::invalid_argument("no scores.overall");
  }
  for (std::size_t i = 0; i < kNumScoreFields; ++i) {
    const auto field = static_cast<ScoreField>(i);
    const std::string name(score_field_name(field));
    if (row.at("scores").contains(name)) {
      assessment.scores.at(field) = read_score(row.at("scores").at(name), name);
    }
    if (row.contains("explanations")) {
      assessment.explanations.at(field) = read_text(row.at("explanations"), name);
    }
  }
  const std::string recaption = read_text(row, "recaption");
  if (!recaption.empty()) assessment.recaption = recaption;
  assessment.usable = true;
  return assessment;
}

}  // namespace

TeacherNotes TeacherNotes::read(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) {
    throw Error(ErrorCategory::NoInput, path.string() + ": cannot be read (--teacher)");
  }
  TeacherNotes notes;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    try {
      const Json row = Json::parse(line);
      if (!row.is_object()) throw std::invalid_argument("no JSON object");
      const std::string key = read_text(row, "key");
      if (key.empty()) throw std::invalid_argument("no key");
      if (!notes.by_key.emplace(key, read_row(row)).second) {
        throw std::invalid_argument("key \"" + key + "\" was there before");
      }
    } catch (const std::exception& error) {  // Json's and ours: this row alone
      notes.unusable.push_back(path.string() + ":" + std::to_string(number) + ": " + error.what());
    }
  }
  return notes;
}

}  // namespace aitqe
