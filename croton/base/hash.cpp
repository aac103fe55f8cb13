#include "croton/base/hash.hpp"

namespace croton {

std::string content_hash(std::string_view content) {
    const uint64_t halves[2] = {
        hash_bytes(content.data(), content.size(), 0x8f14e45fceea167aULL),
        hash_bytes(content.data(), content.size(), 0x2545f4914f6cdd1dULL),
    };
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (uint64_t half : halves)
        for (int shift = 60; shift >= 0; shift -= 4) text += digits[(half >> shift) & 15];
    return text;
}

}  // namespace croton
