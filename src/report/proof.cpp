#include "aitqe/report/proof.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "aitqe/base/log.h"
#include "aitqe/base/random.h"
#include "aitqe/data/shard_output.h"
#include "aitqe/data/webdataset.h"
#include "aitqe/text/unicode.h"
#include "hashed_lines.h"
#include "json_fields.h"
#include "why_not_done.h"

namespace aitqe {
namespace {

constexpr const char* kRecordSuffix = "aitqe.json";
/// Of one kind in one shard; the rest is counted.
constexpr std::int64_t kMostOfAKind = 5;

/// What the record in the tar must share with the row.
std::uint64_t fingerprint(std::string_view key, std::string_view decision, std::string_view reason,
                          std::string_view recaption) {
  std::uint64_t hash = hash_text(key, 1);
  for (const std::string_view part : {decision, reason, recaption}) {
    hash = hash_text(part, mix_bits(hash));
  }
  return hash;
}

/// Throws on what says nothing of the files: a folder that cannot be asked now.
void require_about_files(const Error& error) {
  const bool says_nothing =
      error.category() == ErrorCategory::Resumable || error.category() == ErrorCategory::Usage;
  if (says_nothing) throw error;
}

class Prover {
 public:
  Prover(const OutputFolder& folder, const std::string& shard, const RunFile& run,
         const ProofListener& listener)
      : folder_(folder), shard_(shard), run_(run), listener_(listener) {}

  ShardProof run() {
    const auto found = committed(folder_, shard_);
    if (!found) {
      const std::string reason = why_not_done(folder_, shard_);
      add("not_done", reason.empty() ? "there is no " + name_of(".aitqe.stats.json") : reason,
          /*rerun_mends=*/true);
      return finish();
    }
    try {
      proof_.stats = stats_from_json(found->dump());
    } catch (const Error& error) {
      add("stats", error.what());
      return finish();
    }
    if (was_cut_off(proof_.stats)) add("cut_off", kCutOffNote, /*rerun_mends=*/true);
    check_origin();
    check_rows();
    check_files();
    check_summary();
    return finish();
  }

 private:
  void add(const std::string& kind, const std::string& detail, bool rerun_mends = false) {
    if (++counts_[kind] <= kMostOfAKind) {
      proof_.problems.push_back({shard_, kind, detail, rerun_mends});
    }
  }

  ShardProof finish() {
    for (const auto& [kind, count] : counts_) {
      if (count <= kMostOfAKind) continue;
      proof_.problems.push_back({shard_, kind,
                                 formatted("and %ld more", static_cast<long>(count - kMostOfAKind)),
                                 false});
    }
    return std::move(proof_);
  }

  std::string name_of(const std::string& suffix) const { return shard_ + suffix; }

  void check_origin() {
    if (proof_.stats.shard != shard_) add("stats", "is of shard \"" + proof_.stats.shard + "\"");
    if (proof_.stats.config_sha256 != run_.config_sha256) {
      add("other_configuration", "was made by another configuration than run.json pins");
    }
    if (proof_.stats.model_sha256 != run_.model_sha256) {
      add("other_model", "was made by another model than run.json pins");
    }
  }

  const FileIdentity* identity(const std::string& name) const {
    const auto& files = proof_.stats.files;
    const auto found = std::find_if(files.begin(), files.end(),
                                    [&](const FileIdentity& file) { return file.name == name; });
    return found == files.end() ? nullptr : &*found;
  }

  void expect_hash(const FileIdentity& file, std::string_view sha256) {
    if (file.sha256 == sha256) return;
    add("sha256", file.name + ": sha256 is " + std::string(sha256.substr(0, 12)) +
                      "..., its stats say " + file.sha256.substr(0, 12) + "...");
  }

  void check_rows() {
    const FileIdentity* file = identity(name_of(".aitqe.jsonl"));
    if (file == nullptr) {
      add("file", "the stats name no rows");
      return;
    }
    try {
      proof_.is_counted = true;
      const auto source = folder_.open_file(file->name);
      const HashedFile read =
          read_hashed(*source, [this](std::string_view line) { check_row(line); });
      expect_hash(*file, read.sha256);
      if (!read.ends_with_line_end) add("row", file->name + ": the last line has no end");
    } catch (const Error& error) {
      require_about_files(error);
      add("row", file->name + ": " + error.what());
    }
    if (listener_.rows_end) listener_.rows_end();
  }

  void check_row(std::string_view line) {
    const auto number = std::ssize(rows_);
    try {
      const ReportRow row = from_json_line(line);
      rows_.push_back({row.index, fingerprint(row.key, decision_name(row.decision), row.reason,
                                              row.recaption)});
      const bool in_order = run_.has_sampling() ? row.index > last_index_ : row.index == number;
      if (!in_order) {
        add("row_order", formatted("row %ld has index %ld", static_cast<long>(number),
                                   static_cast<long>(row.index)));
      }
      last_index_ = row.index;
      if (row.shard != shard_) {
        add("row", formatted("row %ld is of shard ", static_cast<long>(number)) + row.shard);
      }
      summary_.add(row);
      if (listener_.row) listener_.row(row);
    } catch (const Error& error) {
      rows_.push_back({});
      add("row", formatted("row %ld: ", static_cast<long>(number)) + error.what());
    }
  }

  void check_files() {
    const std::string tar = name_of(".tar");
    if (run_.writes_shards() && identity(tar) == nullptr) add("file", "the stats name no " + tar);
    for (const FileIdentity& file : proof_.stats.files) {
      if (file.name == name_of(".aitqe.jsonl")) continue;
      try {
        expect_hash(file, file.name == tar ? check_tar(file.name)
                                           : read_hashed(*folder_.open_file(file.name)).sha256);
      } catch (const Error& error) {
        require_about_files(error);
        add("file", error.what());
      }
    }
  }

  /// @return the tar's sha256.
  std::string check_tar(const std::string& name) {
    HashedSource source(folder_.open_file(name));
    LossLog losses;
    TarReader members(source, losses);
    SampleReader samples(members, with_room_for_record());
    std::int64_t count = 0;
    while (const auto sample = samples.next()) check_sample(*sample, count++);
    for (const ArchiveDamage& damage : losses.entries()) add("tar", damage.message);
    if (count != std::ssize(rows_)) {
      add("row_count", formatted("%s holds %ld pairs, there are %ld rows", name.c_str(),
                                 static_cast<long>(count), static_cast<long>(std::ssize(rows_))));
    }
    return source.sha256();
  }

  /// A sample that was split for its size is found as it was written.
  static GroupingOptions with_room_for_record() {
    GroupingOptions options;
    ++options.max_sample_members;
    return options;
  }

  void check_sample(const Sample& sample, std::int64_t number) {
    if (number >= std::ssize(rows_)) return;
    const KnownRow& row = rows_[static_cast<std::size_t>(number)];
    if (listener_.sample) listener_.sample(sample, row.index);
    const Member* record = find_member(sample, kRecordSuffix);
    if (record == nullptr) {
      add("record", "pair \"" + sample.key + "\" has no member ." + kRecordSuffix);
      return;
    }
    const Json json = Json::parse(record->bytes, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) {
      add("record", sample.key + "." + kRecordSuffix + " is not JSON");
      return;
    }
    const auto text = [&json](const char* key) {
      return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
    };
    const auto found =
        fingerprint(repair_utf8(sample.key), text("decision"), text("reason"), text("recaption"));
    if (found != row.fingerprint) {
      add("key", formatted("pair %ld of the tar, \"", static_cast<long>(number)) + sample.key +
                     "\", is not that of its row");
    }
  }

  void check_summary() {
    if (!proof_.is_counted) return;
    summary_.damage = proof_.stats.summary.damage;  // rows know nothing of it
    if (summary_ == proof_.stats.summary) return;
    if (summary_.read != proof_.stats.summary.read) {
      add("row_count", formatted("%ld rows, the stats say %ld", static_cast<long>(summary_.read),
                                 static_cast<long>(proof_.stats.summary.read)));
    } else {
      add("summary", "the rows do not come to the counts of the stats");
    }
  }

  const OutputFolder& folder_;
  const std::string& shard_;
  const RunFile& run_;
  const ProofListener& listener_;
  struct KnownRow {
    std::int64_t index = -1;
    std::uint64_t fingerprint = 0;
  };

  std::vector<KnownRow> rows_;
  std::int64_t last_index_ = -1;
  Summary summary_;
  std::map<std::string, std::int64_t> counts_;
  ShardProof proof_;
};

}  // namespace

ShardProof prove_shard(const OutputFolder& folder, const std::string& shard, const RunFile& run,
                       const ProofListener& listener) {
  return Prover(folder, shard, run, listener).run();
}

}  // namespace aitqe
