// From a tar to pixels, on one thread: what a worker of the program does with a pair before the
// model sees it.
//
//   image_bench SHARD.tar [--side 384] [--hash]
//
// Prints JSON: images, failed, seconds; with --hash instead the SHA-256 over all pixels' float32
// bytes, front to back (untimed use: to prove that others computed the same).

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>

#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "aitqe/data/webdataset.h"
#include "aitqe/image/pixels.h"
#include "aitqe/io/source.h"

namespace {

struct Counts {
  int images = 0;
  int failed = 0;
};

template <typename Use>
Counts walk(const std::string& path, int side_px, const Use& use) {
  Counts counts;
  const auto source = aitqe::FileSource::open(path);
  aitqe::LossLog losses;
  aitqe::TarReader members(*source, losses);
  aitqe::SampleReader samples(members);
  while (const auto sample = samples.next()) {
    const aitqe::Member* image = aitqe::find_image(*sample);
    if (image == nullptr) continue;
    try {
      use(aitqe::prepare_image(image->bytes, side_px, {}, {}));
      ++counts.images;
    } catch (const aitqe::SampleError&) {
      ++counts.failed;
    }
  }
  return counts;
}

}  // namespace

int main(int argc, char** argv) {
  std::string path;
  int side_px = 384;
  bool wants_hash = false;
  CLI::App app("images of a shard to pixels");
  app.add_option("shard", path)->required();
  app.add_option("--side", side_px)->check(CLI::PositiveNumber);
  app.add_flag("--hash", wants_hash);
  CLI11_PARSE(app, argc, argv);
  try {
    if (wants_hash) {
      aitqe::Sha256 hash;
      const Counts counts = walk(path, side_px, [&hash](const aitqe::PreparedImage& image) {
        hash.update(image.pixels.chw.data(), image.pixels.chw.size() * sizeof(float));
      });
      std::printf("{\"images\": %d, \"failed\": %d, \"sha256\": \"%s\"}\n", counts.images,
                  counts.failed, hash.hex_digest().c_str());
      return 0;
    }
    double sum = 0;  // so that no pixel is computed for nothing
    const auto start = std::chrono::steady_clock::now();
    const Counts counts = walk(path, side_px, [&sum](const aitqe::PreparedImage& image) {
      sum += static_cast<double>(image.pixels.chw.front());
    });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::printf("{\"images\": %d, \"failed\": %d, \"seconds\": %.6f, \"sum\": %.3f}\n",
                counts.images, counts.failed, took.count(), sum);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
