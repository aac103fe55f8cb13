// Indexing and sorting.
#include <algorithm>
#include <numeric>

#include "croton/ops/index.hpp"
#include "croton/ops/sort.hpp"
#include "tests/ops/row.hpp"

namespace croton::test {

namespace {
using Arrays = std::vector<Array>;

const std::vector<DType> reals_only = {DType::Float64, DType::Float32, DType::Float16,
                                       DType::Int16,   DType::UInt8,   DType::Bool};
const std::vector<DType> numbers = {DType::Float64, DType::Float32, DType::BFloat16, DType::Int32,
                                    DType::UInt8};

// Indices of an axis that a slice takes, by walking.
Sizes walk(int64_t size, int64_t first, int64_t stop, int64_t step) {
    Sizes result;
    for (int64_t i = first; step > 0 ? i < stop : i > stop; i += step)
        if (i >= 0 && i < size) result.push_back(i);
    return result;
}

// A float64 copy whose elements a test may change.
Array loose(const Array& x) { return x.cast(DType::Float64).copy(); }
double& element(const Array& x, const Sizes& index) {
    auto place = x.data_as<double>();
    int64_t flat = 0;
    for (size_t i = 0; i < index.size(); ++i) flat = flat * x.shape()[i] + index[i];
    return place[flat];
}
int64_t plain(int64_t position, int64_t size) { return position < 0 ? position + size : position; }

// x[1:, ::-2]
Sizes part_rows(const Array& x) { return walk(x.shape(0), 1, x.shape(0), 1); }
Sizes part_columns(const Array& x) { return walk(x.shape(1), x.shape(1) - 1, -1, -2); }
Variable part(const Variable& x) { return at(x, {Slice(1, {}), Slice({}, {}, -2)}); }
int64_t count(const Sizes& list) { return static_cast<int64_t>(list.size()); }

Array write_part(const Arrays& in, bool add) {
    Array result = loose(in[0]);
    Sizes rows = part_rows(in[0]), columns = part_columns(in[0]);
    for (size_t i = 0; i < rows.size(); ++i)
        for (size_t j = 0; j < columns.size(); ++j) {
            Sizes from =
                broadcast_index({static_cast<int64_t>(i), static_cast<int64_t>(j)}, in[1].shape());
            double value = in[1].at<double>(from);
            double& to = element(result, {rows[i], columns[j]});
            to = add ? to + value : value;
        }
    return result;
}

void add_basic(Rows& rows) {
    rows.push_back(row("subtensor", 1, [](const Variables& v) { return part(v[0]); })
                       .reference([](const Arrays& in) {
                           Sizes first = part_rows(in[0]), second = part_columns(in[0]);
                           return tabulate({count(first), count(second)}, [&](const Sizes& i) {
                               return in[0].at<double>({first[static_cast<size_t>(i[0])],
                                                        second[static_cast<size_t>(i[1])]});
                           });
                       })
                       .dtypes(reals_only)
                       .shapes({{{3, 4}}, {{1, 5}}, {{4, 0}}, {{2, 1}}}));
    // Bounds known when running: x[i, :j]
    rows.push_back(
        row("subtensor", 3, [](const Variables& v) { return at(v[0], {v[1], Slice({}, v[2])}); })
            .reference([](const Arrays& in) {
                int64_t i = plain(in[1].item<int64_t>(), in[0].shape(0));
                int64_t stop = plain(in[2].item<int64_t>(), in[0].shape(1));
                Sizes columns = walk(in[0].shape(1), 0, stop, 1);
                return tabulate({count(columns)},
                                [&](const Sizes& at) { return in[0].at<double>({i, at[0]}); });
            })
            .fix(1, DType::Int64)
            .on(1, whole(-3, 2))
            .fix(2, DType::Int32)
            .on(2, whole(-5, 5))
            .shapes({{{3, 4}, {}, {}}, {{4, 0}, {}, {}}, {{3, 2}, {}, {}}, {{3, 9}, {}, {}}}));
    for (bool add : {false, true})
        rows.push_back(row("set_index", 2,
                           [add](const Variables& v) {
                               return add ? inc_subtensor(part(v[0]), v[1])
                                          : set_subtensor(part(v[0]), v[1]);
                           })
                           .reference([add](const Arrays& in) { return write_part(in, add); })
                           .dtypes(numbers)
                           .on(1, whole(-2, 2))
                           .on(0, whole(0, 3))
                           .shapes({{{3, 4}, {2, 2}},
                                    {{3, 4}, {2}},
                                    {{3, 4}, {}},
                                    {{3, 4}, {2, 1}},
                                    {{1, 3}, {0, 2}},
                                    {{4, 5}, {1, 3}}}));
}

// take along axis 1 of x[a, n, b] at i[j, k]
Array take_reference(const Arrays& in) {
    const Array &x = in[0], &at = in[1];
    Sizes shape{x.shape(0), at.shape(0), at.shape(1), x.shape(2)};
    return tabulate(shape, [&](const Sizes& i) {
        return x.at<double>({i[0], plain(at.at<int64_t>({i[1], i[2]}), x.shape(1)), i[3]});
    });
}

void add_gathers(Rows& rows) {
    auto positions = [](Row r, size_t i) { return r.fix(i, DType::Int32).on(i, whole(-2, 1)); };
    rows.push_back(positions(row("take", 2, [](const Variables& v) { return take(v[0], v[1], 1); })
                                 .reference(take_reference)
                                 .dtypes(reals_only)
                                 .shapes({{{3, 2, 2}, {2, 2}},
                                          {{1, 4, 1}, {1, 3}},
                                          {{2, 3, 2}, {0, 2}},
                                          {{0, 2, 3}, {1, 2}}}),
                             1));
    for (const char* mode : {"wrap", "clip"})
        rows.push_back(
            row("take", 2, [mode](const Variables& v) { return take(v[0], v[1], 0, mode); })
                .reference([mode](const Arrays& in) {
                    int64_t size = in[0].shape(0);
                    return tabulate(in[1].shape(), [&](const Sizes& i) {
                        auto at = in[1].at<int64_t>(i);
                        if (mode[0] == 'w') at = (at % size + size) % size;
                        return in[0].at<double>({std::clamp<int64_t>(at, 0, size - 1)});
                    });
                })
                .fix(1, DType::Int64)
                .on(1, whole(-9, 9))
                .shapes({{{4}, {5}}, {{1}, {3}}}));
    // Two arrays of positions that broadcast against each other.
    rows.push_back(positions(
        positions(row("take", 3,
                      [](const Variables& v) { return gather(v[0], {v[1], v[2]}, 0, "raise"); })
                      .reference([](const Arrays& in) {
                          const Array& x = in[0];
                          Sizes shape{in[1].shape(0), in[2].shape(0), x.shape(2)};
                          return tabulate(shape, [&](const Sizes& i) {
                              return x.at<double>({plain(in[1].at<int64_t>({i[0], 0}), x.shape(0)),
                                                   plain(in[2].at<int64_t>({i[1]}), x.shape(1)),
                                                   i[2]});
                          });
                      })
                      .shapes({{{3, 2, 2}, {3, 1}, {2}}, {{2, 4, 1}, {1, 1}, {3}}}),
                  1),
        2));
    rows.push_back(positions(
        row("put", 3, [](const Variables& v) { return inc_subtensor(take(v[0], v[1], 1), v[2]); })
            .reference([](const Arrays& in) {
                Array result = loose(in[0]);
                Sizes shape{in[0].shape(0), in[1].shape(0)};
                for_each_index(shape, [&](const Sizes& i) {
                    int64_t to = plain(in[1].at<int64_t>({i[1]}), in[0].shape(1));
                    element(result, {i[0], to}) +=
                        in[2].at<double>(broadcast_index(i, in[2].shape()));
                });
                return result;
            })
            .dtypes(numbers)
            .on(0, whole(0, 3))
            .on(2, whole(0, 3))
            .shapes({{{2, 3}, {4}, {2, 4}},
                     {{3, 2}, {3}, {3}},
                     {{2, 2}, {5}, {}},
                     {{2, 2}, {0}, {2, 0}},
                     {{3, 2}, {3}, {3, 1}}}),
        1));
    // Different positions: with repeated ones the gradient of set is not defined.
    rows.push_back(row("put", 2,
                       [](const Variables& v) {
                           Array places = Array::of<int64_t>({2, -4, 1});
                           return set_subtensor(at(v[0], {places}), v[1]);
                       })
                       .reference([](const Arrays& in) {
                           Array result = loose(in[0]);
                           const int64_t places[] = {2, in[0].shape(0) - 4, 1};
                           for_each_index({3, in[0].shape(1)}, [&](const Sizes& i) {
                               element(result, {places[i[0]], i[1]}) =
                                   in[1].at<double>(broadcast_index(i, in[1].shape()));
                           });
                           return result;
                       })
                       .dtypes(reals_only)
                       .shapes({{{4, 2}, {3, 2}}, {{7, 3}, {3}}, {{4, 1}, {}}}));
    rows.push_back(positions(
        row("take_along_axis", 2, [](const Variables& v) { return take_along_axis(v[0], v[1], 0); })
            .reference([](const Arrays& in) {
                Sizes shape{in[1].shape(0), in[0].shape(1)};
                return tabulate(shape, [&](const Sizes& i) {
                    auto at = in[1].at<int64_t>(broadcast_index(i, in[1].shape()));
                    return in[0].at<double>({plain(at, in[0].shape(0)), i[1]});
                });
            })
            .dtypes(reals_only)
            .shapes({{{2, 3}, {4, 3}}, {{3, 2}, {1, 1}}, {{2, 2}, {0, 2}}, {{5, 1}, {2, 1}}}),
        1));
    rows.push_back(positions(
        row("position_along", 2, [](const Variables& v) { return position_along(v[0], v[1], 1); })
            .reference([](const Arrays& in) {
                return tabulate(in[1].shape(),
                                [&](const Sizes& i) {
                                    return static_cast<double>(
                                        plain(in[1].at<int64_t>(i), in[0].shape(1)));
                                })
                    .cast(DType::Int64);
            })
            .dtypes({DType::Float64, DType::Bool})
            .no_gradient()
            .shapes({{{2, 3}, {4, 3}}, {{3, 2}, {1}}, {{0, 2}, {3}}, {{2, 2}, {0, 2}}}),
        1));
    // x[:, i, None, ::-1, j]: arrays apart, so their axis comes first.
    rows.push_back(
        positions(row("advanced_index", 2,
                      [](const Variables& v) {
                          return at(v[0], {everything, v[1], newaxis, Slice({}, {}, -1), 1});
                      })
                      .reference([](const Arrays& in) {
                          const Array& x = in[0];
                          Sizes shape{in[1].shape(0), x.shape(0), 1, x.shape(2)};
                          return tabulate(shape, [&](const Sizes& i) {
                              int64_t place = plain(in[1].at<int64_t>({i[0]}), x.shape(1));
                              return x.at<double>({i[1], place, x.shape(2) - 1 - i[3], 1});
                          });
                      })
                      .dtypes(reals_only)
                      .shapes({{{2, 3, 2, 2}, {4}}, {{1, 2, 3, 3}, {1}}}),
                  1));
    rows.push_back(row("nonzero", nonzero)
                       .reference([](const Arrays& in) {
                           std::vector<Sizes> found;
                           for_each_index(in[0].shape(), [&](const Sizes& i) {
                               if (in[0].at<double>(i) != 0) found.push_back(i);
                           });
                           Sizes shape{in[0].rank(), static_cast<int64_t>(found.size())};
                           return tabulate(shape, [&](const Sizes& i) {
                               return static_cast<double>(
                                   found[static_cast<size_t>(i[1])][static_cast<size_t>(i[0])]);
                           });
                       })
                       .on(whole(0, 1))
                       .dtypes(reals_only)
                       .shapes({{{3, 4}}, {{5}}, {{0, 2}}})
                       .no_gradient());
}

// Positions of one line sorted by its values.
std::vector<int64_t> order_of(const Array& x, Sizes index, size_t axis) {
    std::vector<int64_t> order(static_cast<size_t>(x.shape()[axis]));
    std::iota(order.begin(), order.end(), 0);
    auto at = [&](int64_t i) {
        index[axis] = i;
        return x.at<double>(index);
    };
    std::sort(order.begin(), order.end(),
              [&](int64_t i, int64_t j) { return std::pair(at(i), i) < std::pair(at(j), j); });
    return order;
}
}  // namespace

Rows index_rows() {
    Rows rows;
    add_basic(rows);
    add_gathers(rows);
    return rows;
}

Rows sort_rows() {
    Rows rows;
    for (int64_t axis : {0, 1}) {
        auto along = static_cast<size_t>(axis);
        rows.push_back(row("sort", 1, [axis](const Variables& v) { return sort(v[0], axis); })
                           .reference([along](const Arrays& in) {
                               return tabulate(in[0].shape(), [&](Sizes i) {
                                   auto order = order_of(in[0], i, along);
                                   i[along] = order[static_cast<size_t>(i[along])];
                                   return in[0].at<double>(i);
                               });
                           })
                           .dtypes(reals_only)
                           .shapes({{{4, 3}}, {{1, 5}}, {{0, 2}}, {{6, 1}}}));
        rows.push_back(row("argsort", 1, [axis](const Variables& v) { return argsort(v[0], axis); })
                           .reference([along](const Arrays& in) {
                               return tabulate(in[0].shape(), [&](const Sizes& i) {
                                   auto order = order_of(in[0], i, along);
                                   return static_cast<double>(order[static_cast<size_t>(i[along])]);
                               });
                           })
                           .on(whole(0, 3))
                           .dtypes(reals_only)
                           .shapes({{{4, 3}}, {{1, 5}}, {{0, 2}}, {{6, 1}}})
                           .no_gradient());
    }
    return rows;
}

}  // namespace croton::test
