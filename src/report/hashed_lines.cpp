#include "hashed_lines.h"

#include <vector>

#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"

namespace aitqe {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
constexpr std::size_t kLongestLineBytes = std::size_t{64} << 20;

/// Cuts blocks into lines; holds what is left of the last one.
class LineCutter {
 public:
  explicit LineCutter(const std::function<void(std::string_view)>& line) : line_(line) {}

  void add(std::string_view block) {
    for (std::size_t end = block.find('\n'); end != std::string_view::npos;
         end = block.find('\n')) {
      if (rest_.empty()) {
        line_(block.substr(0, end));
      } else {
        line_(rest_.append(block.substr(0, end)));
        rest_.clear();
      }
      block.remove_prefix(end + 1);
    }
    rest_ += block;
    if (rest_.size() > kLongestLineBytes) {
      throw Error(ErrorCategory::Damaged, "a line is longer than 64 MiB");
    }
  }

  bool finish() {
    if (rest_.empty()) return true;
    line_(rest_);
    return false;
  }

 private:
  const std::function<void(std::string_view)>& line_;
  std::string rest_;
};

}  // namespace

HashedFile read_hashed(Source& file, const std::function<void(std::string_view)>& line) {
  HashedFile result;
  Sha256 hash;
  LineCutter lines(line);
  std::vector<char> block(kBlockBytes);
  try {
    while (const std::size_t count = file.read(block)) {
      const std::string_view bytes(block.data(), count);
      hash.update(bytes);
      result.bytes += std::ssize(bytes);
      if (line) lines.add(bytes);
    }
  } catch (const SourceError& error) {
    throw Error(ErrorCategory::Damaged, error.what());
  }
  if (line) result.ends_with_line_end = lines.finish();
  result.sha256 = hash.hex_digest();
  return result;
}

}  // namespace aitqe
