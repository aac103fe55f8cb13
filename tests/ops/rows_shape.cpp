// Shapes, joins, and arrays made from sizes.
#include <algorithm>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/shape.hpp"
#include "tests/ops/row.hpp"

namespace croton::test {

namespace {
using Arrays = std::vector<Array>;

const std::vector<DType> several = {DType::Float64,   DType::Float32, DType::BFloat16,
                                    DType::Complex64, DType::Int16,   DType::UInt8,
                                    DType::Bool};
const std::vector<DType> reals_only = {DType::Float64, DType::Float32, DType::Float16,
                                       DType::Int16,   DType::UInt8,   DType::Bool};

// The result holds x's elements at other places: `shape` of the result from x's, `place` in x of
// the result's index.
WholeFunction moving(std::function<Sizes(const Sizes&)> shape,
                     std::function<Sizes(const Sizes&, const Sizes&)> place) {
    return [=](const Arrays& in) {
        const Array& x = in[0];
        Sizes sizes = shape(x.shape());
        if (is_complex(x.dtype())) {
            std::vector<Complex> values;
            for_each_index(sizes, [&](const Sizes& index) {
                values.push_back(x.at<Complex>(place(index, x.shape())));
            });
            return Array::of(values, sizes);
        }
        return tabulate(sizes,
                        [&](const Sizes& index) { return x.at<double>(place(index, x.shape())); });
    };
}

Variable range_of_three(Arg start, Arg stop, Arg step) { return arange(start, stop, step); }

Array numbers_from(double start, double step, int64_t count) {
    return tabulate({count},
                    [&](const Sizes& i) { return start + step * static_cast<double>(i[0]); });
}
}  // namespace

Rows shape_rows() {
    Rows rows;
    auto sizes_as_array = [](const Arrays& in) {
        return tabulate({in[0].rank()}, [&](const Sizes& i) {
            return static_cast<double>(in[0].shape(static_cast<int>(i[0])));
        });
    };
    rows.push_back(row("shape", shape)
                       .reference(sizes_as_array)
                       .shapes({{{3, 4}}, {{}}, {{2, 0, 5}}})
                       .no_gradient());
    rows.push_back(row("size_of", 1, [](const Variables& v) { return size_of(v[0], -2); })
                       .reference([](const Arrays& in) {
                           return Array::scalar(in[0].shape(in[0].rank() - 2));
                       })
                       .shapes({{{3, 4}}, {{2, 0, 5}}})
                       .no_gradient());
    rows.push_back(row("reshape", 1, [](const Variables& v) { return reshape(v[0], {-1, 1, 2}); })
                       .reference([](const Arrays& in) { return in[0].copy().reshape({-1, 1, 2}); })
                       .dtypes(several)
                       .shapes({{{3, 4}}, {{2, 0}}, {{6}}, {{1, 2, 1, 3}}}));
    rows.push_back(
        row("dimshuffle", 1, [](const Variables& v) { return dimshuffle(v[0], {2, new_axis, 0}); })
            .reference(moving([](const Sizes& x) { return Sizes{x[2], 1, x[0]}; },
                              [](const Sizes& i, const Sizes&) { return Sizes{i[2], 0, i[0]}; }))
            .dtypes(several)
            .shapes({{{3, 1, 4}}, {{0, 1, 2}}, {{1, 1, 1}}}));
    rows.push_back(
        row("broadcast_to", 1, [](const Variables& v) { return broadcast_to(v[0], {2, 3, 4}); })
            .reference(moving([](const Sizes&) { return Sizes{2, 3, 4}; }, broadcast_index))
            .dtypes(several)
            .shapes({{{3, 1}}, {{4}}, {{}}, {{1, 3, 4}}, {{2, 3, 4}}, {{1, 1, 1}}}));
    rows.push_back(
        row("specify_shape", 1, [](const Variables& v) { return specify_shape(v[0], {3, -1}); })
            .reference([](const Arrays& in) { return in[0]; })
            .dtypes(several)
            .shapes({{{3, 4}}, {{3, 0}}}));
    for (int64_t offset : {0, 1, -2})
        rows.push_back(row("diagonal", 1,
                           [offset](const Variables& v) { return diagonal(v[0], offset, 2, 0); })
                           .reference(moving(
                               [offset](const Sizes& x) {
                                   int64_t rows = x[2] - (offset < 0 ? -offset : 0);
                                   int64_t columns = x[0] - (offset > 0 ? offset : 0);
                                   return Sizes{x[1],
                                                std::max<int64_t>(0, std::min(rows, columns))};
                               },
                               [offset](const Sizes& i, const Sizes&) {
                                   return Sizes{i[1] + (offset > 0 ? offset : 0), i[0],
                                                i[1] + (offset < 0 ? -offset : 0)};
                               }))
                           .dtypes(several)
                           .shapes({{{3, 2, 4}}, {{4, 1, 3}}, {{0, 2, 2}}, {{5, 2, 5}}}));
    rows.push_back(
        row("concatenate", 3, [](const Variables& v) { return concatenate({v[0], v[1], v[2]}, 1); })
            .reference([](const Arrays& in) {
                Sizes shape = in[0].shape();
                shape[1] += in[1].shape(1) + in[2].shape(1);
                return tabulate(shape, [&](Sizes i) {
                    size_t part = 0;
                    while (i[1] >= in[part].shape(1)) i[1] -= in[part++].shape(1);
                    return in[part].at<double>(i);
                });
            })
            .dtypes(reals_only)
            .shapes({{{2, 3}, {2, 1}, {2, 2}},
                     {{2, 0}, {2, 2}, {2, 0}},
                     {{2, 1}, {2, 0}, {2, 3}},
                     {{0, 1}, {0, 1}, {0, 1}},
                     {{1, 0}, {1, 0}, {1, 0}},
                     {{2, 1, 2}, {2, 2, 2}, {2, 1, 2}}}));
    for (int shift : {2, -7})
        rows.push_back(row("roll", 1, [shift](const Variables& v) { return roll(v[0], shift, 0); })
                           .reference(moving([](const Sizes& x) { return x; },
                                             [shift](Sizes i, const Sizes& x) {
                                                 i[0] = ((i[0] - shift) % x[0] + x[0]) % x[0];
                                                 return i;
                                             }))
                           .dtypes(several)
                           .shapes({{{5, 2}}, {{1}}, {{0, 3}}, {{3}}}));
    return rows;
}

Rows create_rows() {
    Rows rows;
    rows.push_back(
        row("make_vector", 3, [](const Variables& v) { return make_vector({v[0], v[1], v[2]}); })
            .reference([](const Arrays& in) {
                return tabulate({3}, [&](const Sizes& i) {
                    return in[static_cast<size_t>(i[0])].item<double>();
                });
            })
            .dtypes(reals_only)
            .shapes({{{}, {}, {}}}));
    rows.push_back(row("full_like", full_like)
                       .reference([](const Arrays& in) {
                           return tabulate(in[0].shape(),
                                           [&](const Sizes&) { return in[1].item<double>(); });
                       })
                       .dtypes(reals_only)
                       .shapes({{{3, 4}, {}}, {{}, {}}, {{0, 2}, {}}}));
    rows.push_back(row("arange", range_of_three)
                       .reference([](const Arrays& in) {
                           double start = in[0].item<double>(), step = in[2].item<double>();
                           double count = std::ceil((in[1].item<double>() - start) / step);
                           return numbers_from(start, step, static_cast<int64_t>(count));
                       })
                       .on(0, between(0, 0.5))
                       .on(1, between(4.2, 4.4))
                       .on(2, between(1.01, 1.04))
                       .dtypes({DType::Float64, DType::Float32})
                       .within(64)
                       .shapes({{{}, {}, {}}}));
    rows.push_back(row("arange", range_of_three)
                       .reference([](const Arrays& in) {
                           int64_t start = in[0].item<int64_t>(), stop = in[1].item<int64_t>();
                           int64_t step = in[2].item<int64_t>(), count = 0;
                           for (int64_t at = start; at < stop; at += step) ++count;
                           return numbers_from(static_cast<double>(start),
                                               static_cast<double>(step), count);
                       })
                       .on(0, whole(0, 9))
                       .on(1, whole(0, 30))
                       .on(2, whole(1, 4))
                       .dtypes({DType::Int64, DType::UInt8, DType::Int16})
                       .shapes({{{}, {}, {}}, {{}, {}, {}}, {{}, {}, {}}})
                       .no_gradient());
    auto matrix = [](double (*element)(int64_t)) {
        return [element](const Arrays& in) {
            Sizes shape{in[0].item<int64_t>(), in[1].item<int64_t>()};
            auto offset = in[2].item<int64_t>();
            return tabulate(shape, [&](const Sizes& i) { return element(i[1] - i[0] - offset); });
        };
    };
    auto on_sizes = [](Row r) {
        return r.on(0, whole(0, 5))
            .on(1, whole(0, 5))
            .on(2, whole(-2, 2))
            .dtypes({DType::Int64, DType::Int8})
            .shapes({{{}, {}, {}}, {{}, {}, {}}, {{}, {}, {}}, {{}, {}, {}}})
            .no_gradient();
    };
    rows.push_back(
        on_sizes(row("eye", 3, [](const Variables& v) {
                     return eye(v[0], v[1], v[2], DType::Float32);
                 }).reference(matrix([](int64_t above) { return above == 0 ? 1.0 : 0.0; }))));
    rows.push_back(
        on_sizes(row("tri", 3, [](const Variables& v) {
                     return tri(v[0], v[1], v[2], DType::Int32);
                 }).reference(matrix([](int64_t above) { return above <= 0 ? 1.0 : 0.0; }))));
    auto triangle = [](bool lower) {
        return [lower](const Arrays& in) {
            auto offset = in[1].item<int64_t>();
            return tabulate(in[0].shape(), [&](const Sizes& i) {
                int64_t above = i[i.size() - 1] - i[i.size() - 2] - offset;
                bool kept = lower ? above <= 0 : above >= 0;
                return kept ? in[0].at<double>(i) : 0.0;
            });
        };
    };
    for (bool lower : {true, false})
        rows.push_back(row(lower ? "tril" : "triu", lower ? tril : triu)
                           .reference(triangle(lower))
                           .dtypes(reals_only)
                           .fix(1, DType::Int64)
                           .on(1, whole(-2, 2))
                           .shapes({{{3, 4}, {}}, {{2, 4, 3}, {}}, {{0, 2}, {}}, {{1, 1}, {}}}));
    for (int64_t offset : {0, 2, -1})
        rows.push_back(row("diag_embed", 1,
                           [offset](const Variables& v) {
                               Variable n = size_of(v[0], -1);
                               return diag_embed(v[0], n + std::max<int64_t>(-offset, 0),
                                                 n + std::max<int64_t>(offset, 0), offset);
                           })
                           .reference([offset](const Arrays& in) {
                               Sizes shape = in[0].shape();
                               int64_t n = shape.back();
                               shape.back() = n + std::max<int64_t>(-offset, 0);
                               shape.push_back(n + std::max<int64_t>(offset, 0));
                               return tabulate(shape, [&](Sizes i) {
                                   int64_t column = i.back();
                                   i.pop_back();
                                   if (column - i.back() != offset) return 0.0;
                                   i.back() = std::min(i.back(), column);
                                   return in[0].at<double>(i);
                               });
                           })
                           .dtypes(reals_only)
                           .shapes({{{3}}, {{2, 2}}, {{0}}, {{1}}}));
    return rows;
}

}  // namespace croton::test
