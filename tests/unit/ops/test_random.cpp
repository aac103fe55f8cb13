#include <algorithm>
#include <cmath>
#include <set>

#include "croton/ops/philox.hpp"
#include "croton/ops/random.hpp"
#include "tests/unit/ops/support.hpp"

namespace croton::test {
namespace {

using Words = std::vector<uint32_t>;

Words run_philox(const Words& counter, const Words& key) {
    kernel::Builder b("philox", 1, 0);
    int in = b.table("words", DType::UInt32, 1), out = b.output("out", DType::UInt32);
    b.begin(kernel::SectionKind::Map);
    auto word = [&](int i) { return b.load_at(in, std::array{b.constant(DType::Int64, i)}); };
    PhiloxWords words = philox(b, {word(0), word(1), word(2), word(3)}, word(4), word(5));
    kernel::Scalar result = words[0];
    for (int i = 1; i < 4; ++i)
        result = b.select(b.eq(b.index(0), b.constant(DType::Int64, i)),
                          words[static_cast<size_t>(i)], result);
    b.store(out, result);
    kernel::Kernel k = b.finish();
    Words given = counter, got(4);
    given.insert(given.end(), key.begin(), key.end());
    int64_t extent = 4, size = 6, step = 4;
    void* pointers[] = {given.data(), got.data()};
    const int64_t *strides[] = {&step, &step}, *sizes[] = {&size, nullptr};
    EXPECT_EQ(kernel::interpret(k, {&extent, pointers, strides, sizes}).operand, -1);
    return got;
}

// The known answers published with the generator (Random123, kat_vectors, philox 4x32 10).
TEST(Philox, KnownAnswers) {
    EXPECT_EQ(run_philox({0, 0, 0, 0}, {0, 0}),
              (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    uint32_t ones = 0xffffffff;
    EXPECT_EQ(run_philox({ones, ones, ones, ones}, {ones, ones}),
              (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(
        run_philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
        (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

Variable key_of(uint64_t seed, uint64_t draw) {
    return constant(Array::of<uint64_t>({seed, draw}));
}

TEST(Random, FirstElementOfKeyZeroIsTheFirstKnownAnswer) {
    Array bits = value(random_bits(key_of(0, 0), Array::of<int64_t>({2, 3}), Ints{2, 3}));
    EXPECT_EQ(bits.at<uint64_t>({0, 0}), 0x6627e8d5e169c58d);
    std::set<uint64_t> all;
    for (uint64_t word : bits.to_vector<uint64_t>()) all.insert(word);
    EXPECT_EQ(all.size(), 6u);
    // 24 bits of the first word
    Array u = value(random_uniform(key_of(0, 0), Array::of<int64_t>({1}), Ints{1}, DType::Float32));
    EXPECT_EQ(u.item<double>(), std::ldexp(0x6627e8, -24));
    u = value(random_uniform(key_of(0, 0), Array::of<int64_t>({1}), Ints{1}, DType::Float64));
    EXPECT_EQ(u.item<double>(), std::ldexp(0x6627e8d5e169c, -52));
}

struct Moments {
    double mean = 0, variance = 0, skew = 0, kurtosis = 0, low = 0, high = 0;
    explicit Moments(const Array& x) {
        auto numbers = x.to_vector<double>();
        auto n = static_cast<double>(numbers.size());
        for (double v : numbers) mean += v / n;
        for (double v : numbers) {
            double d = v - mean;
            variance += d * d / n;
            skew += d * d * d / n;
            kurtosis += d * d * d * d / n;
        }
        low = *std::min_element(numbers.begin(), numbers.end());
        high = *std::max_element(numbers.begin(), numbers.end());
    }
};

TEST(Random, MomentsOfEveryDtype) {
    Variable count = constant(Array::of<int64_t>({20000}));
    for (DType dtype : {DType::Float64, DType::Float32, DType::Float16, DType::BFloat16}) {
        Array u = value(random_uniform(key_of(7, 3), count, Ints{-1}, dtype));
        EXPECT_EQ(u.dtype(), dtype);
        Moments m(u);
        EXPECT_NEAR(m.mean, 0.5, 0.01) << dtype_name(dtype);
        EXPECT_NEAR(m.variance, 1 / 12.0, 0.003);
        EXPECT_GE(m.low, 0);
        EXPECT_LT(m.high, 1);
        Moments z(value(random_normal(key_of(7, 4), count, Ints{-1}, dtype)));
        EXPECT_NEAR(z.mean, 0, 0.03) << dtype_name(dtype);
        EXPECT_NEAR(z.variance, 1, 0.04);
        EXPECT_NEAR(z.skew, 0, 0.08);
        EXPECT_NEAR(z.kurtosis, 3, 0.2);
        EXPECT_GT(z.high, 3.3);
        EXPECT_LT(z.high, 6.7);
    }
    expect_error(ErrorKind::Type, "floating numbers",
                 [&] { random_uniform(key_of(0, 0), count, Ints{-1}, DType::Int32); });
    expect_error(ErrorKind::Type, "uint64 vector", [&] { random_bits(count, count, Ints{-1}); });
    expect_error(ErrorKind::Value, "(-1,)", [&] {
        value(random_bits(key_of(0, 0), constant(Array::of<int64_t>({-1})), Ints{-1}));
    });
}

TEST(RandomStream, DrawsDifferAndSeedsRepeatThem) {
    RandomStream rng(42), same(42), other(43);
    Variable first = rng.uniform({4}), second = rng.uniform({4});
    EXPECT_FALSE(value(first).identical(value(second)));
    EXPECT_TRUE(value(first).identical(value(same.uniform({4}))));
    EXPECT_FALSE(value(first).identical(value(other.uniform({4}))));
    ASSERT_EQ(rng.states().size(), 2u);
    Array before = value(first);
    SharedVariable state = rng.states()[0];
    state.set_value(value(state.default_update()));
    EXPECT_EQ(state.get_value().at<uint64_t>({1}), 1u);
    EXPECT_FALSE(value(first).identical(before));
    rng.seed(42);
    EXPECT_TRUE(value(first).identical(before));
}

TEST(RandomStream, Distributions) {
    RandomStream rng(1);
    Variable n = variable("i64[]", "n");
    Feed feed{{n, Array::scalar(int64_t{5000})}};
    Moments u(value(rng.uniform({n}, -2.0, 4.0), feed));
    EXPECT_NEAR(u.mean, 1, 0.1);
    EXPECT_GE(u.low, -2);
    EXPECT_LT(u.high, 4);
    EXPECT_EQ(rng.normal({2, n}, 0.0, 1.0, DType::Float32).type().text(), "f32[2,?]");
    Moments z(value(rng.normal({n}, 10.0, 2.0), feed));
    EXPECT_NEAR(z.mean, 10, 0.15);
    EXPECT_NEAR(z.variance, 4, 0.4);
    auto whole = value(rng.integers({n}, -1, 3), feed).to_vector<int64_t>();
    for (int64_t k = -1; k < 3; ++k)
        EXPECT_NEAR(static_cast<double>(std::count(whole.begin(), whole.end(), k)), 1250, 150);
    EXPECT_NEAR(Moments(value(rng.bernoulli({n}, 0.25), feed)).mean, 0.25, 0.03);
    auto order = value(rng.permutation(n), feed).to_vector<int64_t>();
    EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, value(arange(n), feed).to_vector<int64_t>());
    Variable x = constant(counting({10}));
    auto shuffled = value(rng.shuffled(x)).to_vector<double>();
    EXPECT_EQ(std::set<double>(shuffled.begin(), shuffled.end()).size(), 10u);
    auto chosen = value(rng.choice(x, 10, false)).to_vector<double>();
    EXPECT_EQ(std::set<double>(chosen.begin(), chosen.end()).size(), 10u);
    EXPECT_EQ(value(rng.choice(x, 30)).size(), 30);
    Variable p = broadcast_to(constant(Array::of<double>({0.5, 0.0, 1.5})), {n, 3});
    auto classes = value(rng.categorical(p), feed).to_vector<int64_t>();
    EXPECT_NEAR(static_cast<double>(std::count(classes.begin(), classes.end(), 2)), 3750, 150);
    EXPECT_EQ(std::count(classes.begin(), classes.end(), 1), 0);
}

}  // namespace
}  // namespace croton::test
