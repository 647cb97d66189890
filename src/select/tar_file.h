#pragma once

#include <filesystem>

#include "aitqe/data/sample.h"
#include "aitqe/io/sink.h"
#include "aitqe/io/tar.h"

namespace aitqe {

/// A tar that is written and then put in place.
class TarFile {
 public:
  explicit TarFile(const std::filesystem::path& path)
      : file_(path), tar_([this](std::string_view bytes) { file_.write(bytes); }) {}
  TarFile(const TarFile&) = delete;
  TarFile& operator=(const TarFile&) = delete;

  void add(const Member& member) { tar_.add(member.name, member.bytes, member.metadata); }
  void commit() {
    tar_.finish();
    file_.commit();
  }

 private:
  AtomicFile file_;
  TarWriter tar_;
};

}  // namespace aitqe
