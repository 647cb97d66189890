#include "aitqe/contrast/teacher.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "aitqe/base/ascii.h"
#include "aitqe/base/error.h"

namespace aitqe {

namespace {

using Json = nlohmann::json;

/// -1 for none.
double read_score(const Json& value, std::string_view name) {
  constexpr double kLowest = 1;
  constexpr double kHighest = 10;
  if (value.is_null() || (value.is_number() && value.get<double>() < 0)) return -1;
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
  if (!row.contains("scores") || !row.at("scores").contains("overall") ||
      read_score(row.at("scores").at("overall"), "overall") < 0) {
    throw std::invalid_argument("no scores.overall");
  }
  for (std::size_t i = 0; i < kNumScoreFields; ++i) {
    const auto field = static_cast<ScoreField>(i);
    const std::string name(score_field_name(field));
    if (row.at("scores").contains(name)) {
      const double score = read_score(row.at("scores").at(name), name);
      if (score >= 0) assessment.scores.at(field) = score;
    }
    if (row.contains("explanations")) {
      assessment.explanations.at(field) = read_text(row.at("explanations"), name);
    }
  }
  const std::string recaption(ascii::trim(read_text(row, "recaption")));
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
    const std::string where = path.string() + ":" + std::to_string(number);
    try {
      const Json row = Json::parse(line);
      if (!row.is_object()) throw std::invalid_argument("no JSON object");
      const std::string key = read_text(row, "key");
      if (key.empty()) throw std::invalid_argument("no key");
      Note note{read_row(row), where};
      if (!notes.notes_.try_emplace({read_text(row, "shard"), key}, std::move(note)).second) {
        throw std::invalid_argument("key \"" + key + "\" was there before");
      }
    } catch (const std::exception& error) {  // Json's and ours: this row alone
      notes.unusable_.push_back(where + ": " + error.what());
    }
  }
  return notes;
}

TeacherNotes::Place TeacherNotes::place_of(const std::string& shard, const std::string& key) const {
  const auto named = notes_.find({shard, key});
  const bool has_named = named != notes_.end() || dropped_.contains({shard, key});
  return has_named ? named : notes_.find({"", key});
}

void TeacherNotes::meet(const std::string& shard, const std::string& key) {
  const Place place = place_of(shard, key);
  if (place != notes_.end()) ++num_samples_[place->first];
}

void TeacherNotes::settle() {
  for (auto it = notes_.begin(); it != notes_.end();) {
    const auto& [name, note] = *it;
    const std::int64_t num_samples = num_samples_[name];
    if (num_samples == 1) {
      ++it;
      continue;
    }
    unusable_.push_back(note.where + ": key \"" + name.second + "\" " +
                        (num_samples == 0 ? "is of no sample here"
                                          : "is of " + std::to_string(num_samples) +
                                                " samples: say which with \"shard\""));
    dropped_.insert(name);
    it = notes_.erase(it);
  }
}

const Assessment* TeacherNotes::find(const std::string& shard, const std::string& key) const {
  const Place place = place_of(shard, key);
  return place == notes_.end() ? nullptr : &place->second.assessment;
}

}  // namespace aitqe
