#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "aitqe/select/select_rows.h"

namespace aitqe {

struct ReshardOptions {
  std::filesystem::path folder;
  /// Samples in a tar. At least 1.
  std::int64_t pairs_per_shard = 10'000;
};

/// The selected samples in new tars: 00000.tar, 00001.tar, ... with every member verbatim and in
/// order, and sizes.json, which says how many samples each holds. A key that a tar has already
/// begins the next one early: to loaders they would be one sample. The folder appears when it is
/// complete.
/// After `aitqe score` the samples are those of the shards that it read.
class Resharder : public RowSink {
 public:
  /// @throws Error(Output) when the folder is there already.
  explicit Resharder(ReshardOptions options);
  ~Resharder() override;

  void begin_shard(const FinishedShard& shard) override;
  /// @throws Error(NoInput), Error(Damaged) when the sample cannot be read.
  void add(const SelectedRow& selected) override;
  void finish() override;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace aitqe
