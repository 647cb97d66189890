#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "aitqe/data/webdataset.h"
#include "aitqe/select/select_rows.h"

namespace aitqe {

/// The samples that rows of one shard are about: those of the run's own tar, or, after
/// `aitqe score`, those of the shard that it read. One thread at a time.
class ShardSamples {
 public:
  /// @throws Error(NoInput) when the tar cannot be opened.
  explicit ShardSamples(const FinishedShard& shard);

  /// @param selected  later in the shard than the one before.
  /// @throws Error(Damaged) when the tar does not hold it.
  Sample find(const SelectedRow& selected);

 private:
  bool is_own_tar_;
  std::unique_ptr<Source> source_;
  LossLog losses_;
  TarReader members_;
  SampleReader samples_;
};

}  // namespace aitqe
