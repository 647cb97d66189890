#include "aitqe/engine/kv_cache.h"

#include <gtest/gtest.h>

namespace aitqe {
namespace {

TEST(KvCache, GivesBackAPlaceOfTheSameSizeClass) {
  const nn::Compute compute;
  KvCache cache(compute, {4, 2, 24, 1.0F, true}, 3);
  KvCache::Place place = cache.acquire(100);
  EXPECT_EQ(place.capacity, KvCache::capacity_for(100));
  EXPECT_EQ(place.layers.size(), 3U);
  EXPECT_EQ(cache.tokens_in_use(), place.capacity);
  const void* memory = place.layers[0].keys.const_data_ptr();
  cache.release(std::move(place));
  EXPECT_EQ(cache.tokens_in_use(), 0);
  const KvCache::Place again = cache.acquire(90);
  EXPECT_EQ(again.layers[0].keys.const_data_ptr(), memory);
  EXPECT_NE(cache.acquire(90).layers[0].keys.const_data_ptr(), memory);
}

TEST(KvCache, CountsItsBytes) {
  const nn::Compute compute;
  EXPECT_EQ(KvCache::bytes_per_token(compute, {28, 4, 128, 1.0F, true}, 28), 2 * 28 * 4 * 128 * 4);
}

}  // namespace
}  // namespace aitqe
