// The interpreter's opcodes against expectations written down independently: 128-bit integers,
// long double functions, and tables of what NumPy gives.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "croton/base/format.hpp"
#include "croton/kernel/builder.hpp"

namespace croton::kernel {
namespace {

// One opcode applied to scalars by the interpreter.
template <class R, class T, class... Rest>
R apply(OpCode op, T first, Rest... rest) {
    Builder b("one", 0, 0);
    b.begin(SectionKind::Map);
    std::vector<Scalar> arguments;
    (arguments.push_back(b.load(b.input("x", dtype_of<T>()))), ...,
     arguments.push_back(b.load(b.input("y", dtype_of<Rest>()))));
    Scalar result = b.emit(op, arguments);
    EXPECT_EQ(result.dtype(), dtype_of<R>());
    b.store(b.output("out", result.dtype()), result);
    Kernel kernel = b.finish();
    R out{};
    void* pointers[] = {&first, &rest..., &out};
    const int64_t* strides[] = {nullptr, nullptr, nullptr, nullptr};
    interpret(kernel, {nullptr, pointers, strides, nullptr});
    return out;
}

// One kernel over whole vectors: out = op(x, y...).
template <class R, class T>
std::vector<R> apply_all(OpCode op, std::vector<T> x, std::vector<T> y = {}) {
    Builder b("all", 1, 0);
    b.begin(SectionKind::Map);
    std::vector<Scalar> arguments = {b.load(b.input("x", dtype_of<T>()))};
    if (!y.empty()) arguments.push_back(b.load(b.input("y", dtype_of<T>())));
    b.store(b.output("out", dtype_of<R>()), b.emit(op, arguments));
    Kernel kernel = b.finish();
    std::vector<R> out(x.size());
    std::vector<void*> pointers = {x.data()};
    if (!y.empty()) pointers.push_back(y.data());
    pointers.push_back(out.data());
    const int64_t in_step[] = {sizeof(T)}, out_step[] = {sizeof(R)};
    std::vector<const int64_t*> strides(pointers.size(), in_step);
    strides.back() = out_step;
    auto n = static_cast<int64_t>(x.size());
    interpret(kernel, {&n, pointers.data(), strides.data(), nullptr});
    return out;
}

template <class T>
void expect_same(T expected, T actual, const std::string& what) {
    if (std::isnan(expected))
        EXPECT_TRUE(std::isnan(actual)) << what << " gives " << actual;
    else
        EXPECT_TRUE(expected == actual && std::signbit(expected) == std::signbit(actual))
            << what << " gives " << actual << ", not " << expected;
}

// ------------------------------------------------------------------------------------- integers

__extension__ using Long = __int128;

// The value of T that equals `value` modulo 2 to the width of T.
template <class T>
T wrapped(Long value) {
    __extension__ using ULong = unsigned __int128;
    ULong modulus = ULong{1} << (8 * sizeof(T));
    ULong rest = static_cast<ULong>(value) % modulus;
    if (std::is_signed_v<T> && rest >= modulus / 2)
        return static_cast<T>(Long(rest) - Long(modulus));
    return static_cast<T>(rest);
}

Long floor_quotient(Long x, Long y) {
    if (y == 0) return 0;
    Long q = x / y;
    return x % y != 0 && (x < 0) != (y < 0) ? q - 1 : q;
}

// By plain multiplication modulo 2^64, which every narrower width divides.
Long exact_power(Long x, Long y) {
    __extension__ using ULong = unsigned __int128;
    if (y < 0) return x == 1 ? 1 : x == -1 ? (y % 2 == 0 ? 1 : -1) : 0;
    ULong result = 1, modulus = ULong{1} << 64, base = static_cast<ULong>(x) % modulus;
    for (Long n = 0; n < y; ++n) result = result * base % modulus;
    return static_cast<Long>(result);
}

template <class T>
class Integers : public testing::Test {};
using IntegerTypes =
    testing::Types<int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>;
TYPED_TEST_SUITE(Integers, IntegerTypes);

TYPED_TEST(Integers, BinaryOpcodesEqualExactArithmeticModuloTheWidth) {
    using T = TypeParam;
    const int width = 8 * sizeof(T);
    std::vector<T> samples = {
        0, 1, 2, 3, 5, 7, 8, 31, 63, std::numeric_limits<T>::max(), std::numeric_limits<T>::min()};
    for (int small : {1, 2, 3, 7, 9}) samples.push_back(static_cast<T>(-small));
    std::mt19937_64 random(3);
    for (int n = 0; n < 12; ++n) samples.push_back(static_cast<T>(random() >> (random() % 64)));
    std::vector<T> x, y;
    for (T a : samples)
        for (T b : samples) x.push_back(a), y.push_back(b);
    auto expect = [&](OpCode op, std::function<Long(Long, Long)> exact) {
        auto got = apply_all<T>(op, x, y);
        for (size_t n = 0; n < x.size(); ++n)
            ASSERT_EQ(got[n], wrapped<T>(exact(x[n], y[n])))
                << info(op).name << " of " << +x[n] << " and " << +y[n];
    };
    expect(OpCode::add_, [](Long a, Long b) { return a + b; });
    expect(OpCode::sub_, [](Long a, Long b) { return a - b; });
    expect(OpCode::mul_, [](Long a, Long b) {
        __extension__ using ULong = unsigned __int128;
        return static_cast<Long>(static_cast<ULong>(a) * static_cast<ULong>(b));
    });
    expect(OpCode::floor_div_, floor_quotient);
    expect(OpCode::floor_mod_,
           [](Long a, Long b) { return b == 0 ? 0 : a - floor_quotient(a, b) * b; });
    expect(OpCode::fmod_, [](Long a, Long b) { return b == 0 ? 0 : a % b; });
    expect(OpCode::minimum_, [](Long a, Long b) { return a < b ? a : b; });
    expect(OpCode::maximum_, [](Long a, Long b) { return a > b ? a : b; });
    expect(OpCode::bit_and_, [](Long a, Long b) { return a & b; });
    expect(OpCode::bit_or_, [](Long a, Long b) { return a | b; });
    expect(OpCode::bit_xor_, [](Long a, Long b) { return a ^ b; });
    expect(OpCode::shift_left_, [&](Long a, Long b) {
        return b < 0 || b >= width ? 0 : wrapped<T>(a * (Long{1} << b));
    });
    expect(OpCode::shift_right_, [&](Long a, Long b) {
        if (b < 0 || b >= width) return a < 0 ? Long{-1} : Long{0};
        return floor_quotient(a, Long{1} << b);
    });
    for (size_t n = 0; n < x.size(); n += 7) {
        EXPECT_EQ(apply<bool>(OpCode::lt_, x[n], y[n]), x[n] < y[n]);
        EXPECT_EQ(apply<bool>(OpCode::le_, x[n], y[n]), x[n] <= y[n]);
        EXPECT_EQ(apply<bool>(OpCode::gt_, x[n], y[n]), x[n] > y[n]);
        EXPECT_EQ(apply<bool>(OpCode::ge_, x[n], y[n]), x[n] >= y[n]);
        EXPECT_EQ(apply<bool>(OpCode::eq_, x[n], y[n]), x[n] == y[n]);
        EXPECT_EQ(apply<bool>(OpCode::ne_, x[n], y[n]), x[n] != y[n]);
    }
}

TYPED_TEST(Integers, UnaryOpcodesAndPowers) {
    using T = TypeParam;
    constexpr T low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
    for (T x : {T(0), T(1), T(5), low, high, static_cast<T>(-1), static_cast<T>(-6)}) {
        Long exact = x;
        EXPECT_EQ(apply<T>(OpCode::neg_, x), wrapped<T>(-exact));
        EXPECT_EQ(apply<T>(OpCode::abs_, x), wrapped<T>(exact < 0 ? -exact : exact));
        EXPECT_EQ(apply<T>(OpCode::sign_, x), static_cast<T>(exact < 0 ? -1 : exact > 0));
        EXPECT_EQ(apply<T>(OpCode::bit_not_, x), wrapped<T>(-1 - exact));
        for (int y = -5; y < 70; ++y) {
            auto exponent = static_cast<T>(y);
            if (exponent > T(100) || (y < 0 && !std::is_signed_v<T>)) continue;
            EXPECT_EQ(apply<T>(OpCode::pow_, x, exponent), wrapped<T>(exact_power(x, exponent)))
                << +x << " to the " << y;
        }
    }
}

TEST(Opcodes, BoolIsLogic) {
    for (bool x : {false, true})
        for (bool y : {false, true}) {
            EXPECT_EQ(apply<bool>(OpCode::bit_and_, x, y), x && y);
            EXPECT_EQ(apply<bool>(OpCode::bit_or_, x, y), x || y);
            EXPECT_EQ(apply<bool>(OpCode::bit_xor_, x, y), x != y);
            EXPECT_EQ(apply<bool>(OpCode::minimum_, x, y), x && y);
            EXPECT_EQ(apply<bool>(OpCode::maximum_, x, y), x || y);
            EXPECT_EQ(apply<bool>(OpCode::lt_, x, y), !x && y);
            EXPECT_EQ(apply<bool>(OpCode::eq_, x, y), x == y);
            EXPECT_EQ(apply<bool>(OpCode::bit_not_, x), !x);
        }
    EXPECT_EQ(apply<int>(OpCode::select_, true, 3, 4), 3);
    EXPECT_EQ(apply<int>(OpCode::select_, false, 3, 4), 4);
}

// --------------------------------------------------------------------------------------- floats

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Row {
    OpCode op;
    double x, y, result;
};
// NumPy 2: np.floor_divide, np.mod, np.fmod, np.minimum, ... of float64.
const Row numpy_table[] = {
    {OpCode::floor_mod_, 5, 3, 2},
    {OpCode::floor_mod_, -5, 3, 1},
    {OpCode::floor_mod_, 5, -3, -1},
    {OpCode::floor_mod_, -5, -3, -2},
    {OpCode::floor_mod_, -1, inf, inf},
    {OpCode::floor_mod_, 1, inf, 1},
    {OpCode::floor_mod_, 1, -inf, -inf},
    {OpCode::floor_mod_, -1, -inf, -1},
    {OpCode::floor_mod_, inf, 2, nan},
    {OpCode::floor_mod_, 1, 0, nan},
    {OpCode::floor_mod_, -0.0, 3, 0.0},
    {OpCode::floor_mod_, 6, -3, -0.0},
    {OpCode::floor_mod_, nan, 1, nan},
    {OpCode::floor_mod_, 5.5, 2, 1.5},
    {OpCode::floor_div_, 7, 2, 3},
    {OpCode::floor_div_, -7, 2, -4},
    {OpCode::floor_div_, 1.0, 0.1, 9},
    {OpCode::floor_div_, -1, inf, -1},
    {OpCode::floor_div_, 1, inf, 0},
    {OpCode::floor_div_, inf, 1, nan},
    {OpCode::floor_div_, 1, 0, inf},
    {OpCode::floor_div_, -1, 0, -inf},
    {OpCode::floor_div_, 0, 0, nan},
    {OpCode::floor_div_, -0.0, 5, -0.0},
    {OpCode::floor_div_, nan, 2, nan},
    {OpCode::fmod_, -5, 3, -2},
    {OpCode::fmod_, 5, -3, 2},
    {OpCode::fmod_, -1, inf, -1},
    {OpCode::fmod_, -6, 3, -0.0},
    {OpCode::minimum_, nan, 1, nan},
    {OpCode::minimum_, 1, nan, nan},
    {OpCode::maximum_, nan, 1, nan},
    {OpCode::maximum_, 1, nan, nan},
    {OpCode::minimum_, 1, -inf, -inf},
    {OpCode::maximum_, 3, 2, 3},
    {OpCode::pow_, 0, 0, 1},
    {OpCode::pow_, nan, 0, 1},
    {OpCode::pow_, 1, nan, 1},
    {OpCode::pow_, -2, 3, -8},
    {OpCode::pow_, -2, 0.5, nan},
    {OpCode::pow_, 0, -1, inf},
    {OpCode::pow_, -0.0, -1, -inf},
    {OpCode::copysign_, 2, -0.0, -2},
    {OpCode::copysign_, -2, 1, 2},
    {OpCode::hypot_, 3, 4, 5},
    {OpCode::hypot_, inf, nan, inf},
    {OpCode::hypot_, 0, -1e300, 1e300},
    {OpCode::atan2_, 0, -1, 3.141592653589793},
    {OpCode::atan2_, -0.0, -1, -3.141592653589793},
    {OpCode::atan2_, 1, 0, 1.5707963267948966},
    {OpCode::div_, 1, -0.0, -inf},
    {OpCode::div_, 0, 0, nan},
};

TEST(Opcodes, BinaryFloatsAsNumPy) {
    for (const auto& row : numpy_table)
        expect_same(row.result, apply<double>(row.op, row.x, row.y),
                    cat(info(row.op).name, "(", row.x, ", ", row.y, ")"));
}

TEST(Opcodes, UnaryFloatsAsNumPy) {
    const Row rows[] = {
        {OpCode::sign_, -0.0, 0, 0.0},      {OpCode::sign_, nan, 0, nan},
        {OpCode::sign_, -inf, 0, -1},       {OpCode::sign_, 0.25, 0, 1},
        {OpCode::rint_, 0.5, 0, 0},         {OpCode::rint_, 1.5, 0, 2},
        {OpCode::rint_, 2.5, 0, 2},         {OpCode::rint_, -0.5, 0, -0.0},
        {OpCode::floor_, -0.5, 0, -1},      {OpCode::ceil_, -0.5, 0, -0.0},
        {OpCode::trunc_, -1.7, 0, -1},      {OpCode::abs_, -0.0, 0, 0.0},
        {OpCode::neg_, 0.0, 0, -0.0},       {OpCode::sqrt_, -0.0, 0, -0.0},
        {OpCode::sqrt_, -1, 0, nan},        {OpCode::exp_, -inf, 0, 0},
        {OpCode::exp_, 1000, 0, inf},       {OpCode::log_, 0, 0, -inf},
        {OpCode::log_, -1, 0, nan},         {OpCode::log1p_, -1, 0, -inf},
        {OpCode::expm1_, -0.0, 0, -0.0},    {OpCode::tanh_, inf, 0, 1},
        {OpCode::sigmoid_, -inf, 0, 0},     {OpCode::sigmoid_, inf, 0, 1},
        {OpCode::sigmoid_, 0, 0, 0.5},      {OpCode::sigmoid_, nan, 0, nan},
        {OpCode::softplus_, inf, 0, inf},   {OpCode::softplus_, -inf, 0, 0},
        {OpCode::softplus_, 1000, 0, 1000}, {OpCode::softplus_, nan, 0, nan},
        {OpCode::sin_, inf, 0, nan},        {OpCode::acosh_, 0.5, 0, nan},
        {OpCode::atanh_, 1, 0, inf},        {OpCode::cbrt_, -0.0, 0, -0.0},
        {OpCode::erf_, inf, 0, 1},          {OpCode::erfc_, -inf, 0, 2},
    };
    for (const auto& row : rows) {
        auto what = cat(info(row.op).name, "(", row.x, ")");
        expect_same(row.result, apply<double>(row.op, row.x), what);
        expect_same(static_cast<float>(row.result), apply<float>(row.op, static_cast<float>(row.x)),
                    what + " in float32");
    }
    EXPECT_TRUE(apply<bool>(OpCode::isnan_, nan));
    EXPECT_FALSE(apply<bool>(OpCode::isnan_, inf));
    EXPECT_TRUE(apply<bool>(OpCode::isinf_, -inf));
    EXPECT_TRUE(apply<bool>(OpCode::signbit_, -0.0));
    EXPECT_FALSE(apply<bool>(OpCode::lt_, nan, 1.0));
    EXPECT_FALSE(apply<bool>(OpCode::eq_, nan, nan));
    EXPECT_TRUE(apply<bool>(OpCode::ne_, nan, nan));
    EXPECT_TRUE(apply<bool>(OpCode::eq_, 0.0, -0.0));
}

// The tails that the textbook formulas lose.
TEST(Opcodes, SigmoidAndSoftplusKeepTheirTails) {
    EXPECT_DOUBLE_EQ(apply<double>(OpCode::sigmoid_, -740.0), std::exp(-740.0));
    EXPECT_DOUBLE_EQ(apply<double>(OpCode::softplus_, -740.0), std::exp(-740.0));
    EXPECT_DOUBLE_EQ(apply<double>(OpCode::softplus_, 50.0), 50.0);
    EXPECT_DOUBLE_EQ(apply<double>(OpCode::softplus_, 0.0), std::log(2.0));
}

TEST(Opcodes, FunctionsEqualLongDoubleOnes) {
    using Wide = long double;
    struct Function {
        OpCode op;
        Wide (*exact)(Wide);
        double low, high;
    };
#define CROTON_FUNCTION(name, low, high) \
    {OpCode::name##_, [](Wide x) -> Wide { return std::name(x); }, low, high}
    const Function functions[] = {
        CROTON_FUNCTION(sqrt, 0, 9),     CROTON_FUNCTION(exp, -50, 50),
        CROTON_FUNCTION(exp2, -50, 50),  CROTON_FUNCTION(expm1, -3, 3),
        CROTON_FUNCTION(log, 0.01, 9),   CROTON_FUNCTION(log2, 0.01, 9),
        CROTON_FUNCTION(log10, 0.01, 9), CROTON_FUNCTION(log1p, -0.9, 9),
        CROTON_FUNCTION(sin, -99, 99),   CROTON_FUNCTION(cos, -99, 99),
        CROTON_FUNCTION(tan, -99, 99),   CROTON_FUNCTION(asin, -1, 1),
        CROTON_FUNCTION(acos, -1, 1),    CROTON_FUNCTION(atan, -9, 9),
        CROTON_FUNCTION(sinh, -9, 9),    CROTON_FUNCTION(cosh, -9, 9),
        CROTON_FUNCTION(tanh, -9, 9),    CROTON_FUNCTION(asinh, -9, 9),
        CROTON_FUNCTION(acosh, 1, 9),    CROTON_FUNCTION(atanh, -1, 1),
        CROTON_FUNCTION(erf, -4, 4),     CROTON_FUNCTION(erfc, -4, 8),
        CROTON_FUNCTION(cbrt, -9, 9),    CROTON_FUNCTION(floor, -9, 9),
        CROTON_FUNCTION(ceil, -9, 9),    CROTON_FUNCTION(trunc, -9, 9),
    };
#undef CROTON_FUNCTION
    std::mt19937_64 random(4);
    for (const auto& f : functions) {
        std::uniform_real_distribution<double> uniform(f.low, f.high);
        std::vector<double> x(300);
        for (auto& value : x) value = uniform(random);
        std::vector<float> x32(x.begin(), x.end());
        auto got = apply_all<double>(f.op, x);
        auto got32 = apply_all<float>(f.op, x32);
        for (size_t n = 0; n < x.size(); ++n) {
            auto exact = static_cast<double>(f.exact(x[n]));
            EXPECT_NEAR(got[n], exact, 4 * 2.3e-16 * std::abs(exact))
                << info(f.op).name << "(" << x[n] << ")";
            EXPECT_EQ(got32[n], static_cast<float>(f.exact(x32[n])))
                << info(f.op).name << "(" << x32[n] << ") in float32";
        }
    }
}

// -------------------------------------------------------------------------------------- complex

using C = std::complex<double>;

void expect_near(C expected, C actual, const char* what) {
    EXPECT_LE(std::abs(expected - actual), 1e-14 * std::abs(expected)) << what << " " << actual;
}

TEST(Opcodes, ComplexArithmetic) {
    C x(3, -4), y(0.5, 2);
    EXPECT_EQ(apply<C>(OpCode::add_, x, y), C(3.5, -2));
    EXPECT_EQ(apply<C>(OpCode::sub_, x, y), C(2.5, -6));
    EXPECT_EQ(apply<C>(OpCode::mul_, x, y), C(9.5, 4));
    expect_near(C(-6.5, -8) / 4.25, apply<C>(OpCode::div_, x, y), "quotient");
    EXPECT_EQ(apply<double>(OpCode::abs_, x), 5.0);
    EXPECT_EQ(apply<double>(OpCode::real_, x), 3.0);
    EXPECT_EQ(apply<double>(OpCode::imag_, x), -4.0);
    EXPECT_EQ(apply<C>(OpCode::conj_, x), C(3, 4));
    EXPECT_EQ(apply<C>(OpCode::neg_, x), C(-3, 4));
    EXPECT_EQ(apply<C>(OpCode::complex_, 1.0, 2.0), C(1, 2));
    EXPECT_DOUBLE_EQ(apply<double>(OpCode::angle_, C(-1, 0.0)), 3.141592653589793);
    EXPECT_TRUE(apply<bool>(OpCode::eq_, x, x));
    EXPECT_TRUE(apply<bool>(OpCode::ne_, x, y));
    // Divisors near overflow, whose squares are not numbers.
    expect_near(C(1, 0), apply<C>(OpCode::div_, C(1e300, 1e300), C(1e300, 1e300)), "large");
    EXPECT_TRUE(std::isinf(apply<C>(OpCode::div_, C(1, 0), C(0, 0)).real()));
}

TEST(Opcodes, ComplexFunctions) {
    // From Euler's formula and the definitions, in real arithmetic.
    double a = 0.7, b = -1.3;
    C x(a, b);
    expect_near(C(std::exp(a) * std::cos(b), std::exp(a) * std::sin(b)), apply<C>(OpCode::exp_, x),
                "exp");
    expect_near(C(std::log(a * a + b * b) / 2, std::atan2(b, a)), apply<C>(OpCode::log_, x), "log");
    C sine(std::sin(a) * std::cosh(b), std::cos(a) * std::sinh(b));
    C cosine(std::cos(a) * std::cosh(b), -std::sin(a) * std::sinh(b));
    expect_near(sine, apply<C>(OpCode::sin_, x), "sin");
    expect_near(cosine, apply<C>(OpCode::cos_, x), "cos");
    expect_near(sine / cosine, apply<C>(OpCode::tan_, x), "tan");
    C sinh(std::sinh(a) * std::cos(b), std::cosh(a) * std::sin(b));
    C cosh(std::cosh(a) * std::cos(b), std::sinh(a) * std::sin(b));
    expect_near(sinh, apply<C>(OpCode::sinh_, x), "sinh");
    expect_near(cosh, apply<C>(OpCode::cosh_, x), "cosh");
    expect_near(sinh / cosh, apply<C>(OpCode::tanh_, x), "tanh");
    C root = apply<C>(OpCode::sqrt_, x);
    expect_near(x, root * root, "sqrt squared");
    EXPECT_GE(root.real(), 0);
    expect_near(x * x * x, apply<C>(OpCode::pow_, x, C(3, 0)), "cube");
    EXPECT_EQ(apply<C>(OpCode::pow_, C(0, 0), C(0, 0)), C(1, 0));
    EXPECT_EQ(apply<C>(OpCode::pow_, C(0, 0), C(2, 0)), C(0, 0));
}

// ---------------------------------------------------------------------------------- conversions

template <class To, class From>
To cast_one(From value) {
    Builder b("cast", 0, 0);
    b.begin(SectionKind::Map);
    Scalar x = b.load(b.input("x", dtype_of<From>()));
    b.store(b.output("out", dtype_of<To>()), b.cast(x, dtype_of<To>()));
    Kernel kernel = b.finish();
    To out{};
    void* pointers[] = {&value, &out};
    const int64_t* strides[] = {nullptr, nullptr};
    interpret(kernel, {nullptr, pointers, strides, nullptr});
    return out;
}

TEST(Opcodes, CastsTruncateWrapAndRound) {
    EXPECT_EQ(cast_one<int32_t>(-2.9), -2);
    EXPECT_EQ(cast_one<int8_t>(300), 44);
    EXPECT_EQ(cast_one<uint8_t>(-1), 255);
    EXPECT_EQ(cast_one<uint64_t>(1.5e19), 15000000000000000000u);
    EXPECT_EQ(cast_one<int64_t>(nan), std::numeric_limits<int64_t>::min());
    EXPECT_EQ(cast_one<float>(16777217), 16777216.0f);
    EXPECT_EQ(cast_one<bool>(0.1f), true);
    EXPECT_EQ(cast_one<bool>(nan), true);
    EXPECT_EQ(cast_one<bool>(-0.0), false);
    EXPECT_EQ(cast_one<double>(C(2, 3)), 2.0);
    EXPECT_EQ(cast_one<C>(true), C(1, 0));
    EXPECT_EQ(static_cast<float>(cast_one<Half>(65519.0f)), 65504.0f);
    EXPECT_EQ(static_cast<float>(cast_one<Half>(65520.0f)), std::numeric_limits<float>::infinity());
    EXPECT_EQ(static_cast<float>(cast_one<BHalf>(1.00390625f)), 1.0f);
    EXPECT_EQ(cast_one<int16_t>(Half(-7.5f)), -7);
}

TEST(Opcodes, BitcastKeepsBits) {
    Builder b("bits", 0, 0);
    b.begin(SectionKind::Map);
    Scalar x = b.load(b.input("x", DType::Float32));
    b.store(b.output("out", DType::UInt32), b.bitcast(x, DType::UInt32));
    Kernel kernel = b.finish();
    float in = -1.5f;
    uint32_t out = 0;
    void* pointers[] = {&in, &out};
    const int64_t* strides[] = {nullptr, nullptr};
    interpret(kernel, {nullptr, pointers, strides, nullptr});
    EXPECT_EQ(out, 0xbfc00000u);
}

TEST(Opcodes, WhatEachOpcodeTakes) {
    EXPECT_FALSE(takes(OpCode::add_, DType::Bool));
    EXPECT_FALSE(takes(OpCode::div_, DType::Int32));
    EXPECT_FALSE(takes(OpCode::lt_, DType::Complex64));
    EXPECT_TRUE(takes(OpCode::eq_, DType::Complex64));
    EXPECT_FALSE(takes(OpCode::exp_, DType::Int64));
    EXPECT_TRUE(takes(OpCode::exp_, DType::Complex128));
    EXPECT_FALSE(takes(OpCode::exp2_, DType::Complex128));
    EXPECT_FALSE(takes(OpCode::exp_, DType::Float16));
    EXPECT_FALSE(takes(OpCode::load_, DType::Float32));
    EXPECT_TRUE(takes(Combine::Max, DType::Bool));
    EXPECT_FALSE(takes(Combine::Sum, DType::Bool));
    EXPECT_FALSE(takes(Combine::Any, DType::Int32));
    EXPECT_FALSE(takes(Combine::ArgMax, DType::Complex64));
    int computing = 0, taken = 0;
    for (int op = 0; op < opcode_count; ++op) {
        if (info(static_cast<OpCode>(op)).typing == Typing::chosen) continue;
        ++computing;
        bool any = false;
        for (int d = 0; d < dtype_count; ++d)
            any |= takes(static_cast<OpCode>(op), static_cast<DType>(d));
        taken += any;
        EXPECT_TRUE(any) << info(static_cast<OpCode>(op)).name << " has no meaning in scalar.hpp";
    }
    EXPECT_EQ(computing, taken);
}

}  // namespace
}  // namespace croton::kernel
