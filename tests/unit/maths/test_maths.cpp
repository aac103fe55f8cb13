// Croton's vector maths against libm in more precision than the result: double for float, long
// double (64-bit significand) for double.
//
// Arguments: for float every STRIDE-th bit pattern, so all sizes and signs, subnormals, infinities
// and NaN; for double random bit patterns; for both also uniform ones on an interval where the
// function has its features. The largest error in ulp must keep within the bound of
// croton/backend/cpu/maths/README.md. CROTON_MATHS_REPORT=1 prints the errors measured.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <random>
#include <regex>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "croton/backend/cpu/maths/maths.hpp"

#define DECLARE_FMA_1(name)               \
    float croton_##name##_f32_fma(float); \
    double croton_##name##_f64_fma(double);
#define DECLARE_FMA_2(name)                      \
    float croton_##name##_f32_fma(float, float); \
    double croton_##name##_f64_fma(double, double);

extern "C" {
CROTON_MATHS_UNARY(DECLARE_FMA_1)
CROTON_MATHS_NEAR(DECLARE_FMA_1)
CROTON_MATHS_BINARY(DECLARE_FMA_2)
}

namespace {

bool have_fma() { return __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2"); }

using Long = long double;

// The format of one more precision than T.
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, Long>;

// |got - wanted| in units of the last place of T at `wanted`; 0 where both are NaN or the same
// infinity. A result that should overflow may stay finite by no more than the ulp says.
template <class T>
double error_in_ulp(T got, Wide<T> wanted, double floor = 0) {
    if (std::isnan(wanted) || std::isnan(got))
        return std::isnan(wanted) && std::isnan(got) ? 0.0 : HUGE_VAL;
    const T nearest = static_cast<T>(wanted);
    if (std::isinf(nearest) || std::isinf(got)) {
        const T most = std::numeric_limits<T>::max();
        if (nearest == got) return 0.0;
        // Rounding to infinity or to the largest number: one ulp apart.
        const bool beside = std::signbit(got) == std::signbit(nearest) &&
                            std::fabs(wanted) <= static_cast<Wide<T>>(most) * (1 + 1e-6L) &&
                            (std::fabs(got) >= most * T(0.999999));
        return beside ? 1.0 : HUGE_VAL;
    }
    int exponent;
    std::frexp(std::max(std::fabs(wanted), Wide<T>(floor)), &exponent);
    exponent = std::max(exponent, std::numeric_limits<T>::min_exponent);
    const Wide<T> ulp = std::ldexp(Wide<T>(1), exponent - std::numeric_limits<T>::digits);
    return static_cast<double>(std::fabs(static_cast<Wide<T>>(got) - wanted) / ulp);
}

template <class T>
bool same(T a, T b) {
    return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

bool reporting() { return std::getenv("CROTON_MATHS_REPORT") != nullptr; }

// One function of one argument with its reference.
struct Unary {
    const char* name;
    float (*f32)(float);
    double (*f64)(double);
    float (*f32_fma)(float);
    double (*f64_fma)(double);
    double (*wide)(double);
    Long (*longer)(Long);
    double low, high;  // where arguments are also drawn uniformly
    double ulp32, ulp64;
    double floor = 0;  // left of zero: results below it in size are judged as if they were this
};

void PrintTo(const Unary& f, std::ostream* out) { *out << f.name; }

template <class W>
W sigmoid_reference(W x) {
    return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}

template <class W>
W softplus_reference(W x) {
    return std::isnan(x) ? x : std::fmax(x, W(0)) + std::log1p(std::exp(-std::fabs(x)));
}

// Newton's method on erf, and on erfc where that is the smaller.
template <class W>
W erfinv_reference(W x) {
    const W a = std::fabs(x);
    if (!(a < 1))
        return a == 1 ? std::copysign(std::numeric_limits<W>::infinity(), x)
                      : std::numeric_limits<W>::quiet_NaN();
    const W l = std::log1p(-a * a), b = W(4.3307L) + l / 2;
    W y = std::sqrt(std::sqrt(b * b - l / W(0.147L)) - b);
    for (int i = 0; i < 6 && a > 0; ++i) {
        const W slope = 2 / std::sqrt(std::acos(W(-1))) * std::exp(-y * y);
        y -= (a < W(0.5) ? std::erf(y) - a : (1 - a) - std::erfc(y)) / slope;
    }
    return std::copysign(a < W(1e-300) ? a * std::sqrt(std::acos(W(-1))) / 2 : y, x);
}

// digamma's root in two parts, and its derivatives there over factorials.
constexpr double digamma_root = 0x1.762d86356be3fp+0;
constexpr Long digamma_root_rest = 9.54999542996569771518419907597e-17L;
constexpr Long digamma_taylor[] = {
    0.96767224544762117042744476171L,   -0.442763168983592106092865281853L,
    0.258499760955651010624401385701L,  -0.163942705442406527504251292747L,
    0.107824050691262365757182948867L,  -0.0721995612564547109261217836051L,
    0.0488042881641431072250925255079L, -0.0331611264748473592922583984045L,
};

// Recurrence up to 30 and the asymptotic series; about its root the Taylor series.
template <class W>
W digamma_reference(W x) {
    const W pi = std::acos(W(-1));
    if (x < 0) {
        const W r = x - std::nearbyint(x);
        if (r == 0 || std::isinf(x)) return std::numeric_limits<W>::quiet_NaN();
        return digamma_reference(1 - x) - pi / std::tan(pi * r);
    }
    const W d = (x - W(digamma_root)) - W(digamma_root_rest);
    if (std::fabs(d) < W(0.004)) {
        W sum = 0;
        for (int i = 7; i >= 0; --i) sum = sum * d + W(digamma_taylor[i]);
        return sum * d;
    }
    W sum = 0;
    for (; x < 30; ++x) sum -= 1 / x;
    const W v = 1 / (x * x);
    const W series =
        v * (W(1) / 12 -
             v * (W(1) / 120 -
                  v * (W(1) / 252 -
                       v * (W(1) / 240 - v * (W(1) / 132 - v * (W(691) / 32760 - v / 12))))));
    return sum + (std::log(x) - 1 / (2 * x) - series);
}

#define BOTH(name)                                                            \
    #name, croton_##name##_f32, croton_##name##_f64, croton_##name##_f32_fma, \
        croton_##name##_f64_fma
#define STD(name)                                                \
    BOTH(name), [](double x) -> double { return std::name(x); }, \
        [](Long x) -> Long { return std::name(x); }
#define OWN(name) BOTH(name), name##_reference<double>, name##_reference<Long>

const Unary unaries[] = {
    {STD(exp), -110, 90, 1.1, 1.1},    {STD(exp2), -160, 130, 1.2, 1.3},
    {STD(expm1), -2, 2, 1.3, 1.4},     {STD(log), 0, 3, 1.1, 1},
    {STD(log2), 0, 3, 1.6, 1.4},       {STD(log10), 0, 3, 1.4, 1.3},
    {STD(log1p), -1, 3, 1.2, 1},       {STD(sin), -100, 100, 1.7, 1.7},
    {STD(cos), -100, 100, 1.7, 1.7},   {STD(tan), -100, 100, 2.8, 3.8},
    {STD(asin), -1, 1, 2.1, 2.1},      {STD(acos), -1, 1, 1.2, 1.2},
    {STD(atan), -4, 4, 2.1, 1.9},      {STD(sinh), -4, 4, 2.3, 2.3},
    {STD(cosh), -4, 4, 1.6, 1.6},      {STD(tanh), -3, 3, 2, 2.1},
    {STD(asinh), -4, 4, 2, 2},         {STD(acosh), 1, 4, 2.4, 2.6},
    {STD(atanh), -1, 1, 2.2, 2.1},     {STD(erf), -6, 6, 1.5, 1.8},
    {STD(erfc), -6, 28, 4.5, 4.2},     {OWN(erfinv), -1, 1, 5, 4},
    {STD(lgamma), -10, 20, 6.5, 7, 4}, {OWN(digamma), -10, 20, 10, 10, 8},
    {STD(cbrt), -4, 4, 0.6, 0.6},      {OWN(sigmoid), -30, 30, 2.4, 2.4},
    {OWN(softplus), -30, 30, 2, 2},
};

template <class T>
struct Worst {
    double ulp = 0;
    T at = 0;
    T got = 0;
    Wide<T> wanted = 0;

    void see(T x, T result, Wide<T> reference, double floor = 0) {
        const double error = error_in_ulp(result, reference, x < 0 ? floor : 0);
        if (!(error > ulp)) return;
        ulp = error, at = x, got = result, wanted = reference;
    }
};

template <class T>
void judge(const char* name, const char* type, const Worst<T>& worst, double bound) {
    if (reporting())
        std::printf("%-10s %s %.3f ulp at %.17g\n", name, type, worst.ulp, double(worst.at));
    EXPECT_LE(worst.ulp, bound) << name << " " << type << " at " << std::hexfloat << worst.at
                                << ": " << worst.got << ", wanted " << static_cast<T>(worst.wanted);
}

// The two compilations: without and with FMA.
enum class Build { plain, fma };

class UnaryTest : public testing::TestWithParam<std::tuple<Unary, Build>> {
  protected:
    void SetUp() override {
        if (fma() && !have_fma()) GTEST_SKIP() << "this machine has no FMA";
    }
    const Unary& function() const { return std::get<0>(GetParam()); }
    bool fma() const { return std::get<1>(GetParam()) == Build::fma; }
};

template <class Info>
std::string test_name(const Info& info) {
    const bool fma = std::get<1>(info.param) == Build::fma;
    return std::string(std::get<0>(info.param).name) + (fma ? "_fma" : "");
}

TEST_P(UnaryTest, FloatKeepsItsBound) {
    const Unary& f = function();
    const auto call = fma() ? f.f32_fma : f.f32;
    Worst<float> worst;
    const auto see = [&](float x) { worst.see(x, call(x), f.wide(x), f.floor); };
    const uint32_t stride = reporting() ? 397 : 3989;
    for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += stride)
        see(std::bit_cast<float>(static_cast<uint32_t>(bits)));
    std::mt19937_64 random(7);
    std::uniform_real_distribution<float> near(float(f.low), float(f.high));
    for (int i = 0; i < 200000; ++i) see(near(random));
    judge(f.name, "f32", worst, f.ulp32);
}

TEST_P(UnaryTest, DoubleKeepsItsBound) {
    const Unary& f = function();
    const auto call = fma() ? f.f64_fma : f.f64;
    Worst<double> worst;
    const auto see = [&](double x) { worst.see(x, call(x), f.longer(x), f.floor); };
    std::mt19937_64 random(11);
    std::uniform_real_distribution<double> near(f.low, f.high), wide(-750, 750);
    std::uniform_int_distribution<int> power(-60, 10);
    const int count = reporting() ? 500000 : 50000;
    for (int i = 0; i < count; ++i) {
        see(std::bit_cast<double>(random()));
        see(near(random));
        see(wide(random));
        see(std::ldexp(near(random), power(random)));
        see(1 + std::ldexp(near(random), -power(random) - 30) * 1e-3);
    }
    judge(f.name, "f64", worst, f.ulp64);
}

INSTANTIATE_TEST_SUITE_P(Maths, UnaryTest,
                         testing::Combine(testing::ValuesIn(unaries),
                                          testing::Values(Build::plain, Build::fma)),
                         [](const auto& info) { return test_name(info); });

// Values that must be exact, signs of zero included.
constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

struct Edge {
    const char* name;
    double x, wanted;
};

const Edge edges[] = {
    {"exp", 0.0, 1.0},
    {"exp", -0.0, 1.0},
    {"exp", inf, inf},
    {"exp", -inf, 0.0},
    {"exp", 800, inf},
    {"exp", -800, 0.0},
    {"exp2", 0.0, 1.0},
    {"exp2", 10.0, 1024.0},
    {"exp2", -126.0, 0x1p-126},
    {"exp2", -149.0, 0x1p-149},
    {"exp2", inf, inf},
    {"exp2", -inf, 0.0},
    {"expm1", 0.0, 0.0},
    {"expm1", -0.0, -0.0},
    {"expm1", inf, inf},
    {"expm1", -inf, -1.0},
    {"expm1", -100, -1.0},
    {"expm1", -0x1p-140, -0x1p-140},
    {"log", 1.0, 0.0},
    {"log", 0.0, -inf},
    {"log", -0.0, -inf},
    {"log", inf, inf},
    {"log", -1.0, nan_value},
    {"log", -inf, nan_value},
    {"log2", 0x1p-149, -149.0},
    {"log2", 8.0, 3.0},
    {"log2", 1.0, 0.0},
    {"log2", 0.0, -inf},
    {"log2", inf, inf},
    {"log2", -2.0, nan_value},
    {"log10", 1.0, 0.0},
    {"log10", 1000.0, 3.0},
    {"log10", 0.0, -inf},
    {"log10", inf, inf},
    {"log10", -2.0, nan_value},
    {"log1p", 0.0, 0.0},
    {"log1p", -0.0, -0.0},
    {"log1p", -1.0, -inf},
    {"log1p", -1.5, nan_value},
    {"log1p", inf, inf},
    {"log1p", -inf, nan_value},
    {"log1p", 0x1p-149, 0x1p-149},
    {"sin", 0.0, 0.0},
    {"sin", -0.0, -0.0},
    {"sin", inf, nan_value},
    {"sin", -inf, nan_value},
    {"sin", -0x1p-149, -0x1p-149},
    {"cos", 0.0, 1.0},
    {"cos", -0.0, 1.0},
    {"cos", inf, nan_value},
    {"tan", 0.0, 0.0},
    {"tan", -0.0, -0.0},
    {"tan", inf, nan_value},
    {"tanh", 0.0, 0.0},
    {"tanh", -0.0, -0.0},
    {"tanh", inf, 1.0},
    {"tanh", -inf, -1.0},
    {"tanh", 50.0, 1.0},
    {"asin", 0.0, 0.0},
    {"asin", -0.0, -0.0},
    {"asin", 1.5, nan_value},
    {"asin", -inf, nan_value},
    {"asin", -0x1p-149, -0x1p-149},
    {"acos", 1.0, 0.0},
    {"acos", -1.5, nan_value},
    {"acos", inf, nan_value},
    {"atan", 0.0, 0.0},
    {"atan", -0.0, -0.0},
    {"atan", -0x1p-149, -0x1p-149},
    {"sinh", 0.0, 0.0},
    {"sinh", -0.0, -0.0},
    {"sinh", inf, inf},
    {"sinh", -inf, -inf},
    {"sinh", -1000.0, -inf},
    {"sinh", -0x1p-149, -0x1p-149},
    {"cosh", 0.0, 1.0},
    {"cosh", -inf, inf},
    {"cosh", 1000.0, inf},
    {"asinh", 0.0, 0.0},
    {"asinh", -0.0, -0.0},
    {"asinh", inf, inf},
    {"asinh", -inf, -inf},
    {"asinh", -0x1p-149, -0x1p-149},
    {"acosh", 1.0, 0.0},
    {"acosh", inf, inf},
    {"acosh", 0.5, nan_value},
    {"acosh", -3.0, nan_value},
    {"acosh", -inf, nan_value},
    {"atanh", 0.0, 0.0},
    {"atanh", -0.0, -0.0},
    {"atanh", 1.0, inf},
    {"atanh", -1.0, -inf},
    {"atanh", 1.5, nan_value},
    {"atanh", -inf, nan_value},
    {"atanh", -0x1p-149, -0x1p-149},
    {"erf", 0.0, 0.0},
    {"erf", -0.0, -0.0},
    {"erf", inf, 1.0},
    {"erf", -inf, -1.0},
    {"erf", 10.0, 1.0},
    {"erfc", inf, 0.0},
    {"erfc", -inf, 2.0},
    {"erfc", 0.0, 1.0},
    {"erfc", -10.0, 2.0},
    {"erfc", 30.0, 0.0},
    {"erfinv", 0.0, 0.0},
    {"erfinv", -0.0, -0.0},
    {"erfinv", 1.0, inf},
    {"erfinv", -1.0, -inf},
    {"erfinv", 1.5, nan_value},
    {"erfinv", -inf, nan_value},
    {"lgamma", 0.0, inf},
    {"lgamma", -0.0, inf},
    {"lgamma", 1.0, 0.0},
    {"lgamma", 2.0, 0.0},
    {"lgamma", -1.0, inf},
    {"lgamma", -7.0, inf},
    {"lgamma", inf, inf},
    {"lgamma", -inf, inf},
    {"lgamma", -0x1p60, inf},
    {"digamma", 0.0, -inf},
    {"digamma", -0.0, inf},
    {"digamma", -1.0, nan_value},
    {"digamma", -0x1p60, nan_value},
    {"digamma", inf, inf},
    {"digamma", -inf, nan_value},
    {"cbrt", 0.0, 0.0},
    {"cbrt", -0.0, -0.0},
    {"cbrt", inf, inf},
    {"cbrt", -inf, -inf},
    {"cbrt", 27.0, 3.0},
    {"cbrt", -8.0, -2.0},
    {"cbrt", 0x1p-147, 0x1p-49},
    {"tanh", -0x1p-149, -0x1p-149},
    {"sigmoid", 0.0, 0.5},
    {"sigmoid", inf, 1.0},
    {"sigmoid", -inf, 0.0},
    {"softplus", inf, inf},
    {"softplus", -inf, 0.0},
    {"softplus", 1000.0, 1000.0},
};

TEST(MathsEdges, AreExact) {
    for (const auto& edge : edges) {
        bool known = false;
        for (const auto& f : unaries) {
            if (std::string(f.name) != edge.name) continue;
            known = true;
            EXPECT_TRUE(same(f.f32(float(edge.x)), float(edge.wanted)))
                << f.name << "_f32(" << edge.x << ") = " << f.f32(float(edge.x));
            EXPECT_TRUE(same(f.f64(edge.x), edge.wanted))
                << f.name << "_f64(" << edge.x << ") = " << f.f64(edge.x);
        }
        EXPECT_TRUE(known) << edge.name;
    }
}

TEST(MathsEdges, NanStays) {
    for (const auto& f : unaries) {
        EXPECT_TRUE(std::isnan(f.f32(float(nan_value)))) << f.name;
        EXPECT_TRUE(std::isnan(f.f64(nan_value))) << f.name;
    }
}

// The doubles that come closest to a multiple of pi/2 and some other hard angles.
TEST(MathsAngles, FarFromZero) {
    for (const double x :
         {6381956970095103.0 * 0x1p797, 5.319372648326541e+255, 0x1.921fb54442d18p+1,
          0x1.921fb54442d18p+0, 0x1p1023, 1e22, 1e300, 0x1.fffffffffffffp+1023}) {
        EXPECT_LE(error_in_ulp<double>(croton_sin_f64(x), std::sin(Long(x))), 2) << x;
        EXPECT_LE(error_in_ulp<double>(croton_cos_f64(x), std::cos(Long(x))), 2) << x;
        EXPECT_LE(error_in_ulp<double>(croton_tan_f64(x), std::tan(Long(x))), 4) << x;
    }
}

// The functions of small angles, up to their bounds and at the numbers nearest to multiples of
// pi/2.
template <class T>
void see_near(Worst<T>& sine, Worst<T>& cosine, Worst<T>& tangent, bool fma, T x) {
    const Wide<T> wide = x;
    T s, c, t;
    if constexpr (sizeof(T) == 4) {
        s = fma ? croton_near_sin_f32_fma(x) : croton_near_sin_f32(x);
        c = fma ? croton_near_cos_f32_fma(x) : croton_near_cos_f32(x);
        t = fma ? croton_near_tan_f32_fma(x) : croton_near_tan_f32(x);
    } else {
        s = fma ? croton_near_sin_f64_fma(x) : croton_near_sin_f64(x);
        c = fma ? croton_near_cos_f64_fma(x) : croton_near_cos_f64(x);
        t = fma ? croton_near_tan_f64_fma(x) : croton_near_tan_f64(x);
    }
    sine.see(x, s, std::sin(wide));
    cosine.see(x, c, std::cos(wide));
    tangent.see(x, t, std::tan(wide));
}

template <class T>
void near_angles(T most, double ulp, double tan_ulp, bool fma) {
    Worst<T> sine, cosine, tangent;
    std::mt19937_64 random(17);
    std::uniform_real_distribution<T> all(-most, most), some(-100, 100);
    for (int i = 0; i < 100000; ++i) {
        see_near(sine, cosine, tangent, fma, all(random));
        see_near(sine, cosine, tangent, fma, some(random));
        see_near(sine, cosine, tangent, fma, std::ldexp(some(random), -i % 160));
        const T multiple = T(Long(i) * 6 * (std::acos(Long(-1)) / 2));
        see_near(sine, cosine, tangent, fma, multiple);
        see_near(sine, cosine, tangent, fma, std::nextafter(multiple, T(0)));
    }
    see_near(sine, cosine, tangent, fma, most);
    see_near(sine, cosine, tangent, fma, T(-0.0));
    const char* type = sizeof(T) == 4 ? "f32" : "f64";
    judge("near_sin", type, sine, ulp);
    judge("near_cos", type, cosine, ulp);
    judge("near_tan", type, tangent, tan_ulp);
}

TEST(MathsAngles, NearOnesKeepTheirBounds) {
    for (const bool fma : {false, true}) {
        if (fma && !have_fma()) continue;
        near_angles<float>(croton::maths::near_angle_f32, 1.7, 2.8, fma);
        near_angles<double>(croton::maths::near_angle_f64, 1.7, 3.8, fma);
    }
    EXPECT_TRUE(same(croton_near_sin_f64(-0.0), -0.0));
    EXPECT_TRUE(same(croton_near_tan_f32(-0.0f), -0.0f));
}

// Two arguments.
struct Binary {
    const char* name;
    float (*f32)(float, float);
    double (*f64)(double, double);
    float (*f32_fma)(float, float);
    double (*f64_fma)(double, double);
    double (*wide)(double, double);
    Long (*longer)(Long, Long);
    double low, high, low2, high2;
    double ulp32, ulp64;
};

void PrintTo(const Binary& f, std::ostream* out) { *out << f.name; }

#define STD2(name)                                                            \
    BOTH(name), [](double x, double y) -> double { return std::name(x, y); }, \
        [](Long x, Long y) -> Long { return std::name(x, y); }

// Python's: the remainder of floor division, exact but for the sum of unlike signs.
template <class W>
W floor_mod_reference(W x, W y) {
    const W rest = std::fmod(x, y);
    if (rest == 0) return std::copysign(W(0), y);
    return (rest < 0) != (y < 0) ? rest + y : rest;
}

#define OWN2(name) BOTH(name), name##_reference<double>, name##_reference<Long>

const Binary binaries[] = {
    {STD2(atan2), -4, 4, -4, 4, 2.1, 1.9}, {STD2(hypot), -4, 4, -4, 4, 1.3, 1.3},
    {STD2(fmod), -100, 100, -4, 4, 0, 0},  {OWN2(floor_mod), -100, 100, -4, 4, 0.5, 0.5},
    {STD2(pow), 0, 4, -40, 40, 0.6, 1.1},
};

class BinaryTest : public testing::TestWithParam<std::tuple<Binary, Build>> {
  protected:
    void SetUp() override {
        if (fma() && !have_fma()) GTEST_SKIP() << "this machine has no FMA";
    }
    const Binary& function() const { return std::get<0>(GetParam()); }
    bool fma() const { return std::get<1>(GetParam()) == Build::fma; }
};

template <class T, class F, class W>
Worst<T> worst_of(const Binary& b, F f, W reference, int count) {
    Worst<T> worst;
    std::mt19937_64 random(13);
    std::uniform_real_distribution<T> first(T(b.low), T(b.high)), second(T(b.low2), T(b.high2)),
        close(T(-0.01), T(0.01)), large(-30000, 30000);
    std::uniform_int_distribution<int> whole(-60, 60);
    using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
    const auto see = [&](T x, T y) { worst.see(x, f(x, y), reference(x, y)); };
    for (int i = 0; i < count; ++i) {
        see(std::bit_cast<T>(Bits(random())), std::bit_cast<T>(Bits(random())));
        see(std::bit_cast<T>(Bits(random())), second(random));
        see(std::bit_cast<T>(Bits(random())), T(whole(random)));
        see(first(random), second(random));
        see(-first(random), T(whole(random)));
        see(1 + close(random), large(random));
        see(T(whole(random)), T(whole(random)) / 4);
    }
    return worst;
}

TEST_P(BinaryTest, FloatKeepsItsBound) {
    const Binary& b = function();
    const auto call = fma() ? b.f32_fma : b.f32;
    judge(b.name, "f32", worst_of<float>(b, call, b.wide, reporting() ? 1000000 : 100000), b.ulp32);
}

TEST_P(BinaryTest, DoubleKeepsItsBound) {
    const Binary& b = function();
    const auto call = fma() ? b.f64_fma : b.f64;
    judge(b.name, "f64", worst_of<double>(b, call, b.longer, reporting() ? 300000 : 50000),
          b.ulp64);
}

INSTANTIATE_TEST_SUITE_P(Maths, BinaryTest,
                         testing::Combine(testing::ValuesIn(binaries),
                                          testing::Values(Build::plain, Build::fma)),
                         [](const auto& info) { return test_name(info); });

// Pairs of special values: exactly as libm has it where the result is zero, infinite or NaN.
template <class T>
bool as_wanted(T got, Wide<T> wanted, double ulp) {
    const T nearest = static_cast<T>(wanted);
    if (std::isfinite(nearest) && nearest != 0) return error_in_ulp(got, wanted) <= ulp;
    return same(got, nearest);
}

TEST(MathsEdges, PairsAreRight) {
    std::vector<double> values;
    for (const double v : {0.0, 0.5, 1.0, 2.0, 3.0, 0x1p24, 0x1p53, 0x1p60, inf, nan_value})
        values.push_back(v), values.push_back(-v);
    for (const auto& b : binaries)
        for (const double x : values)
            for (const double y : values) {
                const float xf = float(x), yf = float(y);
                EXPECT_TRUE(as_wanted(b.f32(xf, yf), b.wide(xf, yf), b.ulp32))
                    << b.name << "_f32(" << x << ", " << y << ") = " << b.f32(xf, yf);
                EXPECT_TRUE(as_wanted(b.f64(x, y), b.longer(x, y), b.ulp64))
                    << b.name << "_f64(" << x << ", " << y << ") = " << b.f64(x, y);
            }
}

// The bounds in the README are those that hold here.
TEST(MathsReadme, StatesTheseBounds) {
    std::ifstream file("croton/backend/cpu/maths/README.md");
    ASSERT_TRUE(file) << "tests run in the root of the repository";
    std::map<std::string, std::pair<double, double>> stated;
    const std::regex row(R"(\| (\w+) \| ([\d.]+) \| ([\d.]+) \|.*)");
    std::smatch match;
    for (std::string line; std::getline(file, line);)
        if (std::regex_match(line, match, row))
            stated[match[1]] = {std::stod(match[2]), std::stod(match[3])};
    for (const auto& f : unaries) EXPECT_EQ(stated[f.name], std::pair(f.ulp32, f.ulp64)) << f.name;
    for (const auto& f : binaries) EXPECT_EQ(stated[f.name], std::pair(f.ulp32, f.ulp64)) << f.name;
}

}  // namespace
