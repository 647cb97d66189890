#include "aitqe/io/s3_xml.h"

#include <expat.h>

#include <charconv>
#include <functional>
#include <memory>
#include <utility>

namespace aitqe {
namespace {

constexpr std::size_t kMaxDepth = 16;

struct ParserDeleter {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};

/// Calls back with the path of each element that ends ("Error/Code") and the text directly in it.
class XmlReader {
 public:
  using Use = std::function<void(const std::string& path, const std::string& text)>;

  explicit XmlReader(Use use) : use_(std::move(use)), parser_(XML_ParserCreate(nullptr)) {
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(parser_.get(), &XmlReader::begin, &XmlReader::end);
    XML_SetCharacterDataHandler(parser_.get(), &XmlReader::text);
    XML_SetStartDoctypeDeclHandler(parser_.get(), &XmlReader::doctype);
  }

  void read(std::string_view xml) {
    const XML_Status status =
        XML_Parse(parser_.get(), xml.data(), static_cast<int>(xml.size()), /*isFinal=*/1);
    if (status != XML_STATUS_OK) {
      throw XmlError(std::string("no XML: ") + XML_ErrorString(XML_GetErrorCode(parser_.get())));
    }
  }

 private:
  static void begin(void* self, const XML_Char* name, const XML_Char**) {
    auto& reader = *static_cast<XmlReader*>(self);
    if (reader.texts_.size() == kMaxDepth) return reader.stop();
    if (!reader.path_.empty()) reader.path_ += '/';
    reader.path_ += name;
    reader.texts_.emplace_back();
  }
  static void end(void* self, const XML_Char* name) {
    auto& reader = *static_cast<XmlReader*>(self);
    if (reader.is_stopped_) return;  // expat still ends the element at which it was stopped
    reader.use_(reader.path_, reader.texts_.back());
    reader.texts_.pop_back();
    const std::size_t slash = reader.path_.rfind('/');
    reader.path_.resize(slash == std::string::npos ? 0 : slash);
  }
  static void text(void* self, const XML_Char* bytes, int count) {
    auto& reader = *static_cast<XmlReader*>(self);
    if (!reader.texts_.empty()) {
      reader.texts_.back().append(bytes, static_cast<std::size_t>(count));
    }
  }
  static void doctype(void* self, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    static_cast<XmlReader*>(self)->stop();
  }

  void stop() {
    is_stopped_ = true;
    XML_StopParser(parser_.get(), /*resumable=*/0);
  }

  Use use_;
  std::unique_ptr<XML_ParserStruct, ParserDeleter> parser_;
  std::string path_;
  std::vector<std::string> texts_;
  bool is_stopped_ = false;
};

}  // namespace

namespace {

/// 0 for what is no number.
std::int64_t number_in(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

S3Listing parse_s3_listing(std::string_view xml) {
  S3Listing listing;
  bool is_listing = false;
  bool is_truncated = false;
  S3Object object;
  XmlReader reader([&](const std::string& path, const std::string& text) {
    if (path == "ListBucketResult/Contents/Key") object.key = text;
    if (path == "ListBucketResult/Contents/Size") object.size_bytes = number_in(text);
    if (path == "ListBucketResult/Contents") {
      listing.objects.push_back(std::exchange(object, {}));
    }
    if (path == "ListBucketResult/NextContinuationToken") listing.next_token = text;
    if (path == "ListBucketResult/IsTruncated") is_truncated = text == "true";
    if (path == "ListBucketResult") is_listing = true;
  });
  reader.read(xml);
  if (!is_listing) throw XmlError("no list of objects");
  if (is_truncated && listing.next_token.empty()) {
    throw XmlError("a list that is cut, without the token for the rest");
  }
  if (!is_truncated) listing.next_token.clear();
  return listing;
}

S3Error parse_s3_error(std::string_view xml) {
  S3Error error;
  XmlReader reader([&](const std::string& path, const std::string& text) {
    if (path == "Error/Code") error.code = text;
    if (path == "Error/Message") error.message = text;
    if (path == "Error/Region") error.region = text;
  });
  try {
    reader.read(xml);
  } catch (const XmlError&) {
    return {};
  }
  return error;
}

std::string parse_s3_upload_id(std::string_view xml) {
  std::string id;
  XmlReader reader([&](const std::string& path, const std::string& text) {
    // The second name is that of rclone 1.75.
    const bool is_id = path == "InitiateMultipartUploadResult/UploadId" ||
                       path == "InitiateMultipartUpload/UploadId";
    if (is_id) id = text;
  });
  reader.read(xml);
  if (id.empty()) throw XmlError("no id of an upload");
  return id;
}

std::string parse_s3_completed_etag(std::string_view xml) {
  std::string etag;
  XmlReader reader([&](const std::string& path, const std::string& text) {
    if (path == "CompleteMultipartUploadResult/ETag") etag = text;
  });
  try {
    reader.read(xml);
  } catch (const XmlError&) {
    return "";
  }
  return etag;
}

std::vector<S3PendingUpload> parse_s3_pending_uploads(std::string_view xml) {
  std::vector<S3PendingUpload> uploads;
  bool is_list = false;
  S3PendingUpload upload;
  XmlReader reader([&](const std::string& path, const std::string& text) {
    if (path == "ListMultipartUploadsResult/Upload/Key") upload.key = text;
    if (path == "ListMultipartUploadsResult/Upload/UploadId") upload.id = text;
    if (path == "ListMultipartUploadsResult/Upload") uploads.push_back(std::exchange(upload, {}));
    if (path == "ListMultipartUploadsResult") is_list = true;
  });
  reader.read(xml);
  if (!is_list) throw XmlError("no list of uploads");
  return uploads;
}

}  // namespace aitqe
