#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "aitqe/select/select_rows.h"

namespace aitqe {

inline constexpr std::string_view kPatchSchema = "aitqe.patch/1";

/// The new captions of the selected rows, without the images: for each shard NAME.patch.jsonl with
/// one line per rewritten pair (docs/formats.md); also for a shard with none, which shows that it
/// was not forgotten. The folder appears when it is complete.
class PatchWriter : public RowSink {
 public:
  /// @throws Error(Output) when the folder is there already.
  explicit PatchWriter(const std::filesystem::path& folder);
  ~PatchWriter() override;

  void begin_shard(const FinishedShard& shard) override;
  void add(const SelectedRow& selected) override;
  void finish() override;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace aitqe
