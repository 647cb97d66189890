#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace aitqe::kernels {

/// Memory for packed weights, uninitialised and aligned to a cache line. Decoding reads every
/// weight at each step, and every small page of them has to be looked up: the weights of a model
/// lie one behind the other, on huge pages where the system gives them. From any thread.
/// @throws std::bad_alloc
std::shared_ptr<std::uint32_t[]> take_packed_memory(std::size_t num_words);

}  // namespace aitqe::kernels
