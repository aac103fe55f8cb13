// AVX-512: compiled with -march=x86-64-v4 (cmake/products.cmake).
#if defined(__x86_64__)
#define CROTON_VECTOR_BYTES 64
#define CROTON_VECTOR_REGISTERS 32
#define CROTON_TILE_ROWS 14
#include "croton/runtime/products/tiles.inc"

namespace croton::runtime {
const TileLevel& avx512_tiles() {
    static const TileLevel tiles = level();
    return tiles;
}
}  // namespace croton::runtime
#endif
