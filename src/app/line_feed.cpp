#include "line_feed.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/data/shard_output.h"
#include "aitqe/io/url.h"

namespace aitqe::app {

namespace {

constexpr int kStopCheckMs = 100;
constexpr std::size_t kMaxLineBytes = std::size_t{1} << 20;
constexpr const char* kBlanks = " \t\r";

const char* name_of(ShardReceipt::Status status) {
  switch (status) {
    case ShardReceipt::Status::Done:
      return "done";
    case ShardReceipt::Status::DoneBefore:
      return "done_before";
    case ShardReceipt::Status::Elsewhere:
      return "elsewhere";
    case ShardReceipt::Status::Unreadable:
      return "unreadable";
  }
  return "";
}

std::string trimmed(const std::string& line) {
  const std::size_t begin = line.find_first_not_of(kBlanks);
  if (begin == std::string::npos) return "";
  return line.substr(begin, line.find_last_not_of(kBlanks) - begin + 1);
}

[[noreturn]] void refuse(const std::string& reason) { throw Error(ErrorCategory::Usage, reason); }

}  // namespace

LineFeed::LineFeed(const std::string& path, std::vector<ShardRef> job, OutputFolder output_folder,
                   const std::atomic<bool>& stop_requested, std::FILE* receipts)
    : path_(path),
      job_(std::move(job)),
      output_folder_(std::move(output_folder)),
      stop_requested_(stop_requested),
      receipts_(receipts),
      descriptor_(path == "-" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                              // Not waiting in it for who writes to a named pipe: `next` does.
                              : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (descriptor_ < 0) {
    throw Error(ErrorCategory::NoInput,
                path + ": cannot be opened: " + std::strerror(errno) + " (--shards-from)");
  }
  std::signal(SIGPIPE, SIG_IGN);  // who gave the names may be gone: an error of the write
}

LineFeed::~LineFeed() { ::close(descriptor_); }

std::optional<ShardRef> LineFeed::next(Wait wait) {
  while (!stop_requested_) {
    while (const auto line = take_line()) {
      ++line_;
      const std::string name = trimmed(*line);
      if (name.empty() || name.starts_with('#')) continue;
      if (auto shard = resolve(name)) return shard;
    }
    if (is_at_end_ || !read_more(wait)) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string> LineFeed::take_line() {
  const std::size_t end = buffer_.find('\n');
  if (end == std::string::npos && !(is_at_end_ && !buffer_.empty())) return std::nullopt;
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end == std::string::npos ? end : end + 1);
  return line;
}

// False when nothing is there now.
bool LineFeed::read_more(Wait wait) {
  pollfd waiting{descriptor_, POLLIN, 0};
  const int ready = poll(&waiting, 1, wait == Wait::Yes ? kStopCheckMs : 0);
  if (ready <= 0) return wait == Wait::Yes;
  std::array<char, 65536> piece{};
  const ssize_t count = ::read(descriptor_, piece.data(), piece.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (count < 0) {
    throw Error(ErrorCategory::Resumable,
                path_ + ": cannot be read: " + std::strerror(errno) + " (--shards-from)");
  }
  is_at_end_ = count == 0;
  buffer_.append(piece.data(), static_cast<std::size_t>(count));
  if (buffer_.size() > kMaxLineBytes && buffer_.find('\n') == std::string::npos) {
    refuse(path_ + ":" + std::to_string(line_ + 1) + ": a line of more than " +
           std::to_string(kMaxLineBytes) + " bytes (--shards-from)");
  }
  return true;
}

// Nothing for a name that is refused, and told.
std::optional<ShardRef> LineFeed::resolve(const std::string& name) {
  std::string reason;
  try {
    ShardRef shard = find(name);
    const std::lock_guard lock(mutex_);
    const auto [before, is_new] = line_of_.emplace(shard.name, line_);
    if (!is_new) {
      refuse(shard.name + ": was named before, in line " + std::to_string(before->second));
    }
    return shard;
  } catch (const Error& error) {
    if (error.category() == ErrorCategory::Resumable) throw;
    reason = error.what();
  }
  ++num_refused_;
  const std::lock_guard lock(mutex_);
  print(line_, "", "refused", {}, reason);
  return std::nullopt;
}

ShardRef LineFeed::find(const std::string& name) const {
  if (!job_.empty()) {
    const auto found = std::ranges::find(job_, name, &ShardRef::name);
    if (found == job_.end())
      refuse(without_secrets(name) + ": no shard of the input is called that");
    return *found;
  }
  const std::vector<ShardRef> shards = expand_inputs({name});
  if (shards.size() != 1) {
    refuse(without_secrets(name) + ": gives " + std::to_string(shards.size()) +
           " shards, expected one a line");
  }
  if (shards.front().url == "-") refuse("-: a tar cannot come the same way as names of shards");
  check_output_folder(output_folder_, shards);
  return shards.front();
}

void LineFeed::finished(const ShardReceipt& receipt) {
  const std::lock_guard lock(mutex_);
  const std::int64_t line = line_of_.at(receipt.shard.name);
  const bool may_come_again = receipt.status == ShardReceipt::Status::Elsewhere ||
                              receipt.status == ShardReceipt::Status::Unreadable;
  if (may_come_again) line_of_.erase(receipt.shard.name);
  print(line, receipt.shard.name, name_of(receipt.status), receipt.summary, receipt.reason);
}

void LineFeed::print(std::int64_t line, const std::string& shard, const char* status,
                     const Summary& summary, const std::string& reason) {
  const nlohmann::ordered_json receipt = {{"schema", "aitqe.receipt/1"},
                                          {"line", line},
                                          {"shard", shard},
                                          {"status", status},
                                          {"read", summary.read},
                                          {"kept", summary.kept},
                                          {"rewritten", summary.rewritten},
                                          {"failed", summary.failed},
                                          {"damaged_places", summary.damage.size()},
                                          {"reason", reason}};
  const std::string text =
      receipt.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  const bool is_written = std::fwrite(text.data(), 1, text.size(), receipts_) == text.size();
  if (!is_written || std::fflush(receipts_) != 0) {
    throw Error(ErrorCategory::Resumable,
                std::string("standard output: a receipt cannot be written: ") +
                    std::strerror(errno) + "; what was named is left for another run");
  }
}

}  // namespace aitqe::app
