#include "block_stream.h"

#include <algorithm>
#include <utility>

#include "aitqe/base/error.h"
#include "decompress.h"

namespace aitqe {
namespace {

// Multiples of the block size, so that no block lies in two chunks. The first one is small, for
// clearing a large one takes longer than reading a small tar.
constexpr std::size_t kFirstChunkBytes = std::size_t{16} << 10;
constexpr std::size_t kChunkBytes = std::size_t{256} << 10;

}  // namespace

BlockStream::BlockStream(Source& source) : source_(source) { fill(next_, kFirstChunkBytes); }

void BlockStream::fill(Chunk& chunk, std::size_t wanted) {
  chunk.bytes.resize(wanted);
  std::size_t filled = 0;
  try {
    while (!failure_ && !lost_ && filled < wanted) {
      const std::size_t count = source_.read(std::span(chunk.bytes).subspan(filled));
      if (count == 0) break;
      filled += count;
    }
  } catch (const ExpansionLimitError& error) {
    failure_ = Failure{DamageKind::ExpansionLimit, error.what()};
  } catch (const SourceError& error) {
    failure_ = Failure{DamageKind::SourceFailed, error.what()};
  } catch (const Error& error) {
    // What was there when it was opened and is refused now is damage of this shard alone.
    if (error.category() == ErrorCategory::NoInput) {
      failure_ = Failure{DamageKind::SourceFailed, error.what()};
    } else {
      lost_ = std::current_exception();
    }
  }
  chunk.bytes.resize(filled);
  chunk.is_last = filled < wanted;
}

void BlockStream::advance() {
  std::swap(current_, next_);
  next_.begin = current_.end();
  if (current_.is_last) {
    next_.bytes.clear();
    next_.is_last = true;
  } else {
    fill(next_, kChunkBytes);
  }
}

std::string_view BlockStream::deliver() {
  if (deliver_from_ >= current_.end()) {
    if (next_.bytes.empty()) return {};  // keeps the last chunk for `seek`
    advance();
  }
  const std::string_view bytes = current_.from(std::min(deliver_from_, current_.end()));
  deliver_from_ = current_.end();
  return bytes;
}

std::string_view BlockStream::held_at(std::int64_t offset) {
  if (offset >= current_.begin && offset < current_.end()) return current_.from(offset);
  if (offset >= next_.begin && offset < next_.end()) return next_.from(offset);
  return {};
}

std::string_view BlockStream::peek_block(std::int64_t offset) {
  return held_at(offset).substr(0, kTarBlockBytes);
}

std::optional<std::int64_t> BlockStream::find_data(std::int64_t offset) {
  while (true) {
    const std::string_view held = held_at(offset);
    if (held.empty()) return std::nullopt;
    const std::size_t place = held.find_first_not_of('\0');
    if (place != std::string_view::npos) {
      return offset + static_cast<std::int64_t>(place) / kTarBlockBytes * kTarBlockBytes;
    }
    offset += static_cast<std::int64_t>(held.size());
    if (offset >= next_.end()) advance();
  }
}

bool BlockStream::seek(std::int64_t offset) {
  if (offset < current_.begin || offset > next_.end()) return false;
  if (offset >= next_.begin && !next_.bytes.empty()) advance();
  deliver_from_ = offset;
  return true;
}

std::int64_t BlockStream::drain() {
  while (!next_.bytes.empty()) advance();
  return current_.end();
}

}  // namespace aitqe
