#pragma once

#include <string>
#include <string_view>

#include "aitqe/io/s3_objects.h"
#include "aitqe/io/sink.h"
#include "patience.h"

namespace aitqe {

// What writing an object takes, in one request or in parts.

/// The answer to a request that writes; throws what put_s3 does.
HttpAnswer send(const HttpRequest& request, const S3Client& client);

/// @param body  outlives the request   @param query  as object_request
HttpRequest writing_request(HttpRequest::Method method, const S3Location& object,
                            const S3Client& client, std::string_view body,
                            const std::string& query = "");

/// Keeps the file's hash with the object.
void add_sha256(HttpRequest& request, const std::string& sha256);

/// One object in one request, checked. Not for other regions than the client's.
void put(const S3Location& object, std::string_view bytes, const FileDigest& digest,
         const S3Client& client);

/// What is wrong with an object that was written, "" when nothing is. @param etag  of the answer
/// that said it was written; "" where none did
std::string problem_with(const S3Location& object, const FileDigest& digest,
                         const std::string& etag, const S3Client& client);

/// Waits before something is tried again as a whole. @throws Error(Resumable) when no try is left,
/// or stopped on request.
void wait_after(Patience& patience, const S3Location& object, const std::string& problem);

}  // namespace aitqe
