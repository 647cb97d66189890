#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "aitqe/io/tar.h"
#include "block_stream.h"
#include "decompress.h"

namespace aitqe {
namespace {

constexpr std::int64_t kEndMarkerBytes = 2 * kTarBlockBytes;
// Allocated at once for a member; more grows as the bytes really arrive.
constexpr std::int64_t kMaxReserveBytes = std::int64_t{16} << 20;

struct ArchiveDeleter {
  void operator()(struct archive* archive) const { archive_read_free(archive); }
};

bool is_zero_block(std::string_view block) {
  return block.size() == kTarBlockBytes && block.find_first_not_of('\0') == std::string_view::npos;
}

std::string text_or_empty(const char* text, const char* utf8) {
  if (text != nullptr) return text;
  return utf8 != nullptr ? utf8 : "";
}

MemberType type_of(archive_entry* entry) {
  if (archive_entry_hardlink(entry) != nullptr) return MemberType::Hardlink;
  switch (archive_entry_filetype(entry)) {
    case AE_IFDIR:
      return MemberType::Directory;
    case AE_IFLNK:
      return MemberType::Symlink;
    case AE_IFCHR:
      return MemberType::CharDevice;
    case AE_IFBLK:
      return MemberType::BlockDevice;
    case AE_IFIFO:
      return MemberType::Fifo;
    default:
      return MemberType::File;
  }
}

MemberMetadata metadata_of(archive_entry* entry) {
  MemberMetadata metadata;
  metadata.type = type_of(entry);
  metadata.mode = static_cast<int>(archive_entry_perm(entry));
  metadata.mtime_s = archive_entry_mtime(entry);
  metadata.mtime_ns = archive_entry_mtime_nsec(entry);
  metadata.uid = archive_entry_uid(entry);
  metadata.gid = archive_entry_gid(entry);
  metadata.uname = text_or_empty(archive_entry_uname(entry), archive_entry_uname_utf8(entry));
  metadata.gname = text_or_empty(archive_entry_gname(entry), archive_entry_gname_utf8(entry));
  if (metadata.type == MemberType::Hardlink) {
    metadata.link_target =
        text_or_empty(archive_entry_hardlink(entry), archive_entry_hardlink_utf8(entry));
  } else if (metadata.type == MemberType::Symlink) {
    metadata.link_target =
        text_or_empty(archive_entry_symlink(entry), archive_entry_symlink_utf8(entry));
  } else if (metadata.type == MemberType::CharDevice || metadata.type == MemberType::BlockDevice) {
    metadata.device_major = static_cast<std::int64_t>(archive_entry_rdevmajor(entry));
    metadata.device_minor = static_cast<std::int64_t>(archive_entry_rdevminor(entry));
  }
  return metadata;
}

}  // namespace

// Note [Reading damaged tars]
// libarchive parses headers and data. What it hides is decided here, on the blocks themselves,
// before it sees them: where the archive ends, whether the end marker is there, and what follows
// it. After an error from which libarchive does not recover, a new parser is started one block
// later
// (`restart`); its offsets count from `parser_begin_`.
class TarReader::State {
 public:
  State(Source& source, LossLog& losses, TarReaderOptions options)
      : options_(options),
        losses_(losses),
        source_(decompress(source, {options.max_expansion_ratio, options.expansion_grace_bytes})),
        stream_(*source_) {
    restart(0);
  }

  std::optional<TarMember> next() {
    std::optional<TarMember> member = next_or_end();
    // Here and not on the way: nothing may be thrown through libarchive.
    stream_.throw_if_lost();
    return member;
  }

  std::string name() const { return source_->name(); }
  std::int64_t bytes_read() const { return stream_.bytes_read(); }

 private:
  std::optional<TarMember> next_or_end() {
    while (!is_done_) {
      const std::int64_t offset = position();
      const std::string_view block = stream_.peek_block(offset);
      if (block.size() < kTarBlockBytes) {
        end_without_marker(offset, block);
      } else if (is_zero_block(block)) {
        pass_zero_blocks(offset);
      } else if (std::optional<TarMember> member = read_member(offset)) {
        if (!is_counting_) return member;
        count(member->name);
      }
    }
    return std::nullopt;
  }

  void restart(std::int64_t offset) {
    [[maybe_unused]] const bool is_held = stream_.seek(offset);
    assert(is_held);
    parser_begin_ = offset;
    parser_.reset(archive_read_new());
    archive_read_support_format_tar(parser_.get());
    // Without this a damaged first header would make the format unknown.
    archive_read_set_format(parser_.get(), ARCHIVE_FORMAT_TAR);
    archive_read_open(parser_.get(), &stream_, nullptr, &State::give, nullptr);
  }

  // Called by libarchive. BlockStream does not throw.
  static la_ssize_t give(struct archive*, void* stream, const void** bytes) {
    const std::string_view chunk = static_cast<BlockStream*>(stream)->deliver();
    *bytes = chunk.data();
    return static_cast<la_ssize_t>(chunk.size());
  }

  std::int64_t position() const { return parser_begin_ + archive_filter_bytes(parser_.get(), 0); }

  std::optional<TarMember> read_member(std::int64_t offset) {
    archive_entry* entry = nullptr;
    const int result = archive_read_next_header(parser_.get(), &entry);
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
      const char* error = archive_error_string(parser_.get());
      skip_bad_header(offset, result, error != nullptr ? error : "not a tar header");
      return std::nullopt;
    }
    if (archive_entry_size(entry) < 0) {  // a sparse member can say so
      skip_bad_header(offset, ARCHIVE_FAILED, "a negative size");
      return std::nullopt;
    }
    close_bad_run(offset);
    TarMember member;
    member.name = text_or_empty(archive_entry_pathname(entry), archive_entry_pathname_utf8(entry));
    member.metadata = metadata_of(entry);
    member.header_offset = offset;
    const bool is_file = member.metadata.type == MemberType::File;
    const std::int64_t size_bytes = archive_entry_size(entry);
    if (is_file && size_bytes > options_.max_member_bytes) {
      leave_out(member, size_bytes);
      return std::nullopt;
    }
    if (is_file && !read_data(member, size_bytes)) {
      end_inside(member);
      return std::nullopt;
    }
    // The data is complete; what may be cut here is the padding behind it.
    if (archive_read_data_skip(parser_.get()) != ARCHIVE_OK) end_at(stream_.drain(), 0, 0);
    return member;
  }

  // False when the archive ends inside the data.
  bool read_data(TarMember& member, std::int64_t size_bytes) {
    member.bytes.reserve(static_cast<std::size_t>(std::min(size_bytes, kMaxReserveBytes)));
    const void* piece = nullptr;
    std::size_t piece_bytes = 0;
    la_int64_t piece_offset = 0;
    while (true) {
      const int result =
          archive_read_data_block(parser_.get(), &piece, &piece_bytes, &piece_offset);
      if (result == ARCHIVE_EOF) break;
      if (result != ARCHIVE_OK && result != ARCHIVE_WARN) return false;
      if (piece_offset < 0 || piece_offset > size_bytes ||
          static_cast<std::int64_t>(piece_bytes) > size_bytes - piece_offset) {
        return false;  // a sparse map that contradicts the size
      }
      if (static_cast<std::size_t>(piece_offset) > member.bytes.size()) {
        member.bytes.resize(static_cast<std::size_t>(piece_offset));
      }
      member.bytes.append(static_cast<const char*>(piece), piece_bytes);
    }
    member.bytes.resize(static_cast<std::size_t>(size_bytes));
    return true;
  }

  void leave_out(const TarMember& member, std::int64_t size_bytes) {
    const bool is_complete = archive_read_data_skip(parser_.get()) == ARCHIVE_OK;
    add({DamageKind::MemberTooLarge, member.header_offset, is_complete ? size_bytes : 0,
         is_complete ? 1 : 0,
         "member \"" + member.name + "\" has " + std::to_string(size_bytes) + " bytes, limit is " +
             std::to_string(options_.max_member_bytes)});
    if (!is_complete) end_inside(member);
  }

  void skip_bad_header(std::int64_t offset, int result, const std::string& reason) {
    if (bad_begin_ < 0) {
      bad_begin_ = offset;
      bad_reason_ = reason;
    }
    const bool went_on = result == ARCHIVE_RETRY && position() == offset + kTarBlockBytes;
    if (went_on) return;
    if (!reason.starts_with("Truncated") && stream_.seek(offset + kTarBlockBytes)) {
      restart(offset + kTarBlockBytes);
      return;
    }
    const std::int64_t begin = std::exchange(bad_begin_, -1);
    end_at(begin, stream_.drain() - begin, 1);
  }

  void close_bad_run(std::int64_t end) {
    if (bad_begin_ < 0) return;
    add({DamageKind::BadHeader, bad_begin_, end - bad_begin_, 1,
         bad_reason_ + "; went on at byte " + std::to_string(end)});
    bad_begin_ = -1;
  }

  void pass_zero_blocks(std::int64_t offset) {
    const std::optional<std::int64_t> data = stream_.find_data(offset);
    if (data) {
      // Zero blocks inside what a damaged header left behind are its data, not an end marker.
      if (bad_begin_ < 0 && !is_counting_) add_after_marker(offset, *data);
      if (!is_done_) restart(*data);
      return;
    }
    close_bad_run(offset);
    const std::int64_t end = stream_.drain();
    if (end - offset < kEndMarkerBytes || stream_.failure()) {
      end_at(end, 0, std::nullopt);
    } else {
      finish();
    }
  }

  // Joined archives begin at a whole record; elsewhere it may as well be a hole in the file.
  void add_after_marker(std::int64_t offset, std::int64_t data) {
    const bool is_joined = data % kTarRecordBytes == 0 && data - offset >= kEndMarkerBytes;
    ArchiveDamage damage{DamageKind::DataAfterEndMarker, data, 0, std::nullopt,
                         "end marker at byte " + std::to_string(offset) + ", more data from byte " +
                             std::to_string(data)};
    if (is_joined) damage.pairs_lost = 0;
    if (options_.read_after_end_marker) {
      damage.message += "; read on";
      add(std::move(damage));
      return;
    }
    after_marker_ = std::move(damage);
    is_counting_ = true;
  }

  void end_without_marker(std::int64_t offset, std::string_view block) {
    const bool is_all_zero = block.find_first_not_of('\0') == std::string_view::npos;
    const auto block_bytes = static_cast<std::int64_t>(block.size());
    close_bad_run(offset);
    if (is_all_zero) {
      end_at(offset, 0, std::nullopt);
    } else {
      end_at(offset, block_bytes, 1);
    }
  }

  void end_inside(const TarMember& member) {
    end_at(member.header_offset, stream_.drain() - member.header_offset, 1);
  }

  /// Members of a pair follow each other and share their name up to the first dot of its last part.
  void count(const std::string& name) {
    const std::size_t last_part = name.rfind('/') == std::string::npos ? 0 : name.rfind('/');
    const std::string key = name.substr(0, name.find('.', last_part));
    if (key != last_counted_) ++num_counted_;
    last_counted_ = key;
  }

  // The archive ends at or after `offset` without its end marker.
  void end_at(std::int64_t offset, std::int64_t bytes_lost, std::optional<std::int64_t> members) {
    ArchiveDamage damage{
        DamageKind::TruncatedInput, offset, bytes_lost, members,
        "ends at byte " + std::to_string(stream_.drain()) + " without the end marker of a tar"};
    if (const auto& failure = stream_.failure()) {
      damage.kind = failure->kind;
      damage.message = failure->message;
    }
    add(std::move(damage));
    finish();
  }

  void finish() {
    is_done_ = true;
    stream_.drain();
    if (is_counting_) {
      is_counting_ = false;
      after_marker_.bytes_lost = stream_.bytes_read() - after_marker_.offset;
      after_marker_.pairs_lost = num_counted_;
      add(std::move(after_marker_));
    }
    if (stream_.is_lost())
      return;  // given up: who waits for its end, as of a command, may wait long
    try {
      source_->finish();
    } catch (const SourceError& error) {
      add({DamageKind::SourceFailed, stream_.bytes_read(), 0, std::nullopt, error.what()});
    }
  }

  // While members are only counted, all is one loss already: that of `after_marker_`.
  void add(ArchiveDamage damage) {
    if (is_counting_) return;
    const std::string prefix = name() + ": ";
    if (!damage.message.starts_with(prefix)) damage.message.insert(0, prefix);
    losses_.add(std::move(damage));
  }

  TarReaderOptions options_;
  LossLog& losses_;
  std::unique_ptr<Source> source_;
  BlockStream stream_;
  std::unique_ptr<struct archive, ArchiveDeleter> parser_;
  std::int64_t parser_begin_ = 0;
  std::int64_t bad_begin_ = -1;  // of blocks that are no header, or -1
  std::string bad_reason_;
  bool is_done_ = false;
  bool is_counting_ = false;      // past an end marker, and asked not to read on
  std::int64_t num_counted_ = 0;  // pairs
  std::optional<std::string> last_counted_;
  ArchiveDamage after_marker_;
};

TarReader::TarReader(Source& source, LossLog& losses, TarReaderOptions options)
    : state_(std::make_unique<State>(source, losses, options)) {}
TarReader::~TarReader() = default;
TarReader::TarReader(TarReader&&) noexcept = default;

std::optional<TarMember> TarReader::next() { return state_->next(); }
std::string TarReader::name() const { return state_->name(); }
std::int64_t TarReader::bytes_read() const { return state_->bytes_read(); }

}  // namespace aitqe
