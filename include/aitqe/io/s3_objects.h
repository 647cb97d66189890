#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "aitqe/io/s3.h"

namespace aitqe {

/// Who asks a server for objects, and for how long.
struct S3Client {
  S3Settings settings;
  /// Once true, what is under way goes on, but nothing is tried again. May be empty.
  StopCheck should_stop;
  /// See OutputOptions. May be empty.
  std::function<void()> part_sent = nullptr;
};

// Single requests about objects; each is tried again as downloads are (HttpOptions). All throw
// Error(Resumable) when no try is left or `should_stop`, Error(Usage) where keys are missing, wrong
// or expired, and Error(Output) for other refusals, such as a bucket that is not there.

/// Bytes as an object: whole or not at all, over one that was there. That it is there with the
/// right size, and its SHA-256 (`x-amz-meta-sha256`) or ETag, is asked for afterwards.
void put_s3(const S3Location& object, std::string_view bytes, const S3Client& client);

/// One that is not there is fine.
void remove_s3(const S3Location& object, const S3Client& client);

/// What a server says of an object.
struct S3ObjectHead {
  std::int64_t size_bytes = -1;  ///< -1: not said
  std::string etag;
  std::string sha256;  ///< where we wrote it, else ""
};

/// Nothing where there is none.
std::optional<S3ObjectHead> look_at_s3(const S3Location& object, const S3Client& client);

/// The bytes of a small object (at most 16 MiB); nothing where there is none. Refusals are
/// Error(NoInput), or Error(Usage) where access is denied, as of open_s3.
std::optional<std::string> read_s3(const S3Location& object, const S3Client& client);

}  // namespace aitqe
