#include "aitqe/train/recipe.h"

#include <toml++/toml.h>

#include <functional>
#include <limits>
#include <map>
#include <sstream>

#include "aitqe/base/error.h"
#include "aitqe/data/caption.h"
#include "aitqe/train/neighbours.h"

namespace aitqe {

namespace {

/// Reads one table key by key; every error names file and key.
class TableReader {
 public:
  using Setter = std::function<void(const toml::node& node, const std::string& where)>;

  explicit TableReader(std::string where) : where_(std::move(where)) {}

  TableReader& text(const char* key, std::string& target) {
    return with(key, [&target](const toml::node& node, const std::string& where) {
      if (!node.is_string()) fail(where, "a text");
      target = *node.value<std::string>();
    });
  }
  TableReader& path(const char* key, std::filesystem::path& target) {
    return with(key, [&target](const toml::node& node, const std::string& where) {
      if (!node.is_string()) fail(where, "a path");
      target = *node.value<std::string>();
    });
  }
  TableReader& texts(const char* key, std::vector<std::string>& target) {
    return with(key, [&target](const toml::node& node, const std::string& where) {
      const toml::array* list = node.as_array();
      if (list == nullptr) fail(where, "a list of texts");
      for (const toml::node& one : *list) {
        if (!one.is_string()) fail(where, "a list of texts");
        target.push_back(*one.value<std::string>());
      }
    });
  }
  TableReader& number(const char* key, double& target, double lowest = 0,
                      double highest = std::numeric_limits<double>::max()) {
    return with(key, [=, &target](const toml::node& node, const std::string& where) {
      const auto value = node.value<double>();
      if (!value || !(*value >= lowest && *value <= highest)) {
        std::ostringstream range;
        range << "a number of at least " << lowest;
        if (highest < std::numeric_limits<double>::max()) range << " and at most " << highest;
        fail(where, range.str());
      }
      target = *value;
    });
  }
  TableReader& count(const char* key, int& target, int lowest = 0) {
    return with(key, [=, &target](const toml::node& node, const std::string& where) {
      const auto value = node.is_integer() ? node.value<std::int64_t>() : std::nullopt;
      if (!value || *value < lowest || *value > std::numeric_limits<int>::max()) {
        fail(where, "a whole number of at least " + std::to_string(lowest));
      }
      target = static_cast<int>(*value);
    });
  }
  TableReader& flag(const char* key, bool& target) {
    return with(key, [&target](const toml::node& node, const std::string& where) {
      if (!node.is_boolean()) fail(where, "true or false");
      target = *node.value<bool>();
    });
  }
  /// `[[key]]`: each table of the list is read by what `describe` says.
  template <typename T>
  TableReader& tables(const char* key, std::vector<T>& target,
                      std::function<void(TableReader&, T&)> describe) {
    return with(key, [&target, describe](const toml::node& node, const std::string& where) {
      const toml::array* list = node.as_array();
      if (list == nullptr) fail(where, "a list of tables");
      for (const toml::node& one : *list) {
        if (!one.is_table()) fail(where, "a list of tables");
        T item;
        TableReader reader(where + "[" + std::to_string(target.size()) + "]");
        describe(reader, item);
        reader.read(*one.as_table());
        target.push_back(std::move(item));
      }
    });
  }
  TableReader& with(const char* key, Setter setter) {
    setters_[key] = std::move(setter);
    return *this;
  }

  void read(const toml::table& table) const {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      const auto setter = setters_.find(name);
      if (setter == setters_.end()) {
        std::string known;
        for (const auto& [one, unused] : setters_) known += (known.empty() ? "" : ", ") + one;
        throw Error(ErrorCategory::Usage,
                    where_ + ": unknown key \"" + name + "\"; known here: " + known);
      }
      setter->second(node, where_ + ": " + name);
    }
  }

  [[noreturn]] static void fail(const std::string& where, const std::string& expected) {
    throw Error(ErrorCategory::Usage, where + ": expected " + expected);
  }

 private:
  std::string where_;
  std::map<std::string, Setter> setters_;
};

void describe_lora(TableReader& table, TrainedLora& lora) {
  table.text("modules", lora.lora.modules)
      .count("rank", lora.lora.rank, 1)
      .number("alpha", lora.lora.alpha)
      .number("learning_rate", lora.learning_rate);
}

void describe_trained(TableReader& table, TrainedTensors& trained) {
  table.text("tensors", trained.tensors).number("learning_rate", trained.learning_rate);
}

void describe_stage(TableReader& table, StageOptions& stage) {
  table.text("name", stage.name)
      .with("task",
            [&stage](const toml::node& node, const std::string& where) {
              static const std::map<std::string, StageTask> tasks = {
                  {"align", StageTask::Align},
                  {"caption", StageTask::Caption},
                  {"judge", StageTask::Judge}};
              const auto found = tasks.find(node.value_or(std::string()));
              if (found == tasks.end()) {
                TableReader::fail(where, "\"align\", \"caption\" or \"judge\"");
              }
              stage.task = found->second;
            })
      .texts("shards", stage.shards)
      .path("vectors", stage.vectors)
      .count("num_steps", stage.num_steps, 1)
      .count("images_per_step", stage.images_per_step, 1)
      .count("accumulate", stage.accumulate, 1)
      .tables<TrainedTensors>("train", stage.train, describe_trained)
      .tables<TrainedLora>("lora", stage.lora, describe_lora)
      .count("warmup_steps", stage.warmup_steps)
      .number("final_rate", stage.final_rate, 0, 1)
      .number("weight_decay", stage.weight_decay)
      .number("clip_norm", stage.clip_norm)
      .flag("augment", stage.augment)
      .path("concepts", stage.concepts)
      .count("concepts_per_step", stage.concepts_per_step)
      .number("rank_weight", stage.rank_weight)
      .count("swapped_captions", stage.swapped_captions)
      .count("neighbours", stage.neighbours)
      .number("verdict_weight", stage.verdict_weight)
      .number("caption_share", stage.caption_share, 0, 1)
      .flag("full_answers", stage.full_answers)
      .texts("validation_shards", stage.validation_shards)
      .count("validation_images", stage.validation_images, 1)
      .count("validate_every_steps", stage.validate_every_steps, 1)
      .flag("keep_best", stage.keep_best);
}

void check_stage(const StageOptions& stage, const std::string& where) {
  const auto need = [&](bool holds, const char* what) {
    if (!holds) TableReader::fail(where + ": stage \"" + stage.name + "\"", what);
  };
  need(!stage.name.empty(), "a name");
  need(!stage.shards.empty(), "shards to learn from");
  need(stage.num_steps > 0, "num_steps");
  need(!stage.train.empty() || !stage.lora.empty(), "something that learns: train or lora");
  need(stage.images_per_step % stage.accumulate == 0,
       "images_per_step to be a multiple of accumulate");
  need(stage.swapped_captions < stage.images_per_step / stage.accumulate,
       "swapped_captions to be below images_per_step / accumulate");
  need(stage.task != StageTask::Align || !stage.vectors.empty(), "vectors, for align");
  need(stage.neighbours <= Neighbours::kNearest &&
           stage.neighbours < stage.images_per_step / stage.accumulate,
       "neighbours to be at most 12 and below images_per_step / accumulate");
  need(stage.neighbours == 0 || !stage.vectors.empty(), "vectors, for neighbours");
  need(stage.task == StageTask::Align || stage.neighbours > 0 || stage.vectors.empty(),
       "vectors for align and neighbours alone");
  need(stage.concepts.empty() == (stage.concepts_per_step == 0),
       "concepts and concepts_per_step together");
  need(!stage.keep_best || !stage.validation_shards.empty(), "validation_shards, for keep_best");
  const StageOptions unset;
  need(stage.task == StageTask::Judge ||
           (stage.rank_weight == unset.rank_weight && stage.full_answers == unset.full_answers &&
            stage.swapped_captions == unset.swapped_captions &&
            stage.neighbours == unset.neighbours && stage.verdict_weight == unset.verdict_weight &&
            stage.caption_share == unset.caption_share),
       "rank_weight, swapped_captions, neighbours, verdict_weight, caption_share and full_answers "
       "for judge alone");
  need(stage.task != StageTask::Align || stage.accumulate == 1,
       "accumulate = 1: alignment compares the images of a whole step");
}

}  // namespace

Recipe Recipe::read(const std::filesystem::path& path) {
  Recipe recipe;
  const std::string where = path.string();
  toml::table table;
  try {
    table = toml::parse_file(where);
  } catch (const toml::parse_error& error) {
    std::ostringstream message;
    message << where << ":" << error.source().begin.line << ": " << error.description();
    throw Error(ErrorCategory::Usage, message.str());
  }
  TableReader reader(where);
  reader.path("model", recipe.model)
      .path("adapter", recipe.adapter)
      .text("dtype", recipe.dtype)
      .text("caption_from", recipe.caption_from)
      .with("seed",
            [&recipe](const toml::node& node, const std::string& key) {
              const auto seed = node.value<std::int64_t>();
              if (!seed || *seed < 0) TableReader::fail(key, "a whole number of at least 0");
              recipe.seed = static_cast<std::uint64_t>(*seed);
            })
      .count("save_every_steps", recipe.save_every_steps, 1)
      .tables<StageOptions>("stage", recipe.stages, describe_stage);
  reader.read(table);
  try {
    CaptionSource::parse(recipe.caption_from);
  } catch (const Error&) {
    TableReader::fail("caption_from = \"" + recipe.caption_from + "\"", "txt or json:FIELD");
  }
  if (recipe.model.empty()) TableReader::fail(where, "model, the folder to start from");
  if (recipe.stages.empty()) TableReader::fail(where, "at least one [[stage]]");
  for (const StageOptions& stage : recipe.stages) check_stage(stage, where);
  return recipe;
}

}  // namespace aitqe
