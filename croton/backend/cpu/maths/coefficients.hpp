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
    static constexpr float two_over_pi = 0x1.45f3060000000p-1f;
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
    static constexpr float three_quarters_pi_head = 0x1.2d97c80000000p+1f;
    static constexpr float three_quarters_pi_rest = -0x1.99bc5c0000000p-28f;
    static constexpr float digamma_root_head = 0x1.762d860000000p+0f;
    static constexpr float digamma_root_rest = 0x1.ab5f200000000p-27f;
    static constexpr float stirling_constant = 0x1.acfe3a0000000p-2f;
    static constexpr float log_pi = 0x1.250d040000000p+0f;
    static constexpr float pi_short_head = 0x1.9220000000000p+1f;
    static constexpr float pi_short_rest = -0x1.2aeef40000000p-17f;
    // exp(r) = 1 + r + r^2 q(r), |r| <= ln(2)/2: 27.7 bits
    static constexpr float exp[] = {
        0x1.fffffc0000000p-2f, 0x1.55548a0000000p-3f,  0x1.5559160000000p-5f,
        0x1.123fcc0000000p-7f, 0x1.6a1a540000000p-10f,
    };
    // expm1(r) = r + r^2 q(r), |r| <= ln(2)/2: 30.3 bits
    static constexpr float expm1[] = {
        0x1.0000000000000p-1f, 0x1.5555540000000p-3f,  0x1.5554f60000000p-5f,
        0x1.1112b00000000p-7f, 0x1.6d443a0000000p-10f, 0x1.9ee4200000000p-13f,
    };
    // exp2(r) = 1 + r q(r), |r| <= 1/2: 27.6 bits
    static constexpr float exp2[] = {
        0x1.62e4300000000p-1f, 0x1.ebfbdc0000000p-3f,  0x1.c6af6e0000000p-5f,
        0x1.3b2d260000000p-7f, 0x1.5f16720000000p-10f, 0x1.42abec0000000p-13f,
    };
    // log1p(f) = f + f^2 q(f), sqrt(1/2) <= 1 + f <= sqrt(2): 27.5 bits
    static constexpr float log[] = {
        -0x1.fffff80000000p-2f, 0x1.5555500000000p-2f,  -0x1.0004260000000p-2f,
        0x1.99a3f60000000p-3f,  -0x1.54276a0000000p-3f, 0x1.2271800000000p-3f,
        -0x1.0f37760000000p-3f, 0x1.0848d20000000p-3f,  -0x1.3830420000000p-4f,
    };
    // cos(r) = 1 - z/2 + z^2 q(z), z = r^2, |r| <= pi/4: 33.0 bits
    static constexpr float cos[] = {
        0x1.55554a0000000p-5f,
        -0x1.6c0c280000000p-10f,
        0x1.99e80c0000000p-16f,
    };
    // sin(r) = r + r z q(z), z = r^2, |r| <= pi/4: 27.9 bits
    static constexpr float sin[] = {
        -0x1.5555460000000p-3f,
        0x1.1107780000000p-7f,
        -0x1.9954020000000p-13f,
    };
    // tan(r) = r + r z q(z), z = r^2, |r| <= pi/4: 25.7 bits
    static constexpr float tan[] = {
        0x1.5554de0000000p-2f, 0x1.112dea0000000p-3f, 0x1.b5852c0000000p-5f,
        0x1.9071d80000000p-6f, 0x1.9692cc0000000p-9f, 0x1.33e5200000000p-7f,
    };
    // atan(t) = t + t z q(z), z = t^2, |t| <= tan(pi/8): 25.5 bits
    static constexpr float atan[] = {
        -0x1.5554540000000p-2f,
        0x1.9924d60000000p-3f,
        -0x1.1c37c00000000p-3f,
        0x1.49e4b80000000p-4f,
    };
    // asin(t) = t + t z q(z), z = t^2, |t| <= 1/2: 27.6 bits
    static constexpr float asin[] = {
        0x1.5555c80000000p-3f, 0x1.3301fc0000000p-4f, 0x1.747d0c0000000p-5f,
        0x1.8c2cf80000000p-6f, 0x1.596e1e0000000p-5f,
    };
    // log1p(e) = 2 s + s z q(z), s = e / (2 + e), z = s^2, 0 <= e <= 1: 27.7 bits
    static constexpr float softplus_s[] = {
        0x1.5555020000000p-1f,
        0x1.99d1cc0000000p-2f,
        0x1.1ec0420000000p-2f,
        0x1.1eca060000000p-2f,
    };
    // erf(x) = x + x q(z), z = x^2, |x| <= 0.8: 28.1 bits
    static constexpr float erf[] = {
        0x1.06eba80000000p-3f,  -0x1.8127320000000p-2f, 0x1.ce28880000000p-4f,
        -0x1.b774a40000000p-6f, 0x1.4d5f720000000p-8f,  -0x1.5700980000000p-11f,
    };
    // erf(a) = 1 - exp(q(a)), a >= 0.8: 32.2 bits
    static constexpr float erf_tail[] = {
        0x1.2201320000000p-13f, -0x1.211bf00000000p+0f,  -0x1.44784a0000000p-1f,
        -0x1.b9b9040000000p-4f, 0x1.96c2220000000p-6f,   -0x1.09d4aa0000000p-8f,
        0x1.adfbee0000000p-12f, -0x1.3d8d7a0000000p-16f,
    };
    // erfc(x) = exp(-x^2) q((x - k) / (x + k)) / (1 + 2 x), x >= 1/2, k = 2 in float, 3 in
    // double: 26.1 bits
    static constexpr float erfc[] = {
        0x1.46e80e0000000p+0f,   -0x1.7bf5dc0000000p-4f, -0x1.5407fe0000000p-3f,
        0x1.4ff8de0000000p-3f,   -0x1.bc179c0000000p-5f, -0x1.0664c20000000p-7f,
        0x1.1b9d9e0000000p-7f,   0x1.2ebbbc0000000p-10f, -0x1.4a30720000000p-10f,
        -0x1.f167ba0000000p-13f,
    };
    // erfinv(x) = x q(w - 5/2), w = -log(1 - x^2) <= 5: 23.2 bits
    static constexpr float erfinv_near[] = {
        0x1.805c5e0000000p+0f,   0x1.f91ec60000000p-3f,  -0x1.11ca4c0000000p-8f,
        -0x1.48a6fe0000000p-10f, 0x1.ca70a20000000p-13f, -0x1.2705420000000p-18f,
        -0x1.d996cc0000000p-19f, 0x1.71003a0000000p-22f, 0x1.e99f440000000p-26f,
    };
    // erfinv(x) = x q(sqrt(w) - 3), 5 <= w, for double w <= 16: 23.0 bits
    static constexpr float erfinv_far[] = {
        0x1.6a9efe0000000p+1f,  0x1.006db80000000p+0f,  0x1.352aa00000000p-7f,
        -0x1.f3c6d00000000p-8f, 0x1.79daaa0000000p-8f,  -0x1.df653a0000000p-9f,
        0x1.52d4fe0000000p-10f, 0x1.5e5f760000000p-14f, -0x1.5064c40000000p-13f,
    };
    // log gamma(2 + u) = u q(u), |u| <= 1/2: 24.3 bits
    static constexpr float lgamma_near[] = {
        0x1.b0ee600000000p-2f,   0x1.4a34cc0000000p-2f,  -0x1.13dfec0000000p-4f,
        0x1.5135800000000p-6f,   -0x1.e424740000000p-8f, 0x1.795d100000000p-9f,
        -0x1.34c3ec0000000p-10f, 0x1.2ac0a40000000p-11f, -0x1.1af3740000000p-12f,
    };
    // log gamma(z) = (z - 1/2) (log z - 1) + (log(2 pi) - 1) / 2 + q(1/z^2) / z, z >= 17/2: 34.1
    // bits
    static constexpr float stirling[] = {
        0x1.5555420000000p-4f,
        -0x1.6a060a0000000p-9f,
    };
    // digamma(x) = (x - root) q(x - 3/2), 1 <= x <= 2: 22.8 bits
    static constexpr float digamma_near[] = {
        0x1.e6f0cc0000000p-1f,  -0x1.b1cad20000000p-2f, 0x1.ec9fe00000000p-3f,
        -0x1.302a640000000p-3f, 0x1.85867c0000000p-4f,  -0x1.ee3e540000000p-5f,
        0x1.436c4c0000000p-5f,  -0x1.1ea2060000000p-5f, 0x1.8414fa0000000p-6f,
    };
    // digamma(z) = log(z) - 1/(2 z) - v q(v), v = 1/z^2, z >= 8: 32.0 bits
    static constexpr float digamma_far[] = {
        0x1.5554de0000000p-4f,
        -0x1.0e325a0000000p-7f,
    };
};

template <>
struct Coefficients<double> {
    static constexpr double pi_2_parts[] = {0x1.921fb54400000p+0, 0x1.0b4611a600000p-34,
                                            0x1.3198a2e000000p-69, 0x1.b839a252049c1p-104};
    static constexpr double ln2_head = 0x1.62e42fefa4000p-1;
    static constexpr double ln2_rest = -0x1.8432a1b0e2634p-43;
    static constexpr double log10_2_head = 0x1.34413509f8000p-2;
    static constexpr double log10_2_rest = -0x1.80433b83b532ap-44;
    static constexpr double two_over_pi = 0x1.45f306dc9c883p-1;
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
    static constexpr double three_quarters_pi_head = 0x1.2d97c7f3321d2p+1;
    static constexpr double three_quarters_pi_rest = 0x1.a79394c9e8a0ap-54;
    static constexpr double digamma_root_head = 0x1.762d86356be3fp+0;
    static constexpr double digamma_root_rest = 0x1.b86a722197829p-54;
    static constexpr double stirling_constant = 0x1.acfe390c97d69p-2;
    static constexpr double log_pi = 0x1.250d048e7a1bdp+0;
    static constexpr double pi_short_head = 0x1.921fb00000000p+1;
    static constexpr double pi_short_rest = 0x1.5110b4611a626p-21;
    // exp(r) = 1 + r + r^2 q(r), |r| <= ln(2)/2: 56.7 bits
    static constexpr double exp[] = {
        0x1.000000000000bp-1,  0x1.5555555555506p-3,  0x1.555555554fff4p-5,  0x1.1111111123ee2p-7,
        0x1.6c16c18610ac6p-10, 0x1.a01a0143ccd4ap-13, 0x1.a01994ea48c2bp-16, 0x1.71dee2945d58ap-19,
        0x1.28b22f1559f8cp-22, 0x1.adf762817ff87p-26,
    };
    // expm1(r) = r + r^2 q(r), |r| <= ln(2)/2: 59.4 bits
    static constexpr double expm1[] = {
        0x1.0000000000000p-1,  0x1.5555555555559p-3,  0x1.555555555553cp-5,  0x1.111111110f4b5p-7,
        0x1.6c16c16c1fb64p-10, 0x1.a01a01b0c8aafp-13, 0x1.a01a01798781bp-16, 0x1.71ddf5da0535dp-19,
        0x1.27e5389f44b37p-22, 0x1.af636e6d95005p-26, 0x1.1ee84653c0651p-29,
    };
    // exp2(r) = 1 + r q(r), |r| <= 1/2: 59.1 bits
    static constexpr double exp2[] = {
        0x1.62e42fefa39efp-1,  0x1.ebfbdff82c58ep-3,  0x1.c6b08d704a1d4p-5,  0x1.3b2ab6fba51c0p-7,
        0x1.5d87fe7874585p-10, 0x1.430912f743d88p-13, 0x1.ffcbfd45f5487p-17, 0x1.62c02777495a4p-20,
        0x1.b5234072c5950p-24, 0x1.e4badc9ad7387p-28, 0x1.ec51054ebd737p-32, 0x1.e0d47502ca430p-36,
    };
    // log1p(f) = 2 s + s z q(z), s = f / (2 + f), z = s^2, same interval: 59.5 bits
    static constexpr double log_s[] = {
        0x1.5555555555592p-1, 0x1.999999997ff45p-2, 0x1.24924941dddafp-2, 0x1.c71c52178368cp-3,
        0x1.74663c3eebf60p-3, 0x1.39a1fa5148e17p-3, 0x1.2f030e6369ebfp-3,
    };
    // log1p(f) = 2 s + 2/3 s^3 + s^5 q(z), as above: 66.3 bits
    static constexpr double log_pow[] = {
        0x1.9999999999b2fp-2, 0x1.2492492457f3ap-2, 0x1.c71c722d3e2f7p-3, 0x1.745ce9f08ff4dp-3,
        0x1.3b1ee9c3ad1edp-3, 0x1.0f801c6c05b11p-3, 0x1.0e40e8e2e4f82p-3,
    };
    // log2(1 + f) = s q(z), as above, for pow in float: 37.8 bits
    static constexpr double log2_short[] = {
        0x1.71547652bede5p+1, 0x1.ec709d12d1d16p-1, 0x1.27777fe7ad651p-1,
        0x1.a58d8927ff611p-2, 0x1.5ce84e00c3d01p-2,
    };
    // exp2(r) = q(r), |r| <= 1/2, for pow in float: 29.0 bits
    static constexpr double exp2_short[] = {
        0x1.000000026c18ep+0, 0x1.62e430ca8557fp-1,  0x1.ebfbdacc3e8a5p-3,  0x1.c6aed12dbc2d5p-5,
        0x1.3b2dc278e4a18p-7, 0x1.5f473540d65aap-10, 0x1.41d199e5ccb5ep-13,
    };
    // cos(r) = 1 - z/2 + z^2 q(z), z = r^2, |r| <= pi/4: 63.9 bits
    static constexpr double cos[] = {
        0x1.555555555554bp-5,   -0x1.6c16c16c15014p-10, 0x1.a01a019c8ef9ap-16,
        -0x1.27e4f7f167821p-22, 0x1.1ee9dbad23dd3p-29,  -0x1.8fa670bfa6c14p-37,
    };
    // sin(r) = r + r z q(z), z = r^2, |r| <= pi/4: 57.9 bits
    static constexpr double sin[] = {
        -0x1.5555555555548p-3, 0x1.111111110f730p-7,   -0x1.a01a019be91ffp-13,
        0x1.71de3555287fcp-19, -0x1.ae5e4b80b0016p-26, 0x1.5d8b546f910b7p-33,
    };
    // atan(t) = t + t z q(z), z = t^2, |t| <= tan(pi/8): 59.4 bits
    static constexpr double atan[] = {
        -0x1.555555555553dp-2, 0x1.999999999585fp-3, -0x1.24924922acef8p-3, 0x1.c71c70e5d8e8ap-4,
        -0x1.745cf8d57e148p-4, 0x1.3b111897ba1b9p-4, -0x1.10ebb21ee3245p-4, 0x1.df0eef106875fp-5,
        -0x1.9cd11611ef398p-5, 0x1.37d165198660ap-5, -0x1.2560f7d32613dp-6,
    };
    // asin(t) = t + t z q(z), z = t^2, |t| <= 1/2: 59.9 bits
    static constexpr double asin[] = {
        0x1.5555555555577p-3, 0x1.333333332e10bp-4, 0x1.6db6db721541dp-5, 0x1.f1c71a9396c19p-6,
        0x1.6e8bdf0d0094ap-6, 0x1.1c49ecd96462cp-6, 0x1.ca1fe95ccac74p-7, 0x1.7582620d07533p-7,
        0x1.614f535ff0807p-7, 0x1.e4caa76dd4d58p-9, 0x1.63fba3720dddfp-6, -0x1.5889e913ddcf4p-6,
        0x1.0b74583dfadb9p-5,
    };
    // log1p(e) = 2 s + s z q(z), s = e / (2 + e), z = s^2, 0 <= e <= 1: 59.4 bits
    static constexpr double softplus_s[] = {
        0x1.5555555555535p-1, 0x1.99999999a0750p-2, 0x1.249249208c58bp-2, 0x1.c71c741c743f3p-3,
        0x1.745cb3ffee873p-3, 0x1.3b1ddb762ae2fp-3, 0x1.1067c4c682a02p-3, 0x1.efd85418d62f8p-4,
        0x1.55b0d25814260p-4, 0x1.5c793a9d1d3efp-3,
    };
    // erf(x) = x + x q(z), z = x^2, |x| <= 0.8: 56.1 bits
    static constexpr double erf[] = {
        0x1.06eba8214db68p-3,   -0x1.812746b037990p-2,  0x1.ce2f21a03e251p-4,
        -0x1.b82ce311002f3p-6,  0x1.565bcccb0acd7p-8,   -0x1.c02da67b4cd05p-11,
        0x1.f9a17564d5d53p-14,  -0x1.f4af6ae7b2747p-17, 0x1.b81627668e30ep-20,
        -0x1.5057b4c0f62b0p-23, 0x1.6af3fdb3d42d0p-27,
    };
    // erf(a) = 1 - exp(q(a)), a >= 0.8: 54.4 bits
    static constexpr double erf_tail[] = {
        -0x1.b535ebd2d951ep-24, -0x1.20dd61ad51049p+0,  -0x1.45f3d0ea667f9p-1,
        -0x1.a4e0bd910fbacp-4,  0x1.38b79c369a5f0p-6,   0x1.1f3e9fd103a1ep-12,
        -0x1.cfce3afa49242p-10, 0x1.542c46dc09a9cp-11,  -0x1.d3e9b8d02aae8p-15,
        -0x1.feee3b4f34e3fp-15, 0x1.4921cade2ad77p-15,  -0x1.d1024c5d79341p-17,
        0x1.c91a66861ce0ap-19,  -0x1.46ba7b4b5fc58p-21, 0x1.50472a556686cp-24,
        -0x1.dad28016ffa0fp-28, 0x1.9cbca66c9a939p-32,  -0x1.4d64f4e7e892cp-37,
    };
    // erfc(x) = exp(-x^2) q((x - k) / (x + k)) / (1 + 2 x), x >= 1/2, k = 2 in float, 3 in
    // double: 54.4 bits
    static constexpr double erfc[] = {
        0x1.40c522d7e4987p+0,   -0x1.15c084bb9e8ecp-3,  -0x1.85a15c58a9be8p-5,
        0x1.098366a5b4304p-3,   -0x1.e88b803a5caa7p-4,  0x1.17ca287804df5p-4,
        -0x1.8574c4045e0c9p-6,  0x1.4b884e12cab9cp-9,   0x1.ef1bd77bae84dp-10,
        -0x1.98db488567a66p-11, -0x1.b90fd80677a36p-14, 0x1.065950f323a1cp-13,
        0x1.4b6b93bf74e9cp-18,  -0x1.511cd990bc6c9p-16, -0x1.782b66c0d6525p-21,
        0x1.cf7ae4863bc0ap-19,  0x1.449c06f3cabc6p-22,  -0x1.39d217f3d43fcp-21,
        -0x1.67b3a7380af63p-24, 0x1.32781793440b3p-24,  0x1.249ff01bdd653p-27,
    };
    // erfinv(x) = x q(w - 5/2), w = -log(1 - x^2) <= 5: 53.6 bits
    static constexpr double erfinv_near[] = {
        0x1.805c5cfcedef5p+0,   0x1.f91e8993f0d14p-3,   -0x1.11c3c302dfe33p-8,
        -0x1.4863cdfb6170dp-10, 0x1.c9b437ed2a1cap-13,  -0x1.4f47fe72fd1e5p-18,
        -0x1.ca9227ca82e7bp-19, 0x1.01037e3857321p-21,  0x1.ccff73979ca2cp-27,
        -0x1.752fda5f43023p-27, 0x1.f2cbaa4e8282cp-31,  0x1.0704c5a838497p-33,
        -0x1.11957687bf1eep-35, 0x1.00944256f085fp-40,  0x1.2d8d28ecc6a67p-41,
        -0x1.56d4caa824f6fp-44, -0x1.a0023705214e1p-49, 0x1.114b80650eee8p-49,
        -0x1.397df4acc3ec2p-53, -0x1.ee6c1fb3b4db9p-56, 0x1.66edc05e7e456p-58,
        0x1.8fbf591601194p-63,  -0x1.3f2f9bec2c375p-64,
    };
    // erfinv(x) = x q(sqrt(w) - 3), 5 <= w, for double w <= 16: 52.5 bits
    static constexpr double erfinv_far[] = {
        0x1.6a9efbd66eae7p+1,  0x1.006dca7a9c23bp+0,   0x1.3582c8113f5cfp-7,
        -0x1.f4f1c6f123471p-8, 0x1.7495889379b0cp-8,   -0x1.d2754fbd61898p-9,
        0x1.84f3ebf977f1ap-10, -0x1.38431e7565c1cp-13, -0x1.28e066b5743a4p-12,
        0x1.af0030b6fa101p-13, -0x1.85c7a0a708b23p-15, -0x1.7fc442349ead6p-16,
        0x1.704a9f1a63fccp-16, -0x1.8f41ad151f528p-18, -0x1.c5a6bb491ce53p-20,
        0x1.0e52e89410311p-19, -0x1.3ffa0c00676f5p-21, -0x1.d8b14bba97669p-24,
        0x1.24fc9dcea272ep-23, -0x1.2645fd3b9d27ep-25, 0x1.873a53daeb95cp-30,
    };
    // erfinv(x) = x q(sqrt(w) - 5), 16 <= w: 53.3 bits
    static constexpr double erfinv_tail[] = {
        0x1.3664ddd1ad7fbp+2,   0x1.02a30d1fba111p+0,   -0x1.22ea5df0dc366p-13,
        -0x1.c2f36aa38388ap-13, 0x1.3ebf4ec956713p-14,  -0x1.4a348f3fc71ecp-16,
        0x1.2fbd1d4d55519p-18,  -0x1.0a90a494baa2dp-20, 0x1.ebcecf9296344p-23,
        -0x1.221d85b1d375fp-24, 0x1.f45b6b2240ebbp-26,  -0x1.06578fe311eacp-26,
        0x1.069c7ae034df7p-27,  -0x1.daf1c5e15a8f6p-29, 0x1.99da362fce7ddp-30,
        -0x1.ea77d1207336fp-32, -0x1.948cc82f5318fp-36, 0x1.89d22a36ec722p-35,
    };
    // log gamma(2 + u) = u q(u), |u| <= 1/2: 53.7 bits
    static constexpr double lgamma_near[] = {
        0x1.b0ee6072093cep-2,   0x1.4a34cc4a60fa7p-2,   -0x1.13e001a557616p-4,
        0x1.51322ac7d8009p-6,   -0x1.e404fc21888abp-8,  0x1.7add6eae559b3p-9,
        -0x1.38ac5c309c4cbp-10, 0x1.0b36af367b4b4p-11,  -0x1.d3fd4943d4832p-13,
        0x1.a127dc29e77d2p-14,  -0x1.78defd9d22838p-15, 0x1.5806f4e78afbep-16,
        -0x1.3ca94128b000dp-17, 0x1.263eab0ccf001p-18,  -0x1.131ce23318a0fp-19,
        0x1.ee17469dc051ap-21,  -0x1.c3070b880ab57p-22, 0x1.2b079daa0dccap-22,
        -0x1.33b4ad4017fa5p-23,
    };
    // log gamma(z) = (z - 1/2) (log z - 1) + (log(2 pi) - 1) / 2 + q(1/z^2) / z, z >= 17/2: 64.4
    // bits
    static constexpr double stirling[] = {
        0x1.5555555555536p-4,   -0x1.6c16c16ae3fbdp-9, 0x1.a019f97bd7629p-11,
        -0x1.380cfac40c0e4p-11, 0x1.b69daea1a2983p-11, -0x1.addf2e3d4c0d1p-10,
    };
    // digamma(x) = (x - root) q(x - 3/2), 1 <= x <= 2: 52.7 bits
    static constexpr double digamma_near[] = {
        0x1.e6f0cbb873616p-1,   -0x1.b1cb63005ee5bp-2,  0x1.eca189b8e6e1dp-3,
        -0x1.2feeeb98b04a4p-3,  0x1.8512e590551dcp-4,   -0x1.fb44201e55a7dp-5,
        0x1.4de9aa0907010p-5,   -0x1.b9f8b4c40327ap-6,  0x1.2564753eaf155p-6,
        -0x1.8634c4945eed5p-7,  0x1.03c01b88ef8e3p-7,   -0x1.5a16f549b4e20p-8,
        0x1.cd3b7b5022ec4p-9,   -0x1.3261ef0cdaf8ap-9,  0x1.982f1d5da730fp-10,
        -0x1.1a8bf875d6766p-10, 0x1.7a65efd477804p-11,  -0x1.73b1a8165d887p-12,
        0x1.e2d3013745404p-13,  -0x1.8d06d949a1d67p-12, 0x1.0dc8ad4a7e6f0p-12,
    };
    // digamma(z) = log(z) - 1/(2 z) - v q(v), v = 1/z^2, z >= 8: 66.0 bits
    static constexpr double digamma_far[] = {
        0x1.5555555555544p-4, -0x1.11111110ddf82p-7, 0x1.04104031f3b0ap-8, -0x1.111040268512fp-8,
        0x1.f00b0c08730e2p-8, -0x1.50fb63c699f56p-6, 0x1.f4f236abdc0fap-5,
    };
};

// 1/(2 pi) after 24 zero bits, the most significant word first.
inline constexpr uint32_t turn_words_32[] = {
    0x00000028, 0xbe60db93, 0x91054a7f, 0x09d5f47d, 0x4d377036, 0xd8a5664f, 0x10e4107f,
};

// 1/(2 pi) after 57 zero bits, likewise.
inline constexpr uint64_t turn_words_64[] = {
    0x0000000000000014, 0x5f306dc9c882a53f, 0x84eafa3ea69bb81b, 0x6c52b3278872083f,
    0xca2c757bd778ac36, 0xe48dc74849ba5c00, 0xc925dd413a32439f, 0xc3bd63962534e7dd,
    0x1046bea5d768909d, 0x338e04d68befc827, 0x323ac7306a673e93, 0x908bf177bf250763,
    0xff12fffbc0b301fd, 0xe5e2316b414da3ed, 0xa6cfd9e4f96136e9, 0xe8c7ecd3cbfd45ae,
    0xa4f758fd7cbe2f67, 0xa0e73ef14a525d4d, 0x7f6bf623f1aba10a, 0xc06608df8f6d757e,
};

}  // namespace croton::maths
