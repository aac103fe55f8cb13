#pragma once
// Hashing: quick mixing for tables, and a 128-bit content hash for the disk cache.
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace croton {

/// Finaliser of a 64-bit hash (multiply and xor-shift; every input bit reaches every output bit).
constexpr uint64_t mix(uint64_t value) {
    value ^= value >> 32;
    value *= 0xe9846af9b1a615dULL;
    value ^= value >> 32;
    value *= 0xe9846af9b1a615dULL;
    value ^= value >> 28;
    return value;
}

constexpr uint64_t hash_combine(uint64_t seed, uint64_t value) {
    // The product keeps small seeds and values apart: sums and xors of them meet far too often.
    return mix(seed * 0x9e3779b97f4a7c15ULL + value + 0x51ed270b27b4f3cfULL);
}

inline uint64_t hash_bytes(const void* data, size_t size, uint64_t seed = 0x51ed270b27b4f3cfULL) {
    auto bytes = static_cast<const unsigned char*>(data);
    uint64_t state = seed ^ (size * 0x9e3779b97f4a7c15ULL);
    for (; size >= 8; size -= 8, bytes += 8) {
        uint64_t word;
        std::memcpy(&word, bytes, 8);
        state = hash_combine(state, word);
    }
    uint64_t tail = 0;
    if (size > 0) std::memcpy(&tail, bytes, size);  // of no bytes the address may be null
    return hash_combine(state, tail);
}

inline uint64_t hash_text(std::string_view text) { return hash_bytes(text.data(), text.size()); }

/// 128 bits of content hash as 32 hexadecimal digits. Not cryptographic: it guards against
/// accidents (bit rot, truncation, collisions), not against an attacker who owns the folder.
std::string content_hash(std::string_view content);

}  // namespace croton
