#include "aitqe/contrast/contrast.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/contrast/grade.h"
#include "aitqe/data/shard_output.h"
#include "aitqe/data/webdataset.h"
#include "aitqe/io/sink.h"
#include "aitqe/io/url.h"
#include "aitqe/quality/rewrite_guard.h"

namespace aitqe {

namespace {

void for_each_sample(const ShardRef& shard, const std::function<void(const Sample&)>& use) {
  const std::unique_ptr<Source> source = open_source(shard);
  LossLog losses;
  TarReader members(*source, losses);
  SampleReader samples(members);
  while (const auto sample = samples.next()) use(*sample);
  for (const ArchiveDamage& damage : losses.entries()) log_warning(damage.message);
}

CaptionPool pool_captions(const ContrastOptions& options, TeacherNotes& teacher) {
  CaptionPool pool;
  for (const ShardRef& shard : options.shards) {
    for_each_sample(shard, [&](const Sample& sample) {
      if (sample.problems.empty()) teacher.meet(shard.name, sample.key);
      try {
        const SourcePair pair = read_source_pair(sample, options.caption_source);
        if (pair.kind == SourcePair::Kind::Vague) return;
        const bool is_junk = pair.kind == SourcePair::Kind::Generic;
        pool.add({pair.caption, pair.group, is_junk});
        if (is_junk && !pair.better.empty()) pool.add({pair.better, pair.group, false});
      } catch (const SampleError&) {
        return;  // counted when the shard is written
      }
    });
  }
  pool.seal();
  teacher.settle();
  return pool;
}

/// Writes the samples of one shard.
class TrainingShard {
 public:
  explicit TrainingShard(const std::filesystem::path& path)
      : file_(path), tar_([this](std::string_view bytes) { file_.write(bytes); }) {}

  void add(const Sample& source, const std::string& key, const TrainingSample& sample) {
    const Member* image = find_image(source);
    MemberMetadata metadata;
    metadata.mtime_s = image->metadata.mtime_s;
    tar_.add(key + "." + image->suffix, image->bytes, metadata);
    tar_.add(key + ".txt", sample.caption, metadata);
    tar_.add(key + "." + std::string(kTrainingRecordSuffix), sample.record.to_json(), metadata);
  }

  void commit() {
    tar_.finish();
    file_.commit();
  }

 private:
  AtomicFile file_;
  TarWriter tar_;
};

TrainingSample good_sample(const std::string& key, const std::string& caption,
                           Assessment assessment) {
  return {caption, {key, true, "", "", std::move(assessment)}};
}

TrainingSample bad_sample(const std::string& key, const SpoiledCaption& spoiled,
                          Assessment assessment) {
  return {
      spoiled.text,
      {key, false, std::string(flaw_name(spoiled.flaw)), spoiled.detail, std::move(assessment)}};
}

/// A caption that came bad, judged; the better one that goes with it is the good sample.
std::vector<TrainingSample> shipped_pair(const std::string& key, const std::string& caption,
                                         Assessment assessment, Random& random) {
  const std::string better = *assessment.recaption;
  return {good_sample(key, better, grade_good(better, random)),
          {caption, {key, false, "shipped", "came so", std::move(assessment)}}};
}

/// A sample with what a teacher said of it, or null.
struct NotedSample {
  const Sample& sample;
  const Assessment* note;
};

/// Writes the samples of all rounds; one round that gives none leaves the others.
/// @throws SampleError for a pair that gives none at all.
void contrast_sample(const NotedSample& noted, const ContrastOptions& options,
                     const ContrastMeans& means, TrainingShard& output, ContrastResult& result) {
  const Sample& sample = noted.sample;
  const SourcePair pair = read_source_pair(sample, options.caption_source);
  int num_written = 0;
  for (int round = 0; round < options.num_rounds; ++round) {
    const std::string number = round == 0 ? "" : "-" + std::to_string(round);
    std::vector<TrainingSample> made;
    try {
      made = contrast_pair(sample.key, pair, noted.note, round, means);
    } catch (const SampleError&) {
      const bool is_last_chance = num_written == 0 && round + 1 == options.num_rounds;
      if (is_last_chance) throw;
      continue;
    }
    for (const TrainingSample& one : made) {
      output.add(sample, sample.key + number + (one.record.is_good ? "-good" : "-bad"), one);
      ++result.samples_written;
      ++num_written;
      if (!one.record.is_good) ++result.by_flaw[one.record.flaw];
    }
  }
}

/// `train` takes all shards of a folder.
void warn_of_others(const ContrastOptions& options) {
  std::set<std::string> ours;
  for (const ShardRef& shard : options.shards) ours.insert(shard.name + ".tar");
  for (const auto& entry : std::filesystem::directory_iterator(options.output_folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".tar") || ours.contains(name)) continue;
    log_warning(entry.path().string() + ": is no shard of this run, and would be trained on too");
  }
}

void write_record(const ContrastOptions& options, const ContrastResult& result) {
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;  // names are bytes
  nlohmann::ordered_json record = {{"schema", "aitqe.contrast_run/1"},
                                   {"seed", options.seed},
                                   {"rounds", options.num_rounds},
                                   {"flaws", options.flaws.to_string()},
                                   {"caption_from", options.caption_source.to_string()},
                                   {"teacher", options.teacher_file.has_value()}};
  record["shards"] = nlohmann::ordered_json::array();
  for (const ShardRef& shard : options.shards) record["shards"].push_back(shard.name);
  record["result"] = nlohmann::ordered_json::parse(result.to_json());
  write_atomically(options.output_folder / kContrastFile,
                   record.dump(2, ' ', false, kReplace) + "\n");
}

}  // namespace

std::vector<TrainingSample> contrast_pair(const std::string& key, const SourcePair& pair,
                                          const Assessment* note, int round,
                                          const ContrastMeans& means) {
  Random random(hash_text(key, mix_bits(means.seed + static_cast<std::uint64_t>(round) * 7919)));
  // Below the middle of the scale a caption is no example of a good one.
  constexpr double kLowestGood = 6;
  if (note != nullptr && note->scores.overall < kLowestGood) {
    if (!note->recaption || says_the_same(*note->recaption, pair.caption)) {
      throw SampleError("teacher_low_without_recaption");
    }
    return shipped_pair(key, pair.caption, *note, random);
  }
  if (pair.kind == SourcePair::Kind::Vague && note == nullptr) throw SampleError("vague");
  if (pair.kind == SourcePair::Kind::Generic && note == nullptr) {
    if (pair.better.empty() || says_the_same(pair.better, pair.caption)) {
      throw SampleError("generic_without_better");
    }
    return shipped_pair(key, pair.caption, grade_shipped_bad(pair.better, random), random);
  }
  // Later rounds take other true captions of the same picture where there are some.
  std::string caption = pair.caption;
  if (round > 0 && !pair.texts.empty() && random.below(2) == 0) caption = random.pick(pair.texts);
  const auto spoiled = means.corruptor.spoil(
      {caption, pair.group, pair.translations, pair.true_texts()}, means.flaws, random);
  if (!spoiled) throw SampleError("no_flaw_fits");
  Assessment good;
  if (note != nullptr && caption == pair.caption) {
    good = *note;
    good.recaption.reset();
  } else {
    good = grade_good(caption, random);
  }
  return {good_sample(key, caption, std::move(good)),
          bad_sample(key, *spoiled, grade_spoiled(*spoiled, caption, random))};
}

ContrastResult contrast(const ContrastOptions& options) {
  for (const ShardRef& shard : options.shards) {
    if (!can_be_read_again(shard)) {
      throw Error(ErrorCategory::Usage,
                  without_secrets(shard.url) +
                      ": contrast reads its input twice; give files, not a stream");
    }
  }
  check_output_folder(options.output_folder, options.shards);
  require_writable_folder(options.output_folder);
  ContrastResult result;
  TeacherNotes teacher;
  if (options.teacher_file) teacher = TeacherNotes::read(*options.teacher_file);
  const CaptionPool pool = pool_captions(options, teacher);
  result.unusable_teacher_rows = teacher.unusable();
  const Corruptor corruptor(pool);
  const ContrastMeans means{corruptor, options.flaws, options.seed};
  std::filesystem::create_directories(options.output_folder);
  std::filesystem::remove(options.output_folder / kContrastFile);
  warn_of_others(options);
  for (const ShardRef& shard : options.shards) {
    TrainingShard output(options.output_folder / (shard.name + ".tar"));
    for_each_sample(shard, [&](const Sample& sample) {
      ++result.pairs_read;
      try {
        contrast_sample({sample, teacher.find(shard.name, sample.key)}, options, means, output,
                        result);
      } catch (const SampleError& error) {
        result.skipped.add(shard.name + "/" + sample.key, error);
      }
    });
    output.commit();
  }
  write_record(options, result);
  return result;
}

std::string ContrastResult::to_json() const {
  const nlohmann::ordered_json json = {{"pairs_read", pairs_read},
                                       {"samples_written", samples_written},
                                       {"by_flaw", by_flaw},
                                       {"skipped", skipped.counts()},
                                       {"unusable_teacher_rows", unusable_teacher_rows.size()}};
  return json.dump(2);
}

}  // namespace aitqe
