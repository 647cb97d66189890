#include "packed_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>

namespace aitqe::kernels {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kSlabBytes = std::size_t{64} << 20;
constexpr std::size_t kCacheLine = 64;

std::size_t round_up_to(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

/// Several weights; freed with the last of them.
struct Slab {
  explicit Slab(std::size_t bytes)
      : size(round_up_to(bytes, kHugePage)),
        begin(static_cast<std::byte*>(std::aligned_alloc(kHugePage, size))) {
    if (begin == nullptr) throw std::bad_alloc();
    madvise(begin, size, MADV_HUGEPAGE);  // a kernel without them only leaves small pages
  }
  ~Slab() { std::free(begin); }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  std::size_t size;
  std::byte* begin;
  std::size_t used = 0;
};

}  // namespace

std::shared_ptr<std::uint32_t[]> take_packed_memory(std::size_t num_words) {
  static std::mutex mutex;
  static std::weak_ptr<Slab> newest;
  const std::size_t bytes = round_up_to(num_words * sizeof(std::uint32_t), kCacheLine);
  const std::lock_guard lock(mutex);
  std::shared_ptr<Slab> slab = newest.lock();
  if (!slab || slab->size - slab->used < bytes) {
    slab = std::make_shared<Slab>(std::max(bytes, kSlabBytes));
    newest = slab;
  }
  auto* words = reinterpret_cast<std::uint32_t*>(slab->begin + slab->used);
  slab->used += bytes;
  return {slab, words};
}

}  // namespace aitqe::kernels
