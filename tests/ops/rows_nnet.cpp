#include <cmath>

#include "croton/ops/nnet.hpp"
#include "tests/ops/row.hpp"

namespace croton::test {

namespace {
// f(row of x along `axis`, position in it) for each element.
using OfRow = double (*)(const std::vector<double>& row, size_t at);
WholeFunction along(size_t axis, OfRow f) {
    return [=](const std::vector<Array>& inputs) {
        const Array& x = inputs[0];
        return tabulate(x.shape(), [&](const Sizes& index) {
            std::vector<double> row;
            Sizes place = index;
            for (place[axis] = 0; place[axis] < x.shape()[axis]; ++place[axis])
                row.push_back(x.at<double>(place));
            return f(row, static_cast<size_t>(index[axis]));
        });
    };
}
double log_softmax_at(const std::vector<double>& row, size_t at) {
    double largest = -inf, total = 0;
    for (double x : row) largest = std::max(largest, x);
    for (double x : row) total += std::exp(x - largest);
    return row[at] - largest - std::log(total);
}
double softmax_at(const std::vector<double>& row, size_t at) {
    double largest = -inf, total = 0;
    for (double x : row) largest = std::max(largest, x);
    for (double x : row) total += std::exp(x - largest);
    return std::exp(row[at] - largest) / total;
}

Sizes with_class(Sizes index, const Array& classes, int64_t size) {
    int64_t y = classes.at<int64_t>(index);
    index.push_back(y < 0 ? y + size : y);
    return index;
}
Array pick_reference(const std::vector<Array>& in) {
    return tabulate(in[1].shape(), [&](const Sizes& index) {
        return in[0].at<double>(with_class(index, in[1], in[0].shape().back()));
    });
}
Array unpick_reference(const std::vector<Array>& in) {
    return tabulate(in[2].shape(), [&](const Sizes& index) {
        Sizes row = index;
        row.pop_back();
        return with_class(row, in[1], in[2].shape().back()) == index ? in[0].at<double>(row) : 0.0;
    });
}
Array crossentropy_reference(const std::vector<Array>& in) {
    Sizes rows = in[0].shape();
    rows.pop_back();
    return tabulate(rows, [&](const Sizes& index) {
        double total = 0;
        Sizes place = index;
        place.push_back(0);
        for (; place.back() < in[0].shape().back(); ++place.back())
            total -= in[1].at<double>(place) * std::log(in[0].at<double>(place));
        return total;
    });
}
double selu_of(double x) {
    constexpr double scale = 1.0507009873554805, alpha = 1.6732632423543772;
    return scale * (x > 0 ? x : alpha * std::expm1(x));
}
double softplus_of(double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::abs(x))); }
}  // namespace

Rows nnet_rows() {
    const std::vector<double> wide = {0, -0.0, 1, -1, 30, -30, 80, -80, inf, -inf, nan};
    auto softmax_over = [](int64_t axis) {
        return [axis](const Variables& v) { return softmax(v[0], axis); };
    };
    auto log_softmax_over = [](int64_t axis) {
        return [axis](const Variables& v) { return log_softmax(v[0], axis); };
    };
    const std::vector<std::vector<Sizes>> matrices = {{{3, 4}}, {{1, 1}}, {{5, 1}}, {{0, 3}}};
    const std::vector<std::vector<Sizes>> picks = {
        {{3, 4}, {3}}, {{4}, {}}, {{2, 3, 4}, {2, 3}}, {{0, 4}, {0}}};
    return {
        row("softmax", 1, softmax_over(-1))
            .reference(along(1, softmax_at))
            .shapes(matrices)
            .within(16),
        row("softmax", 1, softmax_over(0))
            .reference(along(0, softmax_at))
            .shapes({{{4}}, {{3, 2}}, {{3, 2, 2}}})
            .on(between(-30, 30))
            .smooth_on(reals())
            .within(64)
            .dtypes({DType::Float64, DType::Float32, DType::Int64}),
        row("log_softmax", 1, log_softmax_over(-1))
            .reference(along(1, log_softmax_at))
            .shapes(matrices)
            .dtypes({DType::Float64, DType::Float32})
            .within(32),
        row("log_softmax", 1, log_softmax_over(0))
            .reference(along(0, log_softmax_at))
            .shapes({{{4}}, {{3, 2}}})
            .dtypes({DType::Float64})
            .on(between(-800, 800))
            .smooth_on(reals())
            .within(32),
        row("relu", relu)
            .against([](double x) { return x > 0 || std::isnan(x) ? x : 0; })
            .dtypes({DType::Float64, DType::Float32, DType::Float16, DType::Int64})
            .edges({1, -1, inf, -inf, nan}),
        row("leaky_relu", leaky_relu)
            .against([](double x, double slope) { return x > 0 ? x : slope * x; })
            .edge_pairs({{0, 0.1}, {-1, 0.1}, {nan, 0.1}, {inf, 2}, {-inf, 0.5}}),
        row("elu", elu)
            .against([](double x, double alpha) { return x > 0 ? x : alpha * std::expm1(x); })
            .within(2)
            .edge_pairs({{0, 1}, {-1, 0.5}, {-inf, 1}, {inf, 1}, {nan, 1}, {800, 1}}),
        row("selu", selu).against(selu_of).within(4).edges(wide),
        row("softsign", softsign)
            .against([](double x) { return x / (1 + std::abs(x)); })
            .within(2)
            .edges({0, -0.0, 1, -1, 1e30, nan}),
        row("hard_sigmoid", hard_sigmoid)
            .against([](double x) { return std::fmin(std::fmax(0.2 * x + 0.5, 0), 1); })
            .within(4)
            .edges({0, 2, -2, 30, -30, inf, -inf})
            .smooth_on(between(-2, 2)),
        row("pick", pick)
            .reference(pick_reference)
            .shapes(picks)
            .fix(1, DType::Int64)
            .on(1, whole(-4, 3))
            .dtypes({DType::Float64, DType::Float32, DType::Float16, DType::Int32}),
        row("pick", pick)
            .reference(pick_reference)
            .shapes(picks)
            .fix(1, DType::UInt8)
            .on(1, whole(0, 3))
            .dtypes({DType::Float64}),
        row("unpick", unpick)
            .reference(unpick_reference)
            .shapes({{{3}, {3}, {3, 4}}, {{}, {}, {4}}, {{0}, {0}, {0, 4}}})
            .fix(1, DType::Int32)
            .on(1, whole(-4, 3))
            .no_gradient_of(2),
        row("categorical_crossentropy", categorical_crossentropy)
            .reference(crossentropy_reference)
            .shapes({{{3, 4}, {3, 4}}, {{4}, {4}}})
            .on(between(0.05, 1))
            .dtypes({DType::Float64, DType::Float32})
            .within(32),
        row("categorical_crossentropy", categorical_crossentropy)
            .reference([](const std::vector<Array>& in) {
                Array picked = pick_reference(in);
                for (int64_t i = 0; i < picked.size(); ++i)
                    picked.data_as<double>()[i] = -std::log(picked.data_as<double>()[i]);
                return picked;
            })
            .shapes(picks)
            .fix(1, DType::Int64)
            .on(0, between(0.05, 1))
            .on(1, whole(0, 3))
            .within(2)
            .dtypes({DType::Float64, DType::Float32}),
        row("binary_crossentropy", binary_crossentropy)
            .against(
                [](double q, double t) { return -(t * std::log(q) + (1 - t) * std::log1p(-q)); })
            .on(between(0.1, 0.9))
            .dtypes({DType::Float64, DType::Float32})
            .within(8),
        row("sigmoid_binary_crossentropy", sigmoid_binary_crossentropy)
            .against([](double x, double t) { return softplus_of(x) - t * x; })
            .on(1, between(0, 1))
            .dtypes({DType::Float64, DType::Float32})
            .edge_pairs({{800, 0}, {-800, 0}, {800, 1}, {-800, 1}, {0, 0.5}})
            .within(16),
    };
}

}  // namespace croton::test
