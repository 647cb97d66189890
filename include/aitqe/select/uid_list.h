#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

#include "aitqe/select/select_rows.h"

namespace aitqe {

/// The uids of the selected rows as DataComp's tools take them: a NumPy file of dtype `u8,u8`, the
/// two halves of a 128-bit uid in hex, the upper one first; sorted, each uid once. 16 bytes a row
/// in memory.
/// Source: `parse` and `searchsorted` in DataComp's resharder.py.
class UidList : public RowSink {
 public:
  explicit UidList(std::filesystem::path path) : path_(std::move(path)) {}

  /// @throws Error(Usage) for a row without such a uid.
  void add(const SelectedRow& selected) override;
  /// @throws Error(Output)
  void finish() override;

 private:
  std::filesystem::path path_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> uids_;
};

}  // namespace aitqe
