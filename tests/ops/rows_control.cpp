// Random draws, control, ops of users.
#include <numbers>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/control.hpp"
#include "croton/ops/random.hpp"
#include "croton/ops/scan.hpp"
#include "croton/ops/user.hpp"
#include "tests/ops/row.hpp"

namespace croton::test {

namespace {
using Arrays = std::vector<Array>;

// --- Philox4x32-10, a second time, in plain C++ -------------------------------------------------

struct Block {
    uint32_t w[4];
};
Block philox_block(uint64_t position, uint64_t draw, uint64_t seed) {
    auto low = [](uint64_t x) { return static_cast<uint32_t>(x); };
    auto high = [](uint64_t x) { return static_cast<uint32_t>(x >> 32); };
    Block c{{low(position), high(position), low(draw), high(draw)}};
    uint32_t k0 = low(seed), k1 = high(seed);
    for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
        uint64_t p0 = uint64_t{0xD2511F53} * c.w[0], p1 = uint64_t{0xCD9E8D57} * c.w[2];
        c = {{high(p1) ^ c.w[1] ^ k0, low(p1), high(p0) ^ c.w[3] ^ k1, low(p0)}};
    }
    return c;
}

// A row of draws of shape (3, 5) by key.
Row draw_row(const std::string& name, Build build, std::function<double(const Block&)> number) {
    return row(name, 1, std::move(build))
        .reference([number](const Arrays& in) {
            auto seed = in[0].at<uint64_t>({0}), draw = in[0].at<uint64_t>({1});
            return tabulate({3, 5}, [&](const Sizes& i) {
                return number(philox_block(static_cast<uint64_t>(i[0] * 5 + i[1]), draw, seed));
            });
        })
        .dtypes({DType::UInt64})
        .on(whole(0, 1000000000))
        .shapes({{{2}}, {{2}}})
        .no_gradient();
}

double fraction(uint64_t bits, int count) { return std::ldexp(static_cast<double>(bits), -count); }
uint64_t wide(uint32_t high, uint32_t low) { return uint64_t{high} << 32 | low; }
double normal(double u, double v) {
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

Variable sizes_3_5() { return constant(Array::of<int64_t>({3, 5})); }
Build uniform_of(DType dtype) {
    return [dtype](const Variables& v) {
        return random_uniform(v[0], sizes_3_5(), Ints{3, 5}, dtype);
    };
}
Build normal_of(DType dtype) {
    return [dtype](const Variables& v) {
        return random_normal(v[0], sizes_3_5(), Ints{-1, 5}, dtype);
    };
}

// --- control ------------------------------------------------------------------------------------

Array same(const Arrays& in) { return in[0]; }

Row identity_row(const std::string& name, Build build) {
    return row(name, 1, std::move(build)).reference(same).dtypes({DType::Float64, DType::Float16});
}

// x * y and x - y, whose gradients it states itself.
class ProductAndDifference : public UserOp {
  public:
    std::string name() const override { return "ProductAndDifference"; }
    std::vector<TensorType> types(std::span<const TensorType> inputs) const override {
        return {inputs[0], inputs[0]};
    }
    std::vector<Array> perform(std::span<const Array> in) const override {
        auto each = [&](auto f) {
            return tabulate(
                       in[0].shape(),
                       [&](const Sizes& i) { return f(in[0].at<double>(i), in[1].at<double>(i)); })
                .cast(in[0].dtype());
        };
        return {each([](double x, double y) { return x * y; }),
                each([](double x, double y) { return x - y; })};
    }
    Variables gradient(const Variables& in, const Variables&,
                       const Variables& seeds) const override {
        return {seeds[0] * in[1] + seeds[1], seeds[0] * in[0] - seeds[1]};
    }
    bool pure() const override { return pure_; }
    explicit ProductAndDifference(bool pure) : pure_(pure) {}

  private:
    bool pure_;
};
}  // namespace

// The first k at which the probabilities of 0 to k sum to more than u.
template <class Mass>
double first_above(double u, Mass mass) {
    long double sum = 0;
    for (int k = 0; k < 10000; ++k)
        if ((sum += mass(k)) > u) return k;
    return -1;
}

Rows random_rows() {
    Rows rows;
    rows.push_back(draw_row(
        "random_bits",
        [](const Variables& v) { return random_bits(v[0], sizes_3_5(), Ints{3, 5}); },
        [](const Block& b) { return static_cast<double>(wide(b.w[0], b.w[1])); }));
    rows.push_back(draw_row("random_uniform", uniform_of(DType::Float64), [](const Block& b) {
        return fraction(wide(b.w[0], b.w[1]) >> 12, 52);
    }));
    rows.push_back(draw_row("random_uniform", uniform_of(DType::Float32),
                            [](const Block& b) { return fraction(b.w[0] >> 8, 24); }));
    rows.push_back(draw_row("random_uniform", uniform_of(DType::Float16),
                            [](const Block& b) { return fraction(b.w[0] >> 21, 11); }));
    rows.push_back(draw_row("random_uniform", uniform_of(DType::BFloat16),
                            [](const Block& b) { return fraction(b.w[0] >> 24, 8); }));
    auto wide_normal = [](const Block& b) {
        return normal(fraction(wide(b.w[0], b.w[1]) >> 12, 52) + 0x1p-53,
                      fraction(wide(b.w[2], b.w[3]) >> 12, 52));
    };
    auto narrow_normal = [](const Block& b) {
        return normal(fraction(b.w[0], 32) + 0x1p-33, fraction(b.w[1] >> 8, 24));
    };
    // The rounding of 2 pi v in the argument of the cosine.
    rows.push_back(
        draw_row("random_normal", normal_of(DType::Float64), wide_normal).within(16).at_scale(1));
    rows.push_back(
        draw_row("random_normal", normal_of(DType::Float32), narrow_normal).within(64).at_scale(1));
    rows.push_back(
        row("poisson_quantile", 2, [](const Variables& v) { return poisson_quantile(v[0], v[1]); })
            .reference([](const std::vector<Array>& in) {
                return tabulate({4, 5}, [&](const Sizes& i) {
                    long double rate = in[1].at<double>({i[1]});
                    return first_above(in[0].at<double>(i), [&](int k) {
                        return std::exp(k * std::log(rate) - rate - std::lgamma(k + 1.0L));
                    });
                });
            })
            .on(0, between(0, 0.9999))
            .on(1, between(0.01, 60))
            .dtypes({DType::Float64, DType::Float32})
            .shapes({{{4, 5}, {5}}})
            .no_gradient());
    rows.push_back(row("binomial_quantile", 3,
                       [](const Variables& v) { return binomial_quantile(v[0], v[1], v[2]); })
                       .reference([](const std::vector<Array>& in) {
                           return tabulate({4, 5}, [&](const Sizes& i) {
                               long double n = in[1].at<double>({}), p = in[2].at<double>({i[1]});
                               return first_above(in[0].at<double>(i), [&](int k) {
                                   return k > n ? 0
                                                : std::exp(
                                                      std::lgamma(n + 1) - std::lgamma(k + 1.0L) -
                                                      std::lgamma(n - k + 1) + k * std::log(p) +
                                                      (n - k) * std::log1p(-p));
                               });
                           });
                       })
                       .on(0, between(0, 0.9999))
                       .on(1, whole(0, 90))
                       .on(2, between(0.01, 0.99))
                       .dtypes({DType::Float64, DType::Float32})
                       .shapes({{{4, 5}, {}, {5}}})
                       .no_gradient());
    return rows;
}

Rows control_rows() {
    Rows rows;
    rows.push_back(
        row("ifelse", 3, [](const Variables& v) { return ifelse(v[0], v[1], v[2] * 2.0); })
            .reference([](const Arrays& in) {
                bool first = in[0].item<bool>();
                const Array& x = in[first ? 1 : 2];
                return tabulate(x.shape(),
                                [&](const Sizes& i) { return x.at<double>(i) * (first ? 1 : 2); });
            })
            .fix(0, DType::Bool)
            .dtypes({DType::Float64, DType::Float32})
            .shapes({{{}, {3}, {3}},
                     {{}, {2, 2}, {2, 2}},
                     {{}, {0}, {0}},
                     {{}, {}, {}},
                     {{}, {3}, {2}},
                     {{}, {1}, {4}},
                     {{}, {4}, {1}}}));
    rows.push_back(row("call", 2,
                       [](const Variables& v) {
                           Variable a = input(tensor_type(v[0].dtype(), v[0].rank()), "a");
                           Variable b = input(tensor_type(v[1].dtype(), v[1].rank()), "b");
                           return Callable({a, b}, {a * b - a}, "f")({v[0], v[1]});
                       })
                       .reference([](const Arrays& in) {
                           return tabulate(in[0].shape(), [&](const Sizes& i) {
                               return in[0].at<double>(i) * (in[1].at<double>(i) - 1);
                           });
                       })
                       .dtypes({DType::Float64})
                       .within(16)
                       .at_scale(3)
                       .shapes({{{3}, {3}}, {{2, 2}, {2, 2}}, {{}, {}}}));
    // A recurrence with a sequence, a state and a constant: tests/scan has the rest.
    rows.push_back(
        row("loop", 3,
            [](const Variables& v) {
                auto body = [&](const Step& s) {
                    return StepResult(s.states[0] * v[2] + s.sequences[0]);
                };
                return scan(body, {.sequences = {v[0]}, .outputs_info = {v[1]}}).outputs[0];
            })
            .reference([](const Arrays& in) {
                Sizes shape = in[0].shape();
                return tabulate(shape, [&](const Sizes& i) {
                    Sizes at = i, rest(i.begin() + 1, i.end());
                    double h = in[1].at<double>(rest);
                    for (at[0] = 0; at[0] <= i[0]; ++at[0])
                        h = h * in[2].at<double>({}) + in[0].at<double>(at);
                    return h;
                });
            })
            .dtypes({DType::Float64, DType::Float32})
            .within(64)
            .at_scale(3)
            .shapes({{{3, 2}, {2}, {}}, {{4}, {}, {}}, {{0, 3}, {3}, {}}}));
    for (const auto& [name, f] :
         {std::pair("disconnected_grad", &disconnected_grad), std::pair("zero_grad", &zero_grad),
          std::pair("consider_constant", &consider_constant)})
        rows.push_back(
            identity_row(name, [f = f](const Variables& v) { return f(v[0]); }).no_gradient());
    // Limits that do nothing here; tests/unit/ops checks what they do.
    rows.push_back(identity_row(
        "grad_clip", [](const Variables& v) { return grad_clip(v[0], -1000.0, 1000.0); }));
    rows.push_back(
        identity_row("grad_scale", [](const Variables& v) { return grad_scale(v[0], 1.0); }));
    rows.push_back(identity_row("assert", [](const Variables& v) {
        return assert_(v[0], constant(Array::of<bool>({true, true})), "never said");
    }));
    rows.push_back(identity_row("print", [](const Variables& v) {
                       return print_(v[0], "row of print:");
                   }).shapes({{{}}, {{2}}}));
    return rows;
}

Rows user_rows() {
    Rows rows;
    for (bool pure : {true, false})
        rows.push_back(row(pure ? "user_op" : "impure_user_op", 2,
                           [pure](const Variables& v) {
                               auto op = std::make_shared<ProductAndDifference>(pure);
                               auto results = user_op(op, {v[0], v[1]});
                               return results[0] + results[1];
                           })
                           .reference([](const Arrays& in) {
                               return tabulate(in[0].shape(), [&](const Sizes& i) {
                                   double x = in[0].at<double>(i), y = in[1].at<double>(i);
                                   return x * y + (x - y);
                               });
                           })
                           .dtypes({DType::Float64, DType::Float32})
                           .within(4)
                           .at_scale(4)
                           .shapes({{{3}, {3}}, {{2, 2}, {2, 2}}, {{}, {}}, {{0}, {0}}}));
    return rows;
}

}  // namespace croton::test
