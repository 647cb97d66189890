#include "aitqe/select/patch.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "aitqe/io/sink.h"
#include "staged_folder.h"

namespace aitqe {

class PatchWriter::State {
 public:
  explicit State(const std::filesystem::path& folder) : folder_(folder, "--patch") {}

  void begin_shard(const FinishedShard& shard) {
    end_shard();
    file_.emplace(folder_.path() / (shard.name() + ".patch.jsonl"));
  }

  void add(const ReportRow& row) {
    if (row.decision != Decision::Rewrite) return;
    const nlohmann::ordered_json line = {{"schema", kPatchSchema},
                                         {"key", row.key},
                                         {"index", row.index},
                                         {"caption_sha256", row.caption_sha256},
                                         {"caption", row.caption_out}};
    constexpr bool kAscii = true;  // no reader takes U+2028 for the end of a line
    file_->write(line.dump(-1, ' ', kAscii, nlohmann::ordered_json::error_handler_t::replace));
    file_->write("\n");
  }

  void finish() {
    end_shard();
    folder_.commit();
  }

 private:
  void end_shard() {
    if (file_) file_->commit();
    file_.reset();
  }

  StagedFolder folder_;
  std::optional<AtomicFile> file_;
};

PatchWriter::PatchWriter(const std::filesystem::path& folder)
    : state_(std::make_unique<State>(folder)) {}
PatchWriter::~PatchWriter() = default;
void PatchWriter::begin_shard(const FinishedShard& shard) { state_->begin_shard(shard); }
void PatchWriter::add(const SelectedRow& selected) { state_->add(selected.row); }
void PatchWriter::finish() { state_->finish(); }

}  // namespace aitqe
