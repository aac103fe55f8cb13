// AVX2 with FMA: compiled with -march=x86-64-v3 (cmake/products.cmake).
#if defined(__x86_64__)
#define CROTON_VECTOR_BYTES 32
#define CROTON_VECTOR_REGISTERS 16
#define CROTON_TILE_ROWS 6
#include "croton/runtime/products/tiles.inc"

namespace croton::runtime {
const TileLevel& avx2_tiles() {
    static const TileLevel tiles = level();
    return tiles;
}
}  // namespace croton::runtime
#endif
