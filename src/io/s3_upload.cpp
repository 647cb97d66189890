#include "aitqe/io/s3_upload.h"

#include <algorithm>
#include <fstream>
#include <utility>
#include <vector>

#include "aitqe/io/url.h"
#include "s3_request.h"
#include "s3_writing.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using Method = HttpRequest::Method;

constexpr std::int64_t kMostParts = 10'000;  // S3's limit

/// An upload in parts is no more: complete already, or aborted by somebody else.
class UploadGone : public std::exception {};

/// An upload in parts; aborted unless it was completed. All it is made of outlives it.
class MultipartUpload {
 public:
  /// Begins it.
  MultipartUpload(const S3Location& object, const FileDigest& digest, const S3Client& client)
      : object_(object), digest_(digest), client_(client) {
    HttpRequest request = writing_request(Method::Post, object, client, "", "uploads=");
    add_sha256(request, digest.sha256);
    try {
      id_ = parse_s3_upload_id(send(request, client).body);
    } catch (const XmlError& error) {
      throw Error(ErrorCategory::Output, object.url() + ": cannot be begun: " + error.what());
    }
  }
  ~MultipartUpload() {
    if (!id_.empty()) abort(id_);
  }
  MultipartUpload(const MultipartUpload&) = delete;
  MultipartUpload& operator=(const MultipartUpload&) = delete;

  /// Aborts every other upload of this object; where the server does not list them, none.
  void abort_others() const {
    const S3Client client = impatient();
    const HttpRequest request = bucket_request(
        object_, client.settings, "prefix=" + percent_encoded(object_.key) + "&uploads=");
    try {
      for (const S3PendingUpload& other : parse_s3_pending_uploads(send(request, client).body)) {
        if (other.key == object_.key && other.id != id_) abort(other.id);
      }
    } catch (const Error&) {
    } catch (const XmlError&) {
    }
  }

  /// @throws UploadGone
  void add_part(std::string_view bytes) {
    const std::string number = std::to_string(etags_.size() + 1);
    const HttpRequest request = writing_request(Method::Put, object_, client_, bytes,
                                                "partNumber=" + number + "&" + query_of(id_));
    etags_.push_back(send_to_upload(request, client_.settings.http).header("etag"));
  }

  /// @throws UploadGone
  void complete() {
    const std::string parts = list_of_parts();
    const HttpRequest request =
        writing_request(Method::Post, object_, client_, parts, query_of(id_));
    constexpr int kMoreTime = 10;  // putting the parts together takes minutes of silence
    HttpOptions options = client_.settings.http;
    options.stall_ms *= kMoreTime;
    Patience patience(object_.url(), client_.settings.http, client_.should_stop);
    while (true) {
      const HttpAnswer answer = send_to_upload(request, options);
      const std::string etag = parse_s3_completed_etag(answer.body);
      // The status was sent before the work was done: an error then comes in the body.
      const std::string problem =
          etag.empty()
              ? "cannot be completed: " + describe_answer(answer, parse_s3_error(answer.body))
              : problem_with(object_, digest_, etag, client_);
      if (problem.empty()) {
        id_.clear();
        return;
      }
      wait_after(patience, object_, problem);
    }
  }

 private:
  static std::string query_of(const std::string& id) { return "uploadId=" + percent_encoded(id); }

  HttpAnswer send_to_upload(const HttpRequest& request, const HttpOptions& options) const {
    const Refuse refuse = [](const HttpRequest& sent, const HttpAnswer& answer) {
      if (parse_s3_error(answer.body).code == "NoSuchUpload") throw UploadGone();
      refuse_s3(S3Access::Write)(sent, answer);
    };
    return fetch(request, options, refuse, client_.should_stop);
  }

  /// For what is tidy, not needed.
  S3Client impatient() const {
    constexpr int kShortMs = 10'000;
    S3Client client = client_;
    HttpOptions& options = client.settings.http;
    options.max_attempts = 1;
    options.stall_ms = std::min(options.stall_ms, kShortMs);
    options.connect_timeout_ms = std::min(options.connect_timeout_ms, kShortMs);
    return client;
  }

  void abort(const std::string& id) const {
    const S3Client client = impatient();
    HttpRequest request = object_request(object_, client.settings, query_of(id));
    request.method = Method::Delete;
    try {
      send(request, client);
    } catch (const Error&) {  // whoever uploads this object next tries again
    }
  }

  std::string list_of_parts() const {
    std::string xml = "<CompleteMultipartUpload>";
    for (std::size_t i = 0; i < etags_.size(); ++i) {
      xml += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>";
      for (const char c : etags_[i]) {
        const bool is_plain = c != '"' && c != '<' && c != '>' && c != '&';
        xml += is_plain ? std::string(1, c) : "&#" + std::to_string(int{c}) + ";";
      }
      xml += "</ETag></Part>";
    }
    return xml + "</CompleteMultipartUpload>";
  }

  const S3Location& object_;
  const FileDigest& digest_;
  const S3Client& client_;
  std::string id_;  // "" once complete
  std::vector<std::string> etags_;
};

/// Pieces of a file that is to have a certain size.
class PieceReader {
 public:
  explicit PieceReader(const fs::path& path) : path_(path), file_(path, std::ios::binary) {}

  std::string next(std::int64_t size_bytes) {
    std::string bytes(static_cast<std::size_t>(size_bytes), '\0');
    if (!file_.read(bytes.data(), size_bytes)) {
      throw Error(ErrorCategory::Output, path_.string() + ": cannot be read back");
    }
    return bytes;
  }

 private:
  const fs::path& path_;
  std::ifstream file_;
};

void upload_in_parts(const S3Location& object, const fs::path& file, const FileDigest& digest,
                     const S3Client& client, std::int64_t part_bytes) {
  part_bytes = std::max(part_bytes, (digest.size_bytes + kMostParts - 1) / kMostParts);
  Patience patience(object.url(), client.settings.http, client.should_stop);
  bool is_first = true;
  while (true) {
    try {
      MultipartUpload upload(object, digest, client);
      // Once: two runs that upload the same object must not abort each other for ever.
      if (std::exchange(is_first, false)) upload.abort_others();
      PieceReader pieces(file);
      for (std::int64_t done = 0; done < digest.size_bytes; done += part_bytes) {
        upload.add_part(pieces.next(std::min(part_bytes, digest.size_bytes - done)));
        if (client.part_sent) client.part_sent();
      }
      upload.complete();
      return;
    } catch (const UploadGone&) {
      // It may be complete, and the answer was lost.
      if (problem_with(object, digest, /*etag=*/"", client).empty()) return;
      wait_after(patience, object, "its upload was ended by somebody else");
    }
  }
}

}  // namespace

void upload_s3(const S3Location& object, const fs::path& file, const FileDigest& digest,
               const S3Client& client, const S3UploadOptions& options) {
  in_its_region(client, [&](const S3Client& there) {
    if (digest.size_bytes > options.largest_put_bytes) {
      upload_in_parts(object, file, digest, there, options.part_bytes);
    } else {
      put(object, PieceReader(file).next(digest.size_bytes), digest, there);
    }
  });
}

}  // namespace aitqe
