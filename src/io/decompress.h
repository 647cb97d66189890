#pragma once

#include <cstdint>
#include <memory>

#include "aitqe/io/source.h"

namespace aitqe {

/// A compressed input grows beyond its limits.
class ExpansionLimitError : public SourceError {
 public:
  using SourceError::SourceError;
};

struct ExpansionLimits {
  /// Uncompressed : compressed bytes. At least 1.
  std::int64_t max_ratio = 200;
  /// The ratio counts only beyond this many uncompressed bytes.
  std::int64_t grace_bytes = 0;
};

/// The uncompressed bytes of `source`, which must outlive the result: gzip and zstd are told by
/// their first bytes, anything else comes out as it is. gzip is read with zlib, because
/// libarchive 3.6 does not check the CRC at its end; zstd with libarchive. Its reads throw
/// SourceError for broken data, ExpansionLimitError for a bomb.
std::unique_ptr<Source> decompress(Source& source, const ExpansionLimits& limits);

}  // namespace aitqe
