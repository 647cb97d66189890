#include "mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "aitqe/base/error.h"

namespace aitqe {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw Error(ErrorCategory::Model, where + ": " + what);
}

// Closes a descriptor at the end of its scope.
struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

}  // namespace

MappedFile::MappedFile(const fs::path& path) : path_(path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat info {};
  if (file.value < 0 || fstat(file.value, &info) != 0) {
    fail(path.string(), std::string("cannot be opened: ") + std::strerror(errno));
  }
  if (!S_ISREG(info.st_mode)) fail(path.string(), "is not a file");
  if (info.st_size == 0) fail(path.string(), "is empty");
  const auto num_bytes = static_cast<std::size_t>(info.st_size);
  void* address = mmap(nullptr, num_bytes, PROT_READ, MAP_SHARED, file.value, 0);
  if (address == MAP_FAILED) {
    fail(path.string(), std::string("cannot be mapped: ") + std::strerror(errno));
  }
  bytes_ = {static_cast<const std::byte*>(address), num_bytes};
}

MappedFile::~MappedFile() { munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size()); }

}  // namespace aitqe
