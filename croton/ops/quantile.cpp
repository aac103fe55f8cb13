// Quantiles of discrete distributions: what turns uniform draws into Poisson and binomial ones.
#include <algorithm>
#include <cmath>

#include "croton/ops/random.hpp"
#include "croton/ops/recipes.hpp"
#include "croton/ops/strided.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

const OpRecord* poisson_quantile_op();
const OpRecord* binomial_quantile_op();

namespace {
using types::Types;

// From this deviation on the search, of some ten deviations' steps, gives way to an expansion.
constexpr double widest = 1e3;

// The first value (of 0, 1, ...) up to which the probabilities sum to more than u. `mass(k)` is the
// probability of k, `ratio(k)` that of k + 1 divided by it. Values further below the mean than ten
// deviations hold less than 1e-20 together.
template <class Mass, class Ratio>
int64_t search(double u, double mean, double deviation, double last, Mass mass, Ratio ratio) {
    double k = std::max(0.0, std::floor(mean - 10 * deviation - 20));
    double p = mass(k), sum = p;
    while (sum <= u && k < last) {
        p *= ratio(k);
        k += 1;
        if (p == 0 && k > mean) break;  // u is nearer to one than the sum can come
        sum += p;
    }
    return static_cast<int64_t>(k);
}

// The inverse of the standard normal distribution: Newton's steps from a crude start.
double normal_quantile(double u) {
    u = std::clamp(u, 0x1p-60, 1 - 0x1p-53);
    double t = std::sqrt(-2 * std::log(std::min(u, 1 - u)));
    double z = t - (2.30753 + 0.27061 * t) / (1 + t * (0.99229 + 0.04481 * t));
    if (u < 0.5) z = -z;
    for (int i = 0; i < 3; ++i) {
        double error = 0.5 * std::erfc(-z / std::sqrt(2.0)) - u;
        z -= error / (std::exp(-z * z / 2) / std::sqrt(2 * 3.14159265358979323846));
    }
    return z;
}

// Cornish and Fisher's expansion (1938) to the skewness: off by less than one in wide
// distributions.
int64_t expansion(double u, double mean, double deviation, double skewness, double last) {
    double z = normal_quantile(u);
    double k = std::floor(mean + deviation * (z + skewness * (z * z - 1) / 6) + 0.5);
    return static_cast<int64_t>(std::clamp(k, 0.0, last));
}

int64_t poisson_quantile(double u, double rate) {
    if (!(rate >= 0) || std::isinf(rate))
        fail(ErrorKind::Value, "poisson: the rate must be a finite number of 0 or more, not ",
             rate);
    if (rate == 0) return 0;
    double deviation = std::sqrt(rate);
    if (deviation > widest) return expansion(u, rate, deviation, 1 / deviation, 0x1p62);
    return search(
        u, rate, deviation, 0x1p62,
        [&](double k) { return std::exp(k * std::log(rate) - rate - std::lgamma(k + 1)); },
        [&](double k) { return rate / (k + 1); });
}

int64_t binomial_quantile(double u, double n, double p) {
    if (!(n >= 0) || std::isinf(n) || n != std::floor(n))
        fail(ErrorKind::Value, "binomial: n must be a whole number of 0 or more, not ", n);
    if (!(p >= 0 && p <= 1)) fail(ErrorKind::Value, "binomial: p must be a probability, not ", p);
    if (p == 0 || n == 0) return 0;
    if (p == 1) return static_cast<int64_t>(n);
    double deviation = std::sqrt(n * p * (1 - p));
    if (deviation > widest) return expansion(u, n * p, deviation, (1 - 2 * p) / deviation, n);
    return search(
        u, n * p, deviation, n,
        [&](double k) {
            return std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) +
                            k * std::log(p) + (n - k) * std::log1p(-p));
        },
        [&](double k) { return (n - k) / (k + 1) * (p / (1 - p)); });
}

// --- records

void broadcast_shape(const AttrView&, std::span<const TensorRef> in, std::span<Sizes> out) {
    Sizes shape = in[0].shape;
    for (const auto& x : in) {
        if (x.shape.size() > shape.size()) {
            Sizes longer(x.shape.size(), 1);
            std::copy(shape.begin(), shape.end(), longer.begin() + (x.shape.size() - shape.size()));
            shape = longer;
        }
        for (size_t i = 0; i < x.shape.size(); ++i) {
            auto& size = shape[shape.size() - x.shape.size() + i];
            if (size == 1) size = x.shape[i];
        }
    }
    out[0] = shape;
}

template <size_t N, class Quantile>
void each(ExternCall& call, Quantile quantile) {
    auto& out = call.outputs[0];
    if (element_count(out.shape) == 0) return;
    std::array<Sizes, N + 1> strides;
    std::array<const Sizes*, N + 1> pointers;
    for (size_t k = 0; k < N; ++k)
        strides[k] = broadcast_strides(call.inputs[k], out.shape, "a draw");
    strides[N] = out.strides;
    for (size_t k = 0; k <= N; ++k) pointers[k] = &strides[k];
    Walk<N + 1> walk(out.shape, pointers);
    auto read = [&](size_t k) {
        return *reinterpret_cast<const double*>(static_cast<const char*>(call.inputs[k].data) +
                                                walk.offsets[k]);
    };
    do *reinterpret_cast<int64_t*>(static_cast<char*>(out.data) + walk.offsets[N]) = quantile(read);
    while (walk.next());
}

void poisson_run(ExternCall& call) {
    each<2>(call, [](auto read) { return poisson_quantile(read(0), read(1)); });
}
void binomial_run(ExternCall& call) {
    each<3>(call, [](auto read) { return binomial_quantile(read(0), read(1), read(2)); });
}

Types counts(TypeContext& c) {
    for (size_t i = 0; i < c.inputs.size(); ++i) types::convert(c, i, DType::Float64);
    return {{DType::Int64, types::broadcast_inputs(c)}};
}

const OpRecord poisson_record{
    .name = "poisson_quantile",
    .doc = "Smallest k that a Poisson variable of this rate exceeds with probability below 1 - u.",
    .arguments = {{"u", Accepts::Real}, {"rate", Accepts::Real}},
    .type = counts,
    .compute = ExternCompute{broadcast_shape, poisson_run},
    .pullback = no_gradient,
    .facts = facts::at_least(0),
};

const OpRecord binomial_record{
    .name = "binomial_quantile",
    .doc =
        "Smallest k that the successes of n trials, with probability p each, exceed with "
        "probability below 1 - u.",
    .arguments = {{"u", Accepts::Real}, {"n", Accepts::Real}, {"p", Accepts::Real}},
    .type = counts,
    .compute = ExternCompute{broadcast_shape, binomial_run},
    .pullback = no_gradient,
    .facts = facts::at_least(0),
};
}  // namespace

const OpRecord* poisson_quantile_op() { return &poisson_record; }
const OpRecord* binomial_quantile_op() { return &binomial_record; }

Variable poisson_quantile(Arg u, Arg rate) { return apply_one(poisson_record, {u, rate}); }
Variable binomial_quantile(Arg u, Arg n, Arg p) { return apply_one(binomial_record, {u, n, p}); }

}  // namespace croton
