#include "packed_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>

#include "aitqe/kernels/scalar_type.h"

namespace aitqe::kernels {

namespace {

constexpr std::int64_t kHugePage = std::int64_t{2} << 20;
constexpr std::int64_t kSlabBytes = std::int64_t{64} << 20;
constexpr std::int64_t kCacheLine = 64;

/// Several weights; freed with the last of them.
struct Slab {
  explicit Slab(std::int64_t bytes)
      : size(round_up(bytes, kHugePage)),
        begin(static_cast<std::byte*>(
            std::aligned_alloc(kHugePage, static_cast<std::size_t>(size)))) {
    if (begin == nullptr) throw std::bad_alloc();
    madvise(begin, static_cast<std::size_t>(size),
            MADV_HUGEPAGE);  // a kernel without them only leaves small pages
  }
  ~Slab() { std::free(begin); }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  std::int64_t size;
  std::byte* begin;
  std::int64_t used = 0;
};

}  // namespace

std::shared_ptr<std::uint32_t[]> take_packed_memory(std::size_t num_words) {
  static std::mutex mutex;
  static std::weak_ptr<Slab> newest;
  const std::int64_t bytes =
      round_up(static_cast<std::int64_t>(num_words * sizeof(std::uint32_t)), kCacheLine);
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
