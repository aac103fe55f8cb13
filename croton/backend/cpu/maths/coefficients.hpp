// Made by tools/minimax.py; do not edit. The bits after each array are -log2 of the largest
// relative error that the polynomial adds to its function.
#pragma once

#include <cstdint>

namespace croton::maths {

template <class T>
struct Coefficients;

template <>
struct Coefficients<float> {
    static constexpr float ln2_head = 0x1.62e4000000000p-1f;
    static constexpr float ln2_rest = 0x1.7f7d1c0000000p-20f;
    static constexpr float log10_2_head = 0x1.3440000000000p-2f;
    static constexpr float log10_2_rest = 0x1.3509f80000000p-18f;
    static constexpr float log2_e = 0x1.7154760000000p+0f;
    static constexpr float log2_e_minus_one = 0x1.c551da0000000p-2f;
    static constexpr float log10_e = 0x1.bcb7b20000000p-2f;
    static constexpr float log10_e_minus_half = -0x1.0d213a0000000p-4f;
    static constexpr float two_thirds_head = 0x1.5555560000000p-1f;
    static constexpr float two_thirds_rest = -0x1.5555560000000p-26f;
    static constexpr float pi_head = 0x1.921fb60000000p+1f;
    static constexpr float pi_rest = -0x1.777a5c0000000p-24f;
    static constexpr float pi_2_head = 0x1.921fb60000000p+0f;
    static constexpr float pi_2_rest = -0x1.777a5c0000000p-25f;
    static constexpr float pi_short_head = 0x1.9220000000000p+1f;
    static constexpr float pi_short_rest = -0x1.2aeef40000000p-17f;
    // exp(r) = 1 + r + r^2 q(r), |r| <= ln(2)/2: 27.4 bits
    static constexpr float exp[] = {
        0x1.fffffc0000000p-2f, 0x1.55548c0000000p-3f,  0x1.55585a0000000p-5f,
        0x1.12440c0000000p-7f, 0x1.6ad9240000000p-10f,
    };
    // expm1(r) = r + r^2 q(r), |r| <= ln(2)/2: 25.3 bits
    static constexpr float expm1[] = {
        0x1.fffffe0000000p-2f, 0x1.5554b00000000p-3f,  0x1.5556ba0000000p-5f,
        0x1.1231ba0000000p-7f, 0x1.6bfc7e0000000p-10f,
    };
    // exp2(r) = 1 + r q(r), |r| <= 1/2: 27.5 bits
    static constexpr float exp2[] = {
        0x1.62e4300000000p-1f, 0x1.ebfbdc0000000p-3f,  0x1.c6af700000000p-5f,
        0x1.3b2d2c0000000p-7f, 0x1.5f15760000000p-10f, 0x1.42ab0e0000000p-13f,
    };
    // log1p(f) = f + f^2 q(f), sqrt(1/2) <= 1 + f <= sqrt(2): 25.6 bits
    static constexpr float log[] = {
        -0x1.fffff80000000p-2f, 0x1.5555500000000p-2f,  -0x1.0004380000000p-2f,
        0x1.999c700000000p-3f,  -0x1.5410420000000p-3f, 0x1.2317280000000p-3f,
        -0x1.1119920000000p-3f, 0x1.0541720000000p-3f,  -0x1.26ba9e0000000p-4f,
    };
    // sin(r) = r + r z q(z), z = r^2, |r| <= pi/2: 31.0 bits
    static constexpr float sin[] = {
        -0x1.5555560000000p-3f, 0x1.1111360000000p-7f,   -0x1.a023cc0000000p-13f,
        0x1.72cdda0000000p-19f, -0x1.b623d00000000p-26f,
    };
    // cos(r) = 1 - z/2 + z^2 q(z), z = r^2, |r| <= pi/4: 33.0 bits
    static constexpr float cos[] = {
        0x1.55554a0000000p-5f,
        -0x1.6c0c280000000p-10f,
        0x1.99e80c0000000p-16f,
    };
    // sin(r) = r + r z q(z), z = r^2, |r| <= pi/4: 27.9 bits
    static constexpr float sin_small[] = {
        -0x1.5555460000000p-3f,
        0x1.1107780000000p-7f,
        -0x1.9954020000000p-13f,
    };
};

template <>
struct Coefficients<double> {
    static constexpr double ln2_head = 0x1.62e42fefa4000p-1;
    static constexpr double ln2_rest = -0x1.8432a1b0e2634p-43;
    static constexpr double log10_2_head = 0x1.34413509f8000p-2;
    static constexpr double log10_2_rest = -0x1.80433b83b532ap-44;
    static constexpr double log2_e = 0x1.71547652b82fep+0;
    static constexpr double log2_e_minus_one = 0x1.c551d94ae0bf8p-2;
    static constexpr double log10_e = 0x1.bcb7b1526e50ep-2;
    static constexpr double log10_e_minus_half = -0x1.0d213ab646bc7p-4;
    static constexpr double two_thirds_head = 0x1.5555555555555p-1;
    static constexpr double two_thirds_rest = 0x1.5555555555555p-55;
    static constexpr double pi_head = 0x1.921fb54442d18p+1;
    static constexpr double pi_rest = 0x1.1a62633145c07p-53;
    static constexpr double pi_2_head = 0x1.921fb54442d18p+0;
    static constexpr double pi_2_rest = 0x1.1a62633145c07p-54;
    static constexpr double pi_short_head = 0x1.921fb00000000p+1;
    static constexpr double pi_short_rest = 0x1.5110b4611a626p-21;
    // exp(r) = 1 + r + r^2 q(r), |r| <= ln(2)/2: 56.5 bits
    static constexpr double exp[] = {
        0x1.000000000000bp-1,  0x1.5555555555509p-3,  0x1.555555555025fp-5,  0x1.11111111268f0p-7,
        0x1.6c16c1858534dp-10, 0x1.a01a01304389ep-13, 0x1.a01996327d9f6p-16, 0x1.71df08af8aeffp-19,
        0x1.28b128262de60p-22, 0x1.add0623b48a53p-26,
    };
    // expm1(r) = r + r^2 q(r), |r| <= ln(2)/2: 54.1 bits
    static constexpr double expm1[] = {
        0x1.0000000000005p-1,  0x1.5555555555531p-3,  0x1.5555555551fa0p-5,  0x1.111111111df83p-7,
        0x1.6c16c1808e741p-10, 0x1.a01a015579834p-13, 0x1.a019a0c0bdd22p-16, 0x1.71decf9c2c1d0p-19,
        0x1.28a9423da06fcp-22, 0x1.adfabaf031cb7p-26,
    };
    // exp2(r) = 1 + r q(r), |r| <= 1/2: 57.3 bits
    static constexpr double exp2[] = {
        0x1.62e42fefa39efp-1,  0x1.ebfbdff82c58ep-3,  0x1.c6b08d704a1d4p-5,  0x1.3b2ab6fba51c2p-7,
        0x1.5d87fe787459fp-10, 0x1.430912f78e082p-13, 0x1.ffcbfd480bb34p-17, 0x1.62c02695d0b25p-20,
        0x1.b523370a17765p-24, 0x1.e4b9a26726c22p-28, 0x1.ec65d3022d4ccp-32, 0x1.ea4fe907516b4p-36,
    };
    // log1p(f) = 2 s + s z q(z), s = f / (2 + f), z = s^2, same interval: 59.5 bits
    static constexpr double log_s[] = {
        0x1.5555555555592p-1, 0x1.999999997ff4ap-2, 0x1.24924941dd816p-2, 0x1.c71c5217cbfa2p-3,
        0x1.74663c31294d8p-3, 0x1.39a1fb8f83995p-3, 0x1.2f030351607e9p-3,
    };
    // log1p(f) = 2 s + 2/3 s^3 + s^5 q(z), as above: 66.3 bits
    static constexpr double log_pow[] = {
        0x1.9999999999b2fp-2, 0x1.2492492457f29p-2, 0x1.c71c722d40cd8p-3, 0x1.745ce9ef5acd1p-3,
        0x1.3b1eea0727515p-3, 0x1.0f801563aa454p-3, 0x1.0e41311cee1ffp-3,
    };
    // log2(1 + f) = s q(z), as above, for pow in float: 37.8 bits
    static constexpr double log2_short[] = {
        0x1.71547652bedeep+1, 0x1.ec709d12d3a26p-1, 0x1.27777fe673167p-1,
        0x1.a58d89592cd7fp-2, 0x1.5ce84fad085d2p-2,
    };
    // exp2(r) = q(r), |r| <= 1/2, for pow in float: 27.5 bits
    static constexpr double exp2_short[] = {
        0x1.000000026a8e8p+0, 0x1.62e4314401664p-1,  0x1.ebfbdce117eecp-3,  0x1.c6ae0fe459632p-5,
        0x1.3b2ad467c6bb9p-7, 0x1.5f9b27fc1ef20p-10, 0x1.4447433f98500p-13,
    };
    // sin(r) = r + r z q(z), z = r^2, |r| <= pi/2: 61.9 bits
    static constexpr double sin[] = {
        -0x1.5555555555555p-3,  0x1.11111111110cdp-7,   -0x1.a01a01a0155a1p-13,
        0x1.71de3a52f3a94p-19,  -0x1.ae64550a43311p-26, 0x1.6123e0a915b48p-33,
        -0x1.ae4babfec2dddp-41, 0x1.89ffab3694705p-49,  -0x1.504bf4ac16b88p-60,
    };
    // cos(r) = 1 - z/2 + z^2 q(z), z = r^2, |r| <= pi/4: 63.9 bits
    static constexpr double cos[] = {
        0x1.555555555554bp-5,   -0x1.6c16c16c15014p-10, 0x1.a01a019c8efa4p-16,
        -0x1.27e4f7f168172p-22, 0x1.1ee9dbad560e4p-29,  -0x1.8fa6709f0d8d1p-37,
    };
    // sin(r) = r + r z q(z), z = r^2, |r| <= pi/4: 57.9 bits
    static constexpr double sin_small[] = {
        -0x1.5555555555548p-3, 0x1.111111110f730p-7,   -0x1.a01a019be920cp-13,
        0x1.71de355529f89p-19, -0x1.ae5e4b82455ecp-26, 0x1.5d8b54f7d4242p-33,
    };
};

// 1/(2 pi) after 23 zero bits, the most significant word first.
inline constexpr uint32_t turn_words[] = {
    0x00000051, 0x7cc1b727, 0x220a94fe, 0x13abe8fa, 0x9a6ee06d, 0xb14acc9e, 0x21c820ff,
};

// 1/(2 pi) after 56 zero bits, the least significant byte first.
inline constexpr uint8_t turn_bytes[] = {
    0x15, 0x42, 0x57, 0xe3, 0x47, 0xec, 0xd7, 0xfe, 0x9a, 0xba, 0xa4, 0x94, 0xe2, 0x7d, 0xce, 0x41,
    0xcf, 0x5e, 0x7c, 0xf9, 0xfa, 0xb1, 0xee, 0x49, 0x5d, 0x8b, 0xfa, 0x97, 0xa7, 0xd9, 0x8f, 0xd1,
    0xd3, 0x6d, 0xc2, 0xf2, 0xc9, 0xb3, 0x9f, 0x4d, 0xdb, 0x47, 0x9b, 0x82, 0xd6, 0x62, 0xc4, 0xcb,
    0xfb, 0x03, 0x66, 0x81, 0xf7, 0xff, 0x25, 0xfe, 0xc7, 0x0e, 0x4a, 0x7e, 0xef, 0xe2, 0x17, 0x21,
    0x27, 0x7d, 0xce, 0xd4, 0x60, 0x8e, 0x75, 0x64, 0x4e, 0x90, 0xdf, 0x17, 0xad, 0x09, 0x1c, 0x67,
    0x3a, 0x21, 0xd1, 0xae, 0x4b, 0x7d, 0x8d, 0x20, 0xba, 0xcf, 0x69, 0x4a, 0x2c, 0xc7, 0x7a, 0x87,
    0x3f, 0x87, 0x64, 0x74, 0x82, 0xba, 0x4b, 0x92, 0x01, 0xb8, 0x74, 0x93, 0x90, 0x8e, 0x1b, 0xc9,
    0x6d, 0x58, 0xf1, 0xae, 0xf7, 0xea, 0x58, 0x94, 0x7f, 0x10, 0xe4, 0x10, 0x4f, 0x66, 0xa5, 0xd8,
    0x36, 0x70, 0x37, 0x4d, 0x7d, 0xf4, 0xd5, 0x09, 0x7f, 0x4a, 0x05, 0x91, 0x93, 0xdb, 0x60, 0xbe,
    0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

}  // namespace croton::maths
