#include "tests/ops/row.hpp"

#include <algorithm>

#include "croton/base/hash.hpp"

namespace croton::test {

namespace {
// In (0, 1), from a counter.
double uniform(uint64_t seed, uint64_t counter) {
    uint64_t bits = mix(mix(seed + 0x9e3779b97f4a7c15u) + counter * 0xbf58476d1ce4e5b9u);
    return (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53;
}
double element(Domain domain, uint64_t seed, uint64_t counter) {
    double u = uniform(seed, counter);
    if (domain.whole) return domain.low + std::floor(u * (domain.high - domain.low + 1));
    return domain.low + u * (domain.high - domain.low);
}
}  // namespace

Array draw(DType dtype, const Sizes& shape, Domain domain, uint64_t seed) {
    if (is_bool(dtype)) domain = test::whole(0, 1);
    if (is_unsigned(dtype)) domain.low = std::max(domain.low, 0.0);
    bool paired = is_complex(dtype);
    Array result = Array::empty(paired ? DType::Complex128 : DType::Float64, shape);
    int64_t count = result.size() * (paired ? 2 : 1);
    auto out = static_cast<double*>(result.data());
    for (int64_t i = 0; i < count; ++i) out[i] = element(domain, seed, static_cast<uint64_t>(i));
    return result.cast(dtype);
}

bool Row::any_gradient() const {
    return std::find(differentiated.begin(), differentiated.end(), true) != differentiated.end();
}

std::vector<std::vector<Sizes>> Row::all_shapes() const {
    if (!cases.empty()) return cases;
    if (arity == 1) return {{{}}, {{5}}, {{0}}, {{3, 4}}, {{2, 0, 3}}, {{2, 3, 1}}};
    if (arity == 2)
        return {{{}, {}},   {{5}, {5}},       {{3, 4}, {4}},       {{3, 1}, {1, 4}}, {{}, {2, 3}},
                {{1}, {0}}, {{3, 4}, {3, 4}}, {{2, 1, 3}, {4, 1}}, {{0, 3}, {1, 3}}};
    return {{{}, {}, {}},      {{4}, {4}, {4}}, {{3, 1}, {1, 4}, {}},
            {{}, {3}, {2, 3}}, {{0}, {1}, {0}}, {{3, 4}, {3, 4}, {4}}};
}

void for_each_index(const Sizes& shape, const std::function<void(const Sizes&)>& f) {
    if (element_count(shape) == 0) return;
    Sizes index(shape.size(), 0);
    while (true) {
        f(index);
        size_t axis = shape.size();
        while (axis > 0 && ++index[axis - 1] == shape[axis - 1]) index[--axis] = 0;
        if (axis == 0) return;
    }
}

Sizes broadcast_index(const Sizes& index, const Sizes& shape) {
    Sizes result(shape.size(), 0);
    for (size_t i = 0; i < shape.size(); ++i)
        if (shape[i] != 1) result[i] = index[i + index.size() - shape.size()];
    return result;
}

Array tabulate(const Sizes& shape, const std::function<double(const Sizes&)>& f) {
    Array result = Array::empty(DType::Float64, shape);
    auto out = static_cast<double*>(result.data());
    for_each_index(shape, [&](const Sizes& index) { *out++ = f(index); });
    return result;
}

Array strided_copy(const Array& x) {
    // Axis i has stride 2 * (sizes before it): Fortran order with gaps; axis 0 runs backwards.
    Sizes strides = x.shape();
    int64_t step = 2 * dtype_size(x.dtype()), start = 0;
    for (size_t i = 0; i < strides.size(); ++i) {
        strides[i] = step;
        step *= std::max<int64_t>(x.shape()[i], 1);
    }
    auto memory = allocate_aligned(static_cast<size_t>(std::max<int64_t>(step, 1)));
    if (x.rank() > 0 && x.shape(0) > 0) {
        start = strides[0] * (x.shape(0) - 1);
        strides[0] = -strides[0];
    }
    Array result = Array::view(x.dtype(), x.shape(), strides,
                               static_cast<char*>(memory.get()) + start, memory);
    result.assign(x);
    return result;
}

}  // namespace croton::test
