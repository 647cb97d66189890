#include "aitqe/eval/trial.h"

#include <nlohmann/json.hpp>

namespace aitqe {

namespace {

std::string source_of(const Sample& sample, const std::string& shard) {
  const Member* member = find_member(sample, "json");
  if (member == nullptr) return shard;
  const auto json = nlohmann::json::parse(member->bytes, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("source") || !json.at("source").is_string()) return shard;
  return json.at("source").get<std::string>();
}

Sample with_caption(const std::string& key, const Member& image, const std::string& caption) {
  Sample sample;
  sample.key = key;
  sample.members.push_back(image);
  sample.members.back().name = key + "." + image.suffix;
  sample.members.push_back({key + ".txt", "txt", caption, {}, 0});
  return sample;
}

}  // namespace

std::vector<Trial> TrialMaker::operator()(const Sample& sample, const std::string& shard,
                                          const SourcePair& pair, const Member* other_image) const {
  const Member& image = *find_image(sample);
  const std::string where = shard + "/" + sample.key;
  const std::string source = source_of(sample, shard);
  std::vector<Trial> trials;
  const auto add = [&](const std::string& kind, const std::string& caption, const Member& under,
                       const std::string& truth) {
    trials.push_back(
        {where, source, kind, caption, truth, with_caption(sample.key, under, caption)});
  };
  if (pair.kind == SourcePair::Kind::Vague) return trials;
  if (pair.kind == SourcePair::Kind::Generic) {
    add(kShippedTrial, pair.caption, image, pair.better);
    return trials;
  }
  add(kGoodTrial, pair.caption, image, pair.caption);
  for (std::size_t i = 0; i < kNumFlaws; ++i) {
    const auto flaw = static_cast<Flaw>(i);
    if (options_.flaws.weight(flaw) <= 0) continue;
    Random random(hash_text(where, mix_bits(options_.seed * kNumFlaws + i)));
    const auto spoiled = corruptor_.spoil(
        {pair.caption, pair.group, pair.translations, pair.true_texts()}, flaw, random);
    if (!spoiled || spoiled->text == pair.caption) continue;
    add(std::string(flaw_name(flaw)), spoiled->text, image, pair.caption);
    if (flaw == Flaw::OtherImage && other_image != nullptr) {
      add(kControlGood, pair.caption, *other_image, "");
      add(kControlBad, spoiled->text, *other_image, "");
    }
  }
  return trials;
}

}  // namespace aitqe
