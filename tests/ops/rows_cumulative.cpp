// Results so far along an axis.
#include "croton/ops/cumulative.hpp"
#include "croton/ops/shape.hpp"
#include "tests/ops/row.hpp"

namespace croton::test {

namespace {
using Arrays = std::vector<Array>;

const std::vector<DType> numbers = {DType::Float64, DType::Float32, DType::Float16, DType::BFloat16,
                                    DType::Int32,   DType::UInt8,   DType::Bool};
const std::vector<std::vector<Sizes>> single = {{{4, 3}}, {{1, 5}}, {{0, 2}}, {{2, 0}}, {{6, 1}}};
const std::vector<std::vector<Sizes>> pairs = {
    {{4, 3}, {4, 3}}, {{1, 5}, {1, 5}}, {{0, 2}, {0, 2}}, {{2, 0}, {2, 0}}};

// fold(value so far, index) along the axis up to where the result's index is.
template <class Fold>
Array so_far(const Sizes& shape, size_t axis, Fold fold) {
    return tabulate(shape, [&](const Sizes& index) {
        double result = 0;
        Sizes at = index;
        for (int64_t i = 0; i <= index[axis]; ++i) {
            at[axis] = i;
            result = fold(result, i, at);
        }
        return result;
    });
}

void add_cumulative(Rows& rows, int64_t axis) {
    auto along = static_cast<size_t>(axis);
    rows.push_back(row("cumsum", 1, [axis](const Variables& v) { return cumsum(v[0], axis); })
                       .reference([along](const Arrays& in) {
                           return so_far(in[0].shape(), along,
                                         [&](double sum, int64_t, const Sizes& i) {
                                             return sum + in[0].at<double>(i);
                                         });
                       })
                       .dtypes(numbers)
                       .shapes(single)
                       .at_scale(3)
                       .within(4));
    for (Domain domain : {reals(), whole(0, 2)})  // zeros are no special case
        rows.push_back(row("cumprod", 1, [axis](const Variables& v) { return cumprod(v[0], axis); })
                           .reference([along](const Arrays& in) {
                               return so_far(in[0].shape(), along,
                                             [&](double product, int64_t n, const Sizes& i) {
                                                 double x = in[0].at<double>(i);
                                                 return n == 0 ? x : product * x;
                                             });
                           })
                           .on(domain)
                           .dtypes(numbers)
                           .shapes(single)
                           .within(4));
    rows.push_back(row("linear_recurrence", 2,
                       [axis](const Variables& v) { return linear_recurrence(v[0], v[1], axis); })
                       .reference([along](const Arrays& in) {
                           return so_far(in[0].shape(), along,
                                         [&](double last, int64_t n, const Sizes& i) {
                                             double b = in[1].at<double>(i);
                                             return n == 0 ? b : in[0].at<double>(i) * last + b;
                                         });
                       })
                       .dtypes({DType::Float64, DType::Float32, DType::Float16, DType::Int32})
                       .shapes(pairs)
                       .at_scale(3)
                       .within(8));
}

Array steps_of(const Arrays& in, bool last) {
    auto each = [&](size_t k, int64_t i) {
        return in[k].rank() == 0 ? in[k].at<double>({}) : in[k].at<double>({i});
    };
    int64_t steps = in[in[1].rank() == 1 ? 1 : 2].shape(0);
    std::vector<double> h{in[0].at<double>({})};
    for (int64_t i = 0; i < steps; ++i) h.push_back(each(1, i) * h.back() + each(2, i));
    if (last) return Array::scalar(h.back());
    return Array::of(h, {static_cast<int64_t>(h.size())});
}
}  // namespace

Rows cumulative_rows() {
    Rows rows;
    for (int64_t axis : {0, 1}) add_cumulative(rows, axis);
    rows.push_back(row("cumsum", 1, [](const Variables& v) { return cumsum(v[0]); })
                       .reference([](const Arrays& in) {
                           Array result =
                               in[0].cast(DType::Float64).contiguous_copy().reshape({-1});
                           auto p = static_cast<double*>(result.data());
                           for (int64_t i = 1; i < result.size(); ++i) p[i] += p[i - 1];
                           return result;
                       })
                       .shapes({{{2, 3}}, {{}}, {{0}}})
                       .at_scale(3)
                       .within(4));
    for (bool last : {false, true})
        rows.push_back(row("linear_steps", 3,
                           [last](const Variables& v) {
                               const Variable& list = v[v[1].rank() == 1 ? 1 : 2];
                               return linear_steps(v[0], v[1], v[2], size_of(list, 0), last);
                           })
                           .reference([last](const Arrays& in) { return steps_of(in, last); })
                           .dtypes({DType::Float64, DType::Float32})
                           .shapes({{{}, {9}, {9}}, {{}, {20}, {}}, {{}, {}, {3}}, {{}, {0}, {0}}})
                           .at_scale(9)
                           .within(16));
    return rows;
}

}  // namespace croton::test
