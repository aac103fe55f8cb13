#include "croton/base/block_copy.hpp"

#include "croton/base/error.hpp"

namespace croton {

void copy_block_narrow(const BlockCopy& copy);  // block_copy_narrow.cpp
void copy_block_avx2(const BlockCopy& copy);    // block_copy_avx2.cpp
void copy_block_avx512(const BlockCopy& copy);  // block_copy_avx512.cpp

namespace {
BlockCopier best_copier() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq"))
        return copy_block_avx512;
    if (__builtin_cpu_supports("avx2")) return copy_block_avx2;
#endif
    return copy_block_narrow;
}
}  // namespace

BlockCopier block_copier(std::string_view level) {
#if defined(__x86_64__)
    if (level == "avx512") return copy_block_avx512;
    if (level == "avx2") return copy_block_avx2;
#endif
    if (level == "sse2") return copy_block_narrow;
    return best_copier();
}

void copy_block(const BlockCopy& copy) {
    static const BlockCopier best = best_copier();
    best(copy);
}

}  // namespace croton
