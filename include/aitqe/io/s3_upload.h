#pragma once

#include <cstdint>
#include <filesystem>

#include "aitqe/io/s3_objects.h"
#include "aitqe/io/sink.h"

namespace aitqe {

struct S3UploadOptions {
  /// A larger file goes up in parts.
  std::int64_t largest_put_bytes = std::int64_t{16} << 20;
  /// Held in memory, one at a time; more where there would be more than 10,000. S3 wants at least
  /// 5 MiB.
  std::int64_t part_bytes = std::int64_t{8} << 20;
};

/// A file on disk as an object; otherwise as put_s3, a part being tried again by itself. An upload
/// in parts that fails is aborted; what an earlier run, killed meanwhile, began for the same object
/// is aborted first.
/// @param digest  of the file
void upload_s3(const S3Location& object, const std::filesystem::path& file,
               const FileDigest& digest, const S3Client& client,
               const S3UploadOptions& options = {});

}  // namespace aitqe
