#include "aitqe/select/resharder.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

#include "shard_samples.h"
#include "staged_folder.h"
#include "tar_file.h"

namespace aitqe {
namespace {

std::string tar_name(std::size_t number) {
  char name[32];
  std::snprintf(name, sizeof name, "%05zu.tar", number);
  return name;
}

}  // namespace

class Resharder::State {
 public:
  explicit State(ReshardOptions options)
      : options_(std::move(options)), folder_(options_.folder, "--shards") {}

  void begin_shard() { samples_.reset(); }

  void add(const SelectedRow& selected) {
    if (!samples_) samples_ = std::make_unique<ShardSamples>(selected.shard);
    const Sample sample = samples_->find(selected);
    const bool is_full = static_cast<std::int64_t>(keys_.size()) == options_.pairs_per_shard;
    if (!tar_ || is_full || keys_.contains(sample.key)) begin_tar();
    keys_.insert(sample.key);
    for (const Member& member : sample.members) tar_->add(member);
  }

  void finish() {
    end_tar();
    write_atomically(folder_.path() / "sizes.json", sizes_.dump(2) + "\n");
    folder_.commit();
  }

 private:
  void begin_tar() {
    end_tar();
    tar_.emplace(folder_.path() / tar_name(sizes_.size()));
  }

  void end_tar() {
    if (!tar_) return;
    tar_->commit();
    tar_.reset();
    sizes_[tar_name(sizes_.size())] = keys_.size();
    keys_.clear();
  }

  ReshardOptions options_;
  StagedFolder folder_;
  std::unique_ptr<ShardSamples> samples_;  // of the shard at hand, from its first selected row on
  std::optional<TarFile> tar_;
  std::unordered_set<std::string> keys_;  // of that tar
  nlohmann::ordered_json sizes_ = nlohmann::ordered_json::object();
};

Resharder::Resharder(ReshardOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}
Resharder::~Resharder() = default;
void Resharder::begin_shard(const FinishedShard& shard) { state_->begin_shard(); }
void Resharder::add(const SelectedRow& selected) { state_->add(selected); }
void Resharder::finish() { state_->finish(); }

}  // namespace aitqe
