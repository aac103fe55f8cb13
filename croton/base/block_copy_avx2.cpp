// Compiled for processors with AVX2 (cmake/library.cmake).
#if defined(__x86_64__)
#define CROTON_COPY_BYTES 32
#include "croton/base/block_copy_kernels.hpp"

namespace croton {
void copy_block_avx2(const BlockCopy& copy) { copy_sized(copy); }
}  // namespace croton
#endif
