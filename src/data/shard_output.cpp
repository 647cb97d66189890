#include "aitqe/data/shard_output.h"

#include <algorithm>
#include <cassert>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/base/stream.h"
#include "aitqe/data/journal.h"
#include "aitqe/io/sink.h"
#include "aitqe/io/tar.h"
#include "aitqe/io/url.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRecordSuffix = "aitqe.json";

std::string stats_name(const std::string& shard_name) { return shard_name + ".aitqe.stats.json"; }
std::string rows_name(const std::string& shard_name) { return shard_name + ".aitqe.jsonl"; }
std::string tar_name(const std::string& shard_name) { return shard_name + ".tar"; }

/// Of the files that we make of a shard, side files included.
std::vector<std::string> own_names(const std::string& shard_name) {
  return {tar_name(shard_name), rows_name(shard_name), shard_name + ".aitqe.parquet",
          stats_name(shard_name)};
}

fs::path input_folder(const ShardRef& shard) {
  const fs::path folder = fs::path(shard.url).parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

// `name` is the stem and then a dot or an underscore.
bool belongs_to(const std::string& name, const std::string& stem) {
  return name.size() > stem.size() && name.starts_with(stem) &&
         (name[stem.size()] == '.' || name[stem.size()] == '_');
}

bool is_same_folder(const fs::path& a, const fs::path& b) {
  std::error_code error;
  return fs::weakly_canonical(a, error) == fs::weakly_canonical(b, error) && !error;
}

Member make_record(const Sample& sample, std::string_view record) {
  Member member;
  member.name = sample.key + "." + kRecordSuffix;
  member.suffix = kRecordSuffix;
  member.bytes = record;
  const auto first = std::find_if(sample.members.begin(), sample.members.end(),
                                  [](const Member& other) { return !other.passes_through(); });
  if (first != sample.members.end()) member.metadata = first->metadata;
  member.metadata.mode = 0644;
  return member;
}

}  // namespace

class ShardOutput::State {
 public:
  State(OutputFolder folder, ShardRef shard, ShardOutputOptions options)
      : folder_(std::move(folder)), shard_(std::move(shard)), options_(std::move(options)) {
    sidecars_ = options_.write_tar ? sidecar_files(shard_) : std::vector<fs::path>{};
    remove_stale();
    rows_.emplace(folder_, rows_name(shard_.name), options_.attempt);
    if (!options_.write_tar) return;
    tar_file_.emplace(folder_, tar_name(shard_.name), options_.attempt);
    tar_.emplace([this](std::string_view bytes) { tar_file_->write(bytes); });
  }

  void add(const Sample& sample, std::string_view record, std::string_view report_row) {
    if (tar_) add_to_tar(sample, make_record(sample, record));
    assert(report_row.find('\n') == std::string_view::npos);
    rows_->write(report_row);
    rows_->write("\n");
    ++num_samples_;
    // A host that does not see our locks goes by when a file was written to last, and what is
    // buffered is not.
    rows_->keep_alive();
    if (tar_file_) tar_file_->keep_alive();
    for (const auto& file : side_files_) file->keep_alive();
  }

  void add_member(const Member& member) {
    if (tar_) tar_->add(member.name, member.bytes, member.metadata);
  }

  std::function<void(std::string_view)> open_side_file(const std::string& suffix) {
    const std::string name = shard_.name + suffix;
    side_files_.push_back(std::make_unique<OutputFile>(folder_, name, options_.attempt));
    return [file = side_files_.back().get()](std::string_view bytes) { file->write(bytes); };
  }

  void commit(nlohmann::ordered_json stats) {
    nlohmann::ordered_json files = nlohmann::ordered_json::array();
    const auto put_in_place = [&files](OutputFile& file) {
      const FileDigest digest = file.commit();
      files.push_back(
          {{"name", file.name()}, {"bytes", digest.size_bytes}, {"sha256", digest.sha256}});
    };
    const auto earlier = committed(folder_, shard_.name);
    // Stats of an earlier run must not vouch for the new files, should we stop half way.
    if (folder_.size_bytes(stats_name(shard_.name))) folder_.remove(stats_name(shard_.name));
    if (tar_) {
      tar_->finish();
      put_in_place(*tar_file_);
    }
    put_in_place(*rows_);
    for (const auto& file : side_files_) put_in_place(*file);
    for (const fs::path& sidecar : sidecars_) {
      OutputFile copy(folder_, sidecar.filename().string(), options_.attempt);
      copy_sidecar(sidecar, copy);
      put_in_place(copy);
    }
    if (earlier) remove_outdated((*earlier)["files"], files);
    stats["files"] = std::move(files);
    OutputFile marker(folder_, stats_name(shard_.name), options_.attempt);
    marker.write(stats.dump(2) + "\n");
    marker.commit();
  }

  std::int64_t num_samples() const { return num_samples_; }

 private:
  /// The shard is not complete without it, and its answers are in the journal.
  static void copy_sidecar(const fs::path& sidecar, OutputFile& copy) {
    try {
      copy.write_file(sidecar);
    } catch (const Error& error) {
      if (error.category() != ErrorCategory::NoInput) throw;
      throw Error(ErrorCategory::Resumable, std::string(error.what()) +
                                                "; it belongs to its shard, and the same command "
                                                "goes on once it can be read or is gone");
    }
  }

  // A record that the input brought keeps its place; a second one for the same key would be a
  // duplicate member to every loader.
  void add_to_tar(const Sample& sample, const Member& record) {
    const Member* old_record = find_member(sample, kRecordSuffix);
    const auto last = std::find_if(sample.members.rbegin(), sample.members.rend(),
                                   [](const Member& member) { return !member.passes_through(); });
    for (const Member& member : sample.members) {
      if (&member == old_record) {
        Member renewed = member;
        renewed.bytes = record.bytes;
        add_member(renewed);
      } else {
        add_member(member);
      }
      if (old_record == nullptr && last != sample.members.rend() && &member == &*last) {
        add_member(record);
      }
    }
  }

  void remove_outdated(const nlohmann::ordered_json& earlier,
                       const nlohmann::ordered_json& written) const {
    for (const auto& old_file : earlier) {
      const auto name = old_file["name"].get<std::string>();
      const bool is_written =
          std::any_of(written.begin(), written.end(),
                      [&name](const auto& file) { return file["name"] == name; });
      const bool is_ours = belongs_to(name, shard_.name) && name.find('/') == std::string::npos;
      if (is_ours && !is_written) folder_.remove(name);
    }
  }

  void remove_stale() const {
    std::vector<std::string> names = own_names(shard_.name);
    for (const fs::path& sidecar : sidecars_) names.push_back(sidecar.filename().string());
    remove_stale_temporaries(folder_.work_folder(), names);
  }

  OutputFolder folder_;
  ShardRef shard_;
  ShardOutputOptions options_;
  std::vector<fs::path> sidecars_;
  std::optional<OutputFile> rows_;
  std::optional<OutputFile> tar_file_;
  std::optional<TarWriter> tar_;
  std::vector<std::unique_ptr<OutputFile>> side_files_;
  std::int64_t num_samples_ = 0;
};

ShardOutput::ShardOutput(OutputFolder folder, ShardRef shard, ShardOutputOptions options)
    : state_(std::make_unique<State>(std::move(folder), std::move(shard), std::move(options))) {}
ShardOutput::~ShardOutput() = default;

void ShardOutput::add(const Sample& sample, std::string_view record, std::string_view report_row) {
  state_->add(sample, record, report_row);
}

void ShardOutput::add_pass_through(const std::vector<Member>& members) {
  for (const Member& member : members) state_->add_member(member);
}

std::function<void(std::string_view)> ShardOutput::open_side_file(const std::string& suffix) {
  return state_->open_side_file(suffix);
}

void ShardOutput::commit(nlohmann::ordered_json stats) { state_->commit(std::move(stats)); }

std::int64_t ShardOutput::num_samples() const { return state_->num_samples(); }

std::optional<nlohmann::ordered_json> committed(const OutputFolder& folder,
                                                const std::string& shard_name) {
  const auto text = folder.read(stats_name(shard_name));
  if (!text) return std::nullopt;
  nlohmann::ordered_json stats =
      nlohmann::ordered_json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!stats.is_object() || !stats.contains("files") || !stats["files"].is_array()) {
    return std::nullopt;
  }
  for (const auto& file : stats["files"]) {
    const bool is_complete = file.is_object() && file.contains("name") &&
                             file["name"].is_string() && file.contains("bytes") &&
                             file["bytes"].is_number_unsigned();
    if (!is_complete) return std::nullopt;
    const auto size = folder.size_bytes(file["name"].get<std::string>());
    if (size != file["bytes"].get<std::int64_t>()) return std::nullopt;
  }
  return stats;
}

void for_each_committed(
    const OutputFolder& folder, const std::vector<std::string>& shard_names,
    const std::function<void(std::size_t index, const std::optional<nlohmann::ordered_json>&)>&
        use) {
  constexpr int kAskedAtOnce = 16;
  struct Found {
    std::optional<nlohmann::ordered_json> stats;
  };
  const OutputFolder listed = folder.listed();
  ParallelMap<const std::string*, Found> found(
      [next = shard_names.begin(), end = shard_names.end()]() mutable {
        return next == end ? std::nullopt : std::optional(&*next++);
      },
      [&listed](const std::string* name) { return Found{committed(listed, *name)}; },
      listed.is_local() ? 1 : kAskedAtOnce, std::size_t{2} * kAskedAtOnce);
  for (std::size_t i = 0; i < shard_names.size(); ++i) use(i, found.next()->stats);
}

void discard_work(const OutputFolder& folder, const std::string& shard_name) {
  Journal::discard(folder.work_folder(), shard_name);
  if (folder.is_local()) return;  // who makes the shard again tidies up
  remove_stale_temporaries(folder.work_folder(), own_names(shard_name));
}

std::vector<fs::path> sidecar_files(const ShardRef& shard) {
  if (!is_local_file(shard)) return {};
  std::vector<fs::path> files;
  std::vector<std::string> other_stems;
  std::error_code error;
  for (fs::directory_iterator entry(input_folder(shard), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (has_shard_suffix(name)) {
      other_stems.push_back(shard_stem(name));
    } else if (belongs_to(name, shard.name) && !belongs_to(name, shard.name + ".aitqe") &&
               entry->is_regular_file(error)) {
      files.push_back(entry->path());
    }
  }
  std::erase_if(files, [&](const fs::path& file) {
    return std::any_of(other_stems.begin(), other_stems.end(), [&](const std::string& stem) {
      return stem.size() > shard.name.size() && belongs_to(file.filename().string(), stem);
    });
  });
  std::sort(files.begin(), files.end());
  return files;
}

void check_output_folder(const OutputFolder& folder, const std::vector<ShardRef>& shards) {
  for (const ShardRef& shard : shards) {
    const bool lies_there =
        folder.is_local()
            ? is_local_file(shard) && is_same_folder(folder.work_folder(), input_folder(shard))
            : is_s3_url(shard.url) && shard.url.substr(0, shard.url.rfind('/')) == folder.name();
    if (!lies_there) continue;
    throw Error(ErrorCategory::Usage, folder.name() + ": the input " + shard.url +
                                          " lies in this folder; choose another one with -o");
  }
}

}  // namespace aitqe
