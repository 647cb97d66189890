#include "aitqe/train/training_set.h"

#include <numeric>
#include <unordered_map>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/base/random.h"
#include "aitqe/contrast/grade.h"
#include "aitqe/contrast/source_pair.h"
#include "aitqe/data/webdataset.h"
#include "aitqe/io/source.h"
#include "aitqe/io/url.h"

namespace aitqe {

namespace {

/// Text and image of one sample.
struct Found {
  std::string source_key;
  TrainingText text;
  std::int64_t header_offset = 0;
};

Found read_training_sample(const Sample& sample, const Member& record) {
  const Member* image = find_image(sample);
  const Member* caption = find_text(sample);
  if (image == nullptr) throw SampleError("no_image");
  if (caption == nullptr) throw SampleError("no_caption");
  Found found;
  found.text = {caption->bytes, TrainingRecord::from_json(record.bytes)};
  found.source_key = found.text.record.source_key;
  found.header_offset = image->header_offset;
  return found;
}

Found read_captioned_sample(const Sample& sample, const CaptionSource& source) {
  const SourcePair pair = read_source_pair(sample, source);
  const bool is_junk = pair.kind == SourcePair::Kind::Generic;
  if (is_junk && pair.better.empty()) throw SampleError("generic_without_better");
  if (pair.kind == SourcePair::Kind::Vague) throw SampleError("vague");
  const std::string& caption = is_junk ? pair.better : pair.caption;
  Random random(hash_text(sample.key, 0));
  return {sample.key,
          {caption, {sample.key, true, "", "", grade_good(caption, random)}},
          find_image(sample)->header_offset};
}

}  // namespace

TrainingSet TrainingSet::read(const std::vector<ShardRef>& shards, const CaptionSource& source) {
  TrainingSet set;
  set.shards_ = shards;
  for (std::size_t shard = 0; shard < shards.size(); ++shard) {
    const std::string& url = shards[shard].url;
    if (!is_local_file(shards[shard]) || !url.ends_with(".tar")) {
      throw Error(ErrorCategory::Usage,
                  without_secrets(url) + ": training reads plain .tar files only");
    }
    const auto file = open_source(shards[shard]);
    LossLog losses;
    TarReader members(*file, losses);
    SampleReader samples(members);
    std::unordered_map<std::string, std::size_t> image_of;
    while (const auto sample = samples.next()) {
      const std::string where = shards[shard].name + "/" + sample->key;
      try {
        const Member* record = find_member(*sample, std::string(kTrainingRecordSuffix));
        Found found = record != nullptr ? read_training_sample(*sample, *record)
                                        : read_captioned_sample(*sample, source);
        const auto [place, is_new] = image_of.try_emplace(found.source_key, set.images_.size());
        if (is_new) set.images_.push_back({where, shard, found.header_offset, {}, {}});
        TrainingImage& image = set.images_[place->second];
        auto& texts = found.text.record.is_good ? image.good : image.bad;
        texts.push_back(std::move(found.text));
      } catch (const SampleError& error) {
        set.unusable_.add(where, error);
      }
    }
    for (const ArchiveDamage& damage : losses.entries()) log_warning(damage.message);
  }
  if (set.images_.empty()) {
    throw Error(ErrorCategory::NoInput,
                "no image with a text in " + std::to_string(shards.size()) + " shards" +
                    (set.unusable_.empty() ? "" : ":\n" + set.unusable_.render("  left out: ")));
  }
  return set;
}

std::string TrainingSet::image_bytes(std::size_t index) const {
  const TrainingImage& image = images_[index];
  const auto file = FileSource::open(shards_[image.shard].url, image.header_offset);
  LossLog losses;
  TarReader members(*file, losses);
  auto member = members.next();
  if (!member || !losses.entries().empty()) {
    throw SampleError("image_gone: " + image.key + " is no longer where it was in its shard");
  }
  return std::move(member->bytes);
}

std::size_t Epochs::item(std::int64_t place) {
  const auto count = static_cast<std::int64_t>(count_);
  const std::int64_t epoch = place / count;
  if (epoch != epoch_) {
    order_.resize(count_);
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    Random(mix_bits(seed_ + static_cast<std::uint64_t>(epoch))).shuffle(order_);
    epoch_ = epoch;
  }
  return order_[static_cast<std::size_t>(place % count)];
}

}  // namespace aitqe
