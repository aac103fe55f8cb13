// Products of matrices, against sums of products in long double.
#include "croton/ops/linalg.hpp"
#include "tests/ops/row.hpp"

namespace croton::test {

namespace {
using Arrays = std::vector<Array>;

// sum over k of a[at_a(index, k)] * b[at_b(index, k)]
using Place = std::function<Sizes(const Sizes& index, int64_t k)>;
Array sums_of_products(const Arrays& in, const Sizes& shape, int64_t count, const Place& at_a,
                       const Place& at_b) {
    return tabulate(shape, [&](const Sizes& i) {
        long double total = 0;
        for (int64_t k = 0; k < count; ++k)
            total += static_cast<long double>(in[0].at<double>(at_a(i, k))) *
                     static_cast<long double>(in[1].at<double>(at_b(i, k)));
        return static_cast<double>(total);
    });
}

// Matrices in the last two axes, leading axes broadcast.
Array product(const Arrays& in) {
    Sizes a = in[0].shape(), b = in[1].shape();
    size_t rank = std::max(a.size(), b.size());
    auto lead = [&](const Sizes& s, size_t i) {
        return i + s.size() < rank ? 1 : s[i + s.size() - rank];
    };
    Sizes shape;
    for (size_t i = 0; i + 2 < rank; ++i)
        shape.push_back(lead(a, i) == 1 ? lead(b, i) : lead(a, i));
    shape.push_back(a[a.size() - 2]);
    shape.push_back(b[b.size() - 1]);
    auto place = [rank](const Sizes& of, bool left) {
        return [=](Sizes i, int64_t k) {
            i[left ? rank - 1 : rank - 2] = k;
            return broadcast_index(i, of);
        };
    };
    // A size of 1 in the last two axes is not broadcast, but then the index there is 0 anyway.
    return sums_of_products(in, shape, a.back(), place(a, true), place(b, false));
}

Row products(Row r) {
    return r.within(256).at_scale(1).dtypes(
        {DType::Float64, DType::Float32, DType::Float16, DType::Int32, DType::UInt8});
}

Array as_matrices(const Array& x, bool left) {
    Sizes shape = x.shape();
    if (shape.size() == 1) shape.insert(left ? shape.begin() : shape.end(), 1);
    return x.copy().reshape(shape);
}
Array matmul_reference(const Arrays& in) {
    Array whole = product({as_matrices(in[0], true), as_matrices(in[1], false)});
    Sizes shape = whole.shape();
    if (in[1].rank() == 1) shape.pop_back();
    if (in[0].rank() == 1) shape.erase(shape.end() - (in[1].rank() == 1 ? 1 : 2));
    return whole.reshape(shape);
}

Array dot_reference(const Arrays& in) {
    const Array &a = in[0], &b = in[1];
    if (a.rank() == 0 || b.rank() == 0) {
        const Array& big = a.rank() == 0 ? b : a;
        double factor = (a.rank() == 0 ? a : b).item<double>();
        return tabulate(big.shape(), [&](const Sizes& i) { return big.at<double>(i) * factor; });
    }
    Sizes shape = a.shape();
    shape.pop_back();
    size_t own = shape.size(), summed = b.rank() == 1 ? 0 : static_cast<size_t>(b.rank()) - 2;
    for (size_t i = 0; i < b.shape().size(); ++i)
        if (i != summed) shape.push_back(b.shape()[i]);
    return sums_of_products(
        in, shape, a.shape().back(),
        [own](const Sizes& i, int64_t k) {
            Sizes at(i.begin(), i.begin() + own);
            at.push_back(k);
            return at;
        },
        [own, summed](const Sizes& i, int64_t k) {
            Sizes at(i.begin() + own, i.end());
            at.insert(at.begin() + summed, k);
            return at;
        });
}
}  // namespace

Rows linalg_rows() {
    Rows rows;
    rows.push_back(products(row("matrix_product", matrix_product)
                                .reference(product)
                                .shapes({{{3, 4}, {4, 2}},
                                         {{1, 5}, {5, 1}},
                                         {{3, 1}, {1, 3}},
                                         {{2, 0}, {0, 3}},
                                         {{0, 2}, {2, 3}},
                                         {{2, 3, 4}, {2, 4, 2}},
                                         {{2, 3, 4}, {4, 2}},
                                         {{3, 4}, {2, 4, 2}},
                                         {{2, 1, 2, 3}, {1, 3, 3, 2}},
                                         {{1, 2, 2}, {3, 2, 2}},
                                         {{0, 2, 2}, {2, 2}}})));
    rows.push_back(
        products(
            row("gemm", 5, [](const Variables& v) { return gemm(v[0], v[1], v[2], v[3], v[4]); })
                .reference([](const Arrays& in) {
                    Array whole = product(in);
                    double alpha = in[3].item<double>(), beta = in[4].item<double>();
                    return tabulate(whole.shape(), [&](const Sizes& i) {
                        return alpha * whole.at<double>(i) + beta * in[2].at<double>(i);
                    });
                })
                .shapes({{{3, 4}, {4, 2}, {3, 2}, {}, {}},
                         {{1, 3}, {3, 1}, {1, 1}, {}, {}},
                         {{2, 0}, {0, 2}, {2, 2}, {}, {}},
                         {{2, 2, 3}, {2, 3, 2}, {2, 2, 2}, {}, {}}}))
            .dtypes({DType::Float64, DType::Float32})
            .within(1024));
    rows.push_back(products(row("dot", dot)
                                .reference(dot_reference)
                                .shapes({{{}, {}},
                                         {{}, {2, 3}},
                                         {{3}, {}},
                                         {{4}, {4}},
                                         {{0}, {0}},
                                         {{3, 4}, {4}},
                                         {{4}, {4, 2}},
                                         {{3, 4}, {4, 2}},
                                         {{2, 3, 4}, {4}},
                                         {{2, 3, 4}, {4, 2}},
                                         {{4}, {2, 4, 3}},
                                         {{3, 4}, {2, 4, 2}},
                                         {{2, 0}, {0, 3}},
                                         {{2, 2, 3}, {2, 3, 2}}})));
    rows.push_back(products(row("matmul", matmul)
                                .reference(matmul_reference)
                                .shapes({{{4}, {4}},
                                         {{3, 4}, {4}},
                                         {{4}, {4, 2}},
                                         {{3, 4}, {4, 2}},
                                         {{2, 3, 4}, {4}},
                                         {{4}, {2, 4, 3}},
                                         {{2, 1, 3, 4}, {2, 4, 2}}})));
    rows.push_back(products(
        row("tensordot", 2,
            [](const Variables& v) { return tensordot(v[0], v[1], {0, 2}, {2, 1}); })
            .reference([](const Arrays& in) {
                int64_t n = in[0].shape(0), m = in[0].shape(2);
                return sums_of_products(
                    in, {in[0].shape(1), in[1].shape(0)}, n * m,
                    [m](const Sizes& i, int64_t k) { return Sizes{k / m, i[0], k % m}; },
                    [m](const Sizes& i, int64_t k) { return Sizes{i[1], k % m, k / m}; });
            })
            .shapes({{{2, 3, 4}, {3, 4, 2}}, {{1, 2, 1}, {2, 1, 1}}, {{0, 2, 3}, {2, 3, 0}}})));
    rows.push_back(products(row("outer", outer)
                                .reference([](const Arrays& in) {
                                    return sums_of_products(
                                        in, {in[0].size(), in[1].size()}, 1,
                                        [](const Sizes& i, int64_t) { return Sizes{i[0]}; },
                                        [](const Sizes& i, int64_t) { return Sizes{i[1]}; });
                                })
                                .shapes({{{3}, {2}}, {{1}, {4}}, {{0}, {2}}})));
    rows.push_back(products(row("batched_dot", batched_dot)
                                .reference([](const Arrays& in) {
                                    Array whole = product(in);
                                    return whole;
                                })
                                .shapes({{{2, 3, 4}, {2, 4, 2}}, {{0, 1, 2}, {0, 2, 1}}})));
    rows.push_back(products(row("batched_dot", batched_dot)
                                .reference([](const Arrays& in) {
                                    return sums_of_products(
                                        in, {in[0].shape(0)}, in[0].shape(1),
                                        [](const Sizes& i, int64_t k) { return Sizes{i[0], k}; },
                                        [](const Sizes& i, int64_t k) { return Sizes{i[0], k}; });
                                })
                                .shapes({{{3, 4}, {3, 4}}})));
    return rows;
}

}  // namespace croton::test
