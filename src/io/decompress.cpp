#include "decompress.h"

#include <archive.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <string_view>
#include <utility>

namespace aitqe {
namespace {

constexpr std::size_t kInputBytes = std::size_t{32} << 10;
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";

// The bytes already taken to look at them, then the rest.
class PeekedSource : public Source {
 public:
  PeekedSource(Source& source, std::size_t peek_bytes) : source_(source), head_(peek_bytes, '\0') {
    std::size_t filled = 0;
    try {
      while (filled < peek_bytes) {
        const std::size_t count = source_.read(std::span(head_).subspan(filled));
        if (count == 0) break;
        filled += count;
      }
    } catch (const std::runtime_error&) {
      failure_ = std::current_exception();  // kept for `read`, so that construction does not throw
    }
    head_.resize(filled);
  }

  std::string_view head() const { return head_; }

  std::size_t read(std::span<char> buffer) override {
    if (position_ == head_.size()) {
      if (failure_) std::rethrow_exception(failure_);
      return source_.read(buffer);
    }
    const std::size_t count = std::min(buffer.size(), head_.size() - position_);
    std::copy_n(head_.data() + position_, count, buffer.data());
    position_ += count;
    return count;
  }
  std::string name() const override { return source_.name(); }
  std::optional<std::int64_t> size_bytes() const override { return source_.size_bytes(); }
  void finish() override { source_.finish(); }

 private:
  Source& source_;
  std::string head_;
  std::size_t position_ = 0;
  std::exception_ptr failure_;
};

// Compares what went in with what came out.
class ExpansionGuard {
 public:
  ExpansionGuard(ExpansionLimits limits, std::string name)
      : limits_(limits), name_(std::move(name)) {}

  void count_input(std::size_t bytes) { input_bytes_ += static_cast<std::int64_t>(bytes); }

  void count_output(std::size_t bytes) {
    output_bytes_ += static_cast<std::int64_t>(bytes);
    if (output_bytes_ <= limits_.grace_bytes || output_bytes_ / limits_.max_ratio <= input_bytes_) {
      return;
    }
    throw ExpansionLimitError(name_ + ": " + std::to_string(input_bytes_) +
                              " compressed bytes grew to " + std::to_string(output_bytes_) +
                              ", more than 1:" + std::to_string(limits_.max_ratio) +
                              "; taken for a compression bomb");
  }

 private:
  ExpansionLimits limits_;
  std::string name_;
  std::int64_t input_bytes_ = 0;
  std::int64_t output_bytes_ = 0;
};

class GzipSource : public Source {
 public:
  GzipSource(std::unique_ptr<Source> source, const ExpansionLimits& limits)
      : source_(std::move(source)), guard_(limits, source_->name()), input_(kInputBytes, '\0') {
    constexpr int kGzipOnly = 16 + MAX_WBITS;  // zlib.h, inflateInit2
    inflateInit2(&stream_, kGzipOnly);
  }
  ~GzipSource() override { inflateEnd(&stream_); }

  std::size_t read(std::span<char> buffer) override {
    if (buffer.empty()) return 0;
    stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream_.avail_out = static_cast<uInt>(std::min(buffer.size(), kInputBytes));
    const uInt wanted = stream_.avail_out;
    while (stream_.avail_out == wanted && !is_at_end_) step();
    const std::size_t count = wanted - stream_.avail_out;
    if (count == 0 && failure_) throw SourceError(*failure_);
    guard_.count_output(count);
    return count;
  }
  std::string name() const override { return source_->name(); }
  void finish() override { source_->finish(); }

 private:
  // A failure waits in `failure_` until the bytes before it were given out.
  void step() {
    if (stream_.avail_in == 0) fill();
    if (stream_.avail_in == 0) {
      is_at_end_ = true;
      if (is_inside_member_) failure_ = name() + ": gzip data ends early";
      return;
    }
    is_inside_member_ = true;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      is_inside_member_ = false;
      inflateReset(&stream_);  // another gzip member may follow
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      is_at_end_ = true;
      failure_ = name() +
                 ": broken gzip data: " + (stream_.msg != nullptr ? stream_.msg : "unknown reason");
    }
  }

  void fill() {
    const std::size_t count = source_->read(input_);
    guard_.count_input(count);
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream_.avail_in = static_cast<uInt>(count);
  }

  std::unique_ptr<Source> source_;
  ExpansionGuard guard_;
  std::string input_;
  z_stream stream_{};
  bool is_inside_member_ = false;
  bool is_at_end_ = false;
  std::optional<std::string> failure_;
};

class ZstdSource : public Source {
 public:
  ZstdSource(std::unique_ptr<Source> source, const ExpansionLimits& limits)
      : source_(std::move(source)),
        guard_(limits, source_->name()),
        input_(kInputBytes, '\0'),
        archive_(archive_read_new()) {
    archive_read_support_filter_zstd(archive_);
    archive_read_support_format_raw(archive_);
  }
  ~ZstdSource() override { archive_read_free(archive_); }
  ZstdSource(const ZstdSource&) = delete;
  ZstdSource& operator=(const ZstdSource&) = delete;

  std::size_t read(std::span<char> buffer) override {
    if (!is_open_) open();
    const la_ssize_t count = archive_read_data(archive_, buffer.data(), buffer.size());
    if (count < 0) fail();
    guard_.count_output(static_cast<std::size_t>(count));
    return static_cast<std::size_t>(count);
  }
  std::string name() const override { return source_->name(); }
  void finish() override { source_->finish(); }

 private:
  void open() {
    is_open_ = true;
    archive_entry* entry = nullptr;
    if (archive_read_open(archive_, this, nullptr, &ZstdSource::give, nullptr) != ARCHIVE_OK ||
        archive_read_next_header(archive_, &entry) != ARCHIVE_OK) {
      fail();
    }
  }

  [[noreturn]] void fail() {
    if (failure_) std::rethrow_exception(failure_);
    const char* reason = archive_error_string(archive_);
    throw SourceError(name() +
                      ": broken zstd data: " + (reason != nullptr ? reason : "unknown reason"));
  }

  // Called by libarchive; nothing may be thrown through it.
  static la_ssize_t give(struct archive* archive, void* self, const void** bytes) {
    auto& source = *static_cast<ZstdSource*>(self);
    try {
      const std::size_t count = source.source_->read(source.input_);
      source.guard_.count_input(count);
      *bytes = source.input_.data();
      return static_cast<la_ssize_t>(count);
    } catch (const std::exception& error) {
      source.failure_ = std::current_exception();
      archive_set_error(archive, EIO, "%s", error.what());
      return -1;
    }
  }

  std::unique_ptr<Source> source_;
  ExpansionGuard guard_;
  std::string input_;
  struct archive* archive_;
  bool is_open_ = false;
  std::exception_ptr failure_;
};

}  // namespace

std::unique_ptr<Source> decompress(Source& source, const ExpansionLimits& limits) {
  auto peeked = std::make_unique<PeekedSource>(source, kZstdMagic.size());
  if (peeked->head().starts_with(kGzipMagic)) {
    return std::make_unique<GzipSource>(std::move(peeked), limits);
  }
  if (peeked->head().starts_with(kZstdMagic)) {
    return std::make_unique<ZstdSource>(std::move(peeked), limits);
  }
  return peeked;
}

}  // namespace aitqe
