#pragma once
// Philox4x32-10 as kernel instructions, after the paper's definition: ten rounds, each two 32 by 32
// bit products, with a key that moves on by the Weyl constants in between.
#include <array>

#include "croton/kernel/builder.hpp"

namespace croton {

using PhiloxWords = std::array<kernel::Scalar, 4>;

/// Four words of random bits for four words of counter and two of key, all uint32.
inline PhiloxWords philox(kernel::Builder& b, PhiloxWords counter, kernel::Scalar key0,
                          kernel::Scalar key1) {
    struct Product {
        kernel::Scalar high, low;
    };
    auto multiply = [&](kernel::Scalar x, uint64_t factor) {
        kernel::Scalar whole = b.cast(x, DType::UInt64) * factor;
        kernel::Scalar high = b.shift_right(whole, b.like(whole, uint64_t{32}));
        return Product{b.cast(high, DType::UInt32), b.cast(whole, DType::UInt32)};
    };
    for (int round = 0; round < 10; ++round) {
        if (round > 0) {
            key0 = key0 + uint64_t{0x9E3779B9};
            key1 = key1 + uint64_t{0xBB67AE85};
        }
        Product first = multiply(counter[0], 0xD2511F53);
        Product second = multiply(counter[2], 0xCD9E8D57);
        counter = {b.bit_xor(b.bit_xor(second.high, counter[1]), key0), second.low,
                   b.bit_xor(b.bit_xor(first.high, counter[3]), key1), first.low};
    }
    return counter;
}

}  // namespace croton
