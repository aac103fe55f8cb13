// What every processor of the architecture has.

#define CROTON_VECTOR_BYTES 16
#define CROTON_VECTOR_REGISTERS 16
#define CROTON_TILE_ROWS 6
#include "croton/runtime/products/tiles.inc"

namespace croton::runtime {
const TileLevel& base_tiles() {
    static const TileLevel tiles = level();
    return tiles;
}
}  // namespace croton::runtime
