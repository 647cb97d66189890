#include "aitqe/pipeline/trace.h"

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/text/unicode.h"

namespace aitqe {

Trace::Trace(const std::filesystem::path& path)
    : path_(path), file_(std::fopen(path.c_str(), "wb")) {
  if (!file_) {
    throw Error(ErrorCategory::Output,
                path.string() + ": cannot be written: " + std::strerror(errno) + " (--trace)");
  }
}

void Trace::add(const AssessedSample& sample, const std::string& shard_name) {
  const PreparedSample& prepared = sample.prepared;
  nlohmann::ordered_json line;
  line["key"] = repair_utf8(prepared.sample.key);
  line["shard"] = repair_utf8(shard_name);
  if (prepared.failure) {
    line["failure"] = repair_utf8(prepared.failure->stage + ": " + prepared.failure->reason);
  } else {
    line["input_ids"] = prepared.prompt;
    line["pixels_sha256"] = prepared.pixels_sha256;
    line["first_logits"] = {{"ids", sample.answer.first_logits.ids},
                            {"values", sample.answer.first_logits.values}};
    line["ids"] = sample.answer.ids;
    line["text"] = sample.answer.text;
    line["score_expected"] = sample.answer.score_expected;
    line["p_rewrite"] = sample.answer.p_rewrite;
  }
  const std::string text = line.dump() + "\n";
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() ||
      std::fflush(file_.get()) != 0) {
    throw Error(ErrorCategory::Output,
                path_.string() + ": cannot be written: " + std::strerror(errno) + " (--trace)");
  }
}

}  // namespace aitqe
