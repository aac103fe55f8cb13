// Compiled for processors with AVX-512 (cmake/library.cmake).
#if defined(__x86_64__)
#define CROTON_COPY_BYTES 64
#include "croton/base/block_copy_kernels.hpp"

namespace croton {
void copy_block_avx512(const BlockCopy& copy) { copy_sized(copy); }
}  // namespace croton
#endif
