#pragma once

namespace aitqe::nn {

/// Sets how this process takes memory of the host, for `malloc` and for libtorch's tensors; once,
/// before the first tensor and the first thread.
///
/// Freed memory is kept: activations come and go by the megabyte, and the kernel would clear their
/// pages each time (10 to 16 % of the time of a run). And tensors are aligned to 64 bytes inside
/// what `malloc` gives: `posix_memalign` of glibc before 2.38 leaves remainders that it does not
/// find again (sourceware bug 14581), so that a process grows while what it uses does not.
void set_up_host_memory();

}  // namespace aitqe::nn
