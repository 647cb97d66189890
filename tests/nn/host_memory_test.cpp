#include "aitqe/nn/host_memory.h"

#include <ATen/ATen.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace aitqe::nn {
namespace {

class HostMemory : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { set_up_host_memory(); }
};

TEST_F(HostMemory, AlignsTensorsAsLibtorchDoes) {
  for (const std::int64_t size : {1, 3, 63, 64, 65, 4097, 1 << 20}) {
    const at::Tensor bytes = at::empty({size}, at::kByte);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data_ptr()) % 64, 0U) << size;
    bytes.fill_(7);  // its last byte is its own: the address sanitizer looks
    EXPECT_EQ(bytes.sum().item<std::int64_t>(), 7 * size);
  }
}

TEST_F(HostMemory, TensorsGrowAndKeepWhatTheyHold) {
  at::Tensor tensor = at::arange(100, at::kFloat);
  tensor.resize_({5000});
  EXPECT_TRUE(at::equal(tensor.narrow(0, 0, 100), at::arange(100, at::kFloat)));
  EXPECT_EQ(at::empty({0}).numel(), 0);
}

TEST_F(HostMemory, ServesOperationsThatHoldBareAddresses) {
  c10::Allocator* const allocator = c10::GetCPUAllocator();
  void* const address = allocator->raw_allocate(100);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(address) % 64, 0U);
  allocator->raw_deallocate(address);
  // oneDNN's convolutions are such.
  const at::Tensor image = at::ones({1, 16, 32, 32});
  const at::Tensor kernel = at::ones({16, 16, 3, 3});
  EXPECT_EQ(at::conv2d(image, kernel)[0][0][0][0].item<float>(), 16 * 9);
}

TEST_F(HostMemory, WhatCannotBeHadIsToldAsMemoryThatRanOut) {
  EXPECT_THROW(at::empty({std::numeric_limits<std::int64_t>::max() - 16}, at::kByte),
               c10::OutOfMemoryError);
}

}  // namespace
}  // namespace aitqe::nn
