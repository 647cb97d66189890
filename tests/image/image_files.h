#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "aitqe/base/error.h"
#include "support/temporary_folder.h"

namespace aitqe {

inline std::filesystem::path image_folder() {
  return std::filesystem::path(AITQE_SOURCE_DIR) / "tests/data/image";
}

/// A file made by scripts/make_image_vectors.py.
inline std::string image_file(const std::string& name) {
  const std::filesystem::path path = image_folder() / name;
  EXPECT_TRUE(std::filesystem::exists(path)) << name;
  return test::read_bytes(path);
}

/// Name -> what Pillow makes of the file; see scripts/make_image_vectors.py.
inline const nlohmann::json& image_vectors() {
  static const nlohmann::json kFiles = nlohmann::json::parse(image_file("vectors.json"))["files"];
  return kFiles;
}

/// What the SampleError says, or "no error".
template <typename Action>
std::string sample_error_of(Action action) {
  try {
    action();
  } catch (const SampleError& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace aitqe
