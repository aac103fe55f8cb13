// Vectors of 16 bytes, which every processor has.
#define CROTON_COPY_BYTES 16
#include "croton/base/block_copy_kernels.hpp"

namespace croton {
void copy_block_narrow(const BlockCopy& copy) { copy_sized(copy); }
}  // namespace croton
