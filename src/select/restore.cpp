#include "aitqe/select/restore.h"

#include <algorithm>
#include <memory>
#include <string>

#include "aitqe/base/error.h"
#include "aitqe/data/webdataset.h"
#include "aitqe/report/row.h"
#include "run_config.h"
#include "staged_folder.h"
#include "tar_file.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRecordSuffix = "aitqe.json";

/// @return true when a new caption gave way to the old one.
bool restore_sample(Sample& sample, const CaptionSource& source, const std::string& tar_name) {
  const Member* record = find_member(sample, kRecordSuffix);
  if (record == nullptr) return false;
  MemberRecord before;
  try {
    before = read_member(record->bytes);
    const bool is_new = before.decision == Decision::Rewrite;
    if (is_new) restore_caption(sample, source, before.caption, before.caption_json);
  } catch (const std::exception& error) {  // Error, or SampleError where the caption is not there
    throw Error(ErrorCategory::Damaged,
                tar_name + ": sample \"" + sample.key + "\": " + error.what());
  }
  std::erase_if(sample.members,
                [](const Member& member) { return member.suffix == kRecordSuffix; });
  return before.decision == Decision::Rewrite;
}

void check_digest(const FinishedShard& shard, const std::string& sha256) {
  const auto& files = shard.stats.files;
  const auto listed = std::find_if(files.begin(), files.end(), [&shard](const FileIdentity& file) {
    return file.name == shard.name() + ".tar";
  });
  if (listed != files.end() && listed->sha256 == sha256) return;
  throw Error(ErrorCategory::Damaged, shard.tar_file().string() +
                                          ": is not the file that was written: its sha256 is " +
                                          sha256 + ", expected " + listed->sha256);
}

std::int64_t restore_tar(const FinishedShard& shard, const fs::path& folder) {
  const CaptionSource caption_source = RunConfig::read(shard.folder).caption_source;
  const std::string name = shard.tar_file().string();
  HashedSource source(open_source({name, shard.name()}));
  LossLog losses;
  TarReader members(source, losses);
  SampleReader samples(members);
  TarFile restored(folder / shard.tar_file().filename());
  std::int64_t num_restored = 0;
  while (auto sample = samples.next()) {
    num_restored += restore_sample(*sample, caption_source, name) ? 1 : 0;
    for (const Member& member : sample->members) restored.add(member);
  }
  for (const Member& member : samples.take_leftovers()) restored.add(member);
  check_digest(shard, source.sha256());
  restored.commit();
  return num_restored;
}

/// The files that lay beside the input shard.
void copy_sidecars(const FinishedShard& shard, const fs::path& folder) {
  for (const FileIdentity& file : shard.stats.files) {
    const bool is_ours =
        file.name == shard.name() + ".tar" || file.name.starts_with(shard.name() + ".aitqe.");
    const bool is_name = fs::path(file.name).filename() == file.name;
    if (!is_ours && is_name) copy_atomically(shard.folder / file.name, folder / file.name);
  }
}

}  // namespace

std::int64_t restore_captions(const std::vector<FinishedShard>& shards, const fs::path& folder) {
  for (const FinishedShard& shard : shards) {
    if (shard.has_tar()) continue;
    throw Error(ErrorCategory::Usage, shard.rows_file().string() +
                                          ": `aitqe score` changed no caption; there is nothing to "
                                          "put back (--restore)");
  }
  StagedFolder restored(folder, "--restore");
  std::int64_t num_restored = 0;
  for (const FinishedShard& shard : shards) {
    num_restored += restore_tar(shard, restored.path());
    copy_sidecars(shard, restored.path());
  }
  restored.commit();
  return num_restored;
}

}  // namespace aitqe
