#include <algorithm>
#include <cmath>

#include "croton/ops/reduce.hpp"
#include "tests/ops/row.hpp"

namespace croton::test {

namespace {
using Values = std::vector<double>;
using Fold = double (*)(const Values&);

bool listed(const Ints& axes, size_t axis) {
    return std::find(axes.begin(), axes.end(), static_cast<int64_t>(axis)) != axes.end();
}

// The elements behind each element of the result, in C order, folded.
WholeFunction folding(Ints axes, bool keepdims, Fold fold) {
    return [=](const std::vector<Array>& inputs) {
        const Array& x = inputs[0];
        Sizes kept, reduced, shape;
        for (size_t i = 0; i < x.shape().size(); ++i) {
            bool gone = listed(axes, i);
            (gone ? reduced : kept).push_back(x.shape()[i]);
            if (!gone) shape.push_back(x.shape()[i]);
            if (gone && keepdims) shape.push_back(1);
        }
        Array result = tabulate(kept, [&](const Sizes& outer) {
            Values values;
            for_each_index(reduced, [&](const Sizes& inner) {
                Sizes index;
                size_t o = 0, i = 0;
                for (size_t axis = 0; axis < x.shape().size(); ++axis)
                    index.push_back(listed(axes, axis) ? inner[i++] : outer[o++]);
                values.push_back(x.at<double>(index));
            });
            return fold(values);
        });
        return result.reshape(shape);
    };
}

double fold_sum(const Values& v) {
    long double total = 0;
    for (double x : v) total += x;
    return static_cast<double>(total);
}
double fold_prod(const Values& v) {
    double total = 1;
    for (double x : v) total *= x;
    return total;
}
double fold_mean(const Values& v) { return fold_sum(v) / static_cast<double>(v.size()); }
double variance(const Values& v, double ddof) {
    Values squares;
    for (double x : v) squares.push_back((x - fold_mean(v)) * (x - fold_mean(v)));
    return fold_sum(squares) / (static_cast<double>(v.size()) - ddof);
}
double fold_var(const Values& v) { return variance(v, 0); }
double fold_var1(const Values& v) { return variance(v, 1); }
double fold_std(const Values& v) { return std::sqrt(variance(v, 0)); }
size_t first_extreme(const Values& v, bool largest) {
    size_t best = 0;
    for (size_t i = 1; i < v.size(); ++i) {
        if (std::isnan(v[best])) break;
        if (std::isnan(v[i]) || (largest ? v[i] > v[best] : v[i] < v[best])) best = i;
    }
    return best;
}
double fold_argmax(const Values& v) { return static_cast<double>(first_extreme(v, true)); }
double fold_argmin(const Values& v) { return static_cast<double>(first_extreme(v, false)); }
double fold_max(const Values& v) { return v[first_extreme(v, true)]; }
double fold_supremum(const Values& v) {
    double largest = -inf;
    for (double x : v) largest = x != x ? x : std::max(largest, x);
    return largest;
}
double fold_min(const Values& v) { return v[first_extreme(v, false)]; }
double fold_any(const Values& v) {
    return std::any_of(v.begin(), v.end(), [](double x) { return x != 0; });
}
double fold_all(const Values& v) {
    return std::all_of(v.begin(), v.end(), [](double x) { return x != 0; });
}
double fold_logsumexp(const Values& v) {
    double largest = -inf, total = 0;
    for (double x : v) largest = std::max(largest, x);
    if (std::isinf(largest)) return largest;
    for (double x : v) total += std::exp(x - largest);
    return largest + std::log(total);
}

using Reduction = Variable (*)(Arg, Axes, Given<bool>);
const std::vector<DType> numbers = {DType::Float64, DType::Float32, DType::Float16,
                                    DType::Int32,   DType::UInt8,   DType::Bool};

// All axes, one, the others with keepdims, none; cases that fold fewer than `least` elements are
// left out.
void add_rows(Rows& rows, const std::string& name, Reduction f, Fold fold, int64_t least,
              const std::function<void(Row&)>& finish,
              std::source_location where = std::source_location::current()) {
    struct Case {
        Ints given, axes;
        bool keepdims;
        std::vector<std::vector<Sizes>> shapes;
    };
    std::vector<Case> cases = {
        {{Axes::all_axes}, {0, 1}, false, {{{3, 4}}, {{1, 5}}, {{7, 1}}, {{0, 3}}}},
        {{Axes::all_axes}, {}, false, {{{}}}},
        {{1}, {1}, false, {{{3, 4}}, {{2, 5, 3}}, {{0, 3}}, {{3, 0}}}},
        {{-3}, {0}, true, {{{3, 2, 2}}, {{1, 2, 3}}}},
        {{2, 0}, {0, 2}, false, {{{3, 2, 4}}}},
        {{}, {}, true, {{{3, 2}}}},
    };
    for (auto& c : cases) {
        std::erase_if(c.shapes, [&](auto& s) {
            int64_t folded = 1;
            for (int64_t axis : c.axes) folded *= s[0][static_cast<size_t>(axis)];
            return folded < least;
        });
        if (c.shapes.empty()) continue;
        Row r = row(
            name, 1, [f, c](const Variables& v) { return f(v[0], Axes(c.given), c.keepdims); },
            where);
        r.reference(folding(c.axes, c.keepdims, fold)).shapes(c.shapes).dtypes(numbers);
        finish(r);
        rows.push_back(r);
    }
}

Array zeros_like_second(const std::vector<Array>& inputs) {
    const Array &x = inputs[0], &like = inputs[1];
    Array totals = Array::zeros(DType::Float64, like.shape());
    for_each_index(x.shape(), [&](const Sizes& index) {
        Sizes to = broadcast_index(index, like.shape());
        int64_t flat = 0;
        for (size_t i = 0; i < to.size(); ++i) flat = flat * like.shape()[i] + to[i];
        totals.data_as<double>()[flat] += x.at<double>(index);
    });
    return totals;
}
}  // namespace

Rows reduce_rows() {
    Rows rows;
    auto plain = [](Row&) {};
    auto no_gradient = [](Row& r) { r.no_gradient(); };
    auto ties = [](Row& r) { r.on(whole(-3, 3)).smooth_on(reals()).no_gradient(); };
    auto bools = [](Row& r) {
        r.on(whole(0, 1)).dtypes({DType::Bool, DType::Float64, DType::Int8}).no_gradient();
    };
    add_rows(rows, "sum", sum, fold_sum, 0, [](Row& r) { r.within(64); });
    add_rows(rows, "prod", prod, fold_prod, true,
             [](Row& r) { r.within(64).on(whole(-2, 3)).smooth_on(between(0.5, 2)); });
    auto averages = [](Row& r) {
        r.within(64).dtypes({DType::Float64, DType::Float32, DType::Float16, DType::BFloat16,
                             DType::Int32, DType::UInt8, DType::Bool});
    };
    add_rows(rows, "mean", mean, fold_mean, 1, averages);
    auto biased = [](Arg x, Axes a, Given<bool> k) { return var(x, a, 0, k); };
    auto unbiased = [](Arg x, Axes a, Given<bool> k) { return var(x, a, 1, k); };
    auto deviation = [](Arg x, Axes a, Given<bool> k) { return std_(x, a, 0, k); };
    auto moments = [](Row& r) { r.within(64).dtypes({DType::Float64, DType::Float16}); };
    auto roots = [](Row& r) { r.within(64).dtypes({DType::Float64}); };
    add_rows(rows, "var", biased, fold_var, 1, averages);
    add_rows(rows, "var", unbiased, fold_var1, 2, moments);
    add_rows(rows, "std", deviation, fold_std, 2, roots);
    add_rows(rows, "max", max, fold_max, 1, plain);
    add_rows(rows, "supremum", supremum, fold_supremum, 0, [](Row& r) {
        r.dtypes({DType::Float64, DType::Float32, DType::Float16, DType::BFloat16});
    });
    add_rows(rows, "min", min, fold_min, 1, plain);
    add_rows(rows, "max", max, fold_max, 1, ties);
    add_rows(rows, "argmax", argmax, fold_argmax, 1, ties);
    add_rows(rows, "argmin", argmin, fold_argmin, 1, ties);
    add_rows(rows, "argmax", argmax, fold_argmax, 1, no_gradient);
    add_rows(rows, "any", any, fold_any, 0, bools);
    add_rows(rows, "all", all, fold_all, 0, bools);
    add_rows(rows, "logsumexp", logsumexp, fold_logsumexp, 1,
             [](Row& r) { r.within(64).dtypes({DType::Float64, DType::Float32, DType::Int64}); });

    auto count_of = [](Ints axes) {
        return [axes](const Variables& v) { return count(v[0], axes); };
    };
    rows.push_back(row("count", 1, count_of({0, 2}))
                       .reference([](const std::vector<Array>& x) {
                           return Array::scalar(x[0].shape(0) * x[0].shape(2));
                       })
                       .shapes({{{3, 4, 5}}, {{0, 2, 2}}})
                       .no_gradient());
    rows.push_back(
        row("count", 1, count_of({Axes::all_axes}))
            .reference([](const std::vector<Array>& x) { return Array::scalar(x[0].size()); })
            .shapes({{{3, 4, 5}}, {{}}, {{0}}})
            .no_gradient());
    rows.push_back(row("sum_to", sum_to)
                       .reference(zeros_like_second)
                       .shapes({{{3, 4}, {3, 4}},
                                {{3, 4}, {1, 4}},
                                {{3, 4}, {3, 1}},
                                {{3, 4}, {1, 1}},
                                {{2, 3, 4}, {1, 4}},
                                {{2, 3, 4}, {3, 1}},
                                {{5}, {}},
                                {{}, {}},
                                {{0, 3}, {1, 3}},
                                {{0, 3}, {0, 3}}})
                       .within(16)
                       .no_gradient_of(1));
    rows.push_back(row("sum_to", sum_to)
                       .reference(zeros_like_second)
                       .dtypes({DType::Int32, DType::UInt8})
                       .on(whole(0, 9))
                       .shapes({{{3, 4}, {1, 4}}, {{2, 2}, {1, 1}}})
                       .no_gradient());
    return rows;
}

}  // namespace croton::test
