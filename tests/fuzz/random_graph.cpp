#include "tests/fuzz/random_graph.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "croton/base/format.hpp"
#include "croton/grad/grad.hpp"
#include "croton/graph/text.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/control.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/scan.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/sort.hpp"
#include "croton/ops/special.hpp"

namespace croton::test {

namespace {

// A value of the graph and what is known about it.
struct Entry {
    Variable v;
    Sizes shape;
    bool exact = false;  ///< computed without rounding
    double bound = 0;    ///< no finite element is larger
    int64_t size() const { return element_count(shape); }
    int rank() const { return static_cast<int>(shape.size()); }
};
using Made = std::optional<Entry>;

std::optional<Sizes> broadcast(const Sizes& a, const Sizes& b) {
    Sizes result(std::max(a.size(), b.size()), 1);
    for (const Sizes* s : {&a, &b})
        for (size_t i = 0; i < s->size(); ++i) {
            int64_t& to = result[result.size() - s->size() + i];
            int64_t size = (*s)[i];
            if (to != 1 && size != 1 && to != size) return {};
            if (size != 1) to = size;
        }
    return result;
}

// Python's rule; what is left out is nothing.
int64_t slice_length(int64_t size, std::optional<int64_t> start, std::optional<int64_t> stop,
                     int64_t step) {
    int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
    auto place = [&](std::optional<int64_t> at, int64_t otherwise) {
        if (!at) return otherwise;
        return std::clamp(*at < 0 ? *at + size : *at, low, high);
    };
    int64_t first = place(start, step > 0 ? low : high), last = place(stop, step > 0 ? high : low);
    int64_t length = (last - first + step + (step > 0 ? -1 : 1)) / step;
    return std::max<int64_t>(length, 0);
}

class Maker {
  public:
    explicit Maker(uint64_t seed) : random_(seed) { graph_.seed = seed; }

    RandomGraph run() {
        for (auto& size : sizes_) size = std::vector<int64_t>{0, 1, 1, 2, 3, 4, 5, 7}[below(8)];
        if (sizes_[0] == 0 && chance(0.7)) sizes_[0] = 3;
        for (size_t i = 0, count = 2 + below(3); i < count; ++i) make_input();
        for (size_t i = 0, count = 4 + below(16); i < count; ++i) grow();
        for (size_t i = 0, count = 1 + below(3); i < count; ++i)
            graph_.outputs.push_back(
                pool_[pool_.size() - 1 - below(std::min<size_t>(pool_.size(), 4))].v);
        if (chance(0.25)) differentiate();
        return std::move(graph_);
    }

  private:
    // --- chance
    size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }
    int64_t between(int64_t low, int64_t high) {
        return std::uniform_int_distribution<int64_t>(low, high)(random_);
    }
    bool chance(double p) { return std::uniform_real_distribution<double>(0, 1)(random_) < p; }
    const Entry& any() {  // rather a late one: graphs become deep
        size_t n = pool_.size();
        return pool_[chance(0.6) ? n - 1 - below(std::min<size_t>(n, 4)) : below(n)];
    }
    template <class Accept>
    const Entry* find(Accept accept) {
        for (int i = 0; i < 12; ++i)
            if (const Entry& e = any(); accept(e)) return &e;
        return nullptr;
    }

    // --- inputs
    void make_input() {
        static const std::vector<DType> dtypes = {DType::Float64, DType::Float64,   DType::Float64,
                                                  DType::Float32, DType::Float32,   DType::Int64,
                                                  DType::Int32,   DType::Int8,      DType::UInt8,
                                                  DType::Bool,    DType::Complex128};
        DType dtype = graph_.inputs.empty() ? DType::Float64 : dtypes[below(dtypes.size())];
        Dims dims;
        Sizes shape;
        static const char* names[] = {"a", "b", "c"};
        for (size_t axis = 0, rank = below(4); axis < rank; ++axis) {
            size_t which = below(4);
            int64_t size = which == 3 ? 1 : sizes_[which];
            shape.push_back(size);
            switch (below(3)) {
                case 0: dims.push_back(Dim()); break;
                case 1: dims.push_back(Dim(size)); break;
                default:
                    dims.push_back(which == 3 ? Dim(1)
                                              : Dim::symbol(cat(names[which], graph_.seed)));
            }
        }
        auto name = cat("x", graph_.inputs.size());
        Variable v = input(TensorType{dtype, dims}, name);
        graph_.inputs.push_back(v);
        graph_.values.push_back(make_values(dtype, shape));
        pool_.push_back({v, shape, true, is_continuous(dtype) ? 3.0 : 9.0});
    }

    Array make_values(DType dtype, const Sizes& shape) {
        std::vector<double> values;
        for (int64_t i = 0; i < element_count(shape); ++i) {
            double x = static_cast<double>(between(-24, 24)) / 8;
            if (!is_continuous(dtype))
                x = static_cast<double>(between(is_unsigned(dtype) ? 0 : -5, 9));
            values.push_back(is_bool(dtype) ? (x > 2) : x);
        }
        Array real = Array::of(values, shape);
        if (!is_complex(dtype)) return real.cast(dtype);
        std::vector<std::complex<double>> complex;
        for (double x : values) complex.emplace_back(x, static_cast<double>(between(-24, 24)) / 8);
        return Array::of(complex, shape);
    }

    // --- growing
    void grow() {
        using Step = Made (Maker::*)();
        static const std::vector<Step> steps = {
            &Maker::smooth,      &Maker::smooth,  &Maker::smooth, &Maker::binary,
            &Maker::binary,      &Maker::binary,  &Maker::jump,   &Maker::compare,
            &Maker::logic,       &Maker::choose,  &Maker::fold,   &Maker::fold,
            &Maker::fold,        &Maker::turn,    &Maker::turn,   &Maker::refold_shape,
            &Maker::part,        &Maker::part,    &Maker::update, &Maker::pick_rows,
            &Maker::product,     &Maker::product, &Maker::normal, &Maker::convert,
            &Maker::append,      &Maker::stretch, &Maker::number, &Maker::number,
            &Maker::idiom,       &Maker::idiom,   &Maker::sorted, &Maker::whole,
            &Maker::alternative, &Maker::repeat,  &Maker::repeat,
        };
        for (int attempt = 0; attempt < 20; ++attempt) {
            Made made = (this->*steps[below(steps.size())])();
            if (!made || !acceptable(*made)) continue;
            graph_.made.push_back(made->v);
            pool_.push_back(std::move(*made));
            return;
        }
    }

    static double largest(DType dtype) {
        switch (dtype) {
            case DType::Bool: return 1;
            case DType::Int8: return 128;
            case DType::UInt8: return 255;
            case DType::Float32: return 300;
            case DType::Float64:
            case DType::Complex128: return 1e4;
            default: return 1e9;
        }
    }
    bool acceptable(Entry& e) {
        DType dtype = e.v.dtype();
        if (is_complex(dtype) && dtype != DType::Complex128) return false;
        if (e.size() > 2000 || e.rank() > 4) return false;
        if (!is_continuous(dtype)) {
            if (!e.exact) return false;
            if (dtype_size(dtype) == 1) e.bound = std::min(e.bound, largest(dtype));
        }
        if (is_complex(dtype)) e.exact = false;
        return e.bound <= largest(dtype);
    }
    static bool real_number(const Entry& e) {
        return !is_complex(e.v.dtype()) && !is_bool(e.v.dtype());
    }
    static bool floats(const Entry& e) { return is_floating(e.v.dtype()); }

    // --- elementwise
    Made smooth() {
        const Entry* e = find(real_number);
        if (!e) return {};
        const Variable& x = e->v;
        double b = e->bound;
        auto like = [&](Variable v, double bound) {
            return Made({std::move(v), e->shape, false, bound});
        };
        switch (below(18)) {
            case 0: return like(sin(x), 1);
            case 1: return like(cos(x), 1);
            case 2: return like(tanh(x), 1);
            case 3: return like(sigmoid(x), 1);
            case 4: return like(softplus(x), b + 1);
            case 5: return like(erf(x), 1);
            case 6: return b < 8 ? like(exp(x), std::exp(b)) : Made();
            case 7: return b < 8 ? like(expm1(x), std::exp(b)) : Made();
            case 8: return like(log1p(abs(x)), b);
            case 9: return like(sqrt(abs(x) + 0.5), b + 1);
            case 10: return like(sqr(x), b * b);
            case 11: return Made({abs(x), e->shape, e->exact, b});
            case 12: return Made({-x, e->shape, e->exact, is_unsigned(x.dtype()) ? 1e9 : b});
            case 13: return like(arctan(x), 2);
            case 14: return like(log(abs(x) + 0.5), b + 1);
            case 15: return like(reciprocal(abs(x) + 0.5), 2);
            case 16: return e->exact ? like(log(x), b + 3) : Made();  // NaN and -inf too
            default: return e->exact ? like(reciprocal(x), 8) : Made();
        }
    }

    struct Pair {
        const Entry *x, *y;
        Sizes shape;
    };
    template <class Accept>
    std::optional<Pair> pair(Accept accept) {
        const Entry* x = find(accept);
        if (!x) return {};
        const Entry* y =
            find([&](const Entry& e) { return accept(e) && broadcast(x->shape, e.shape); });
        if (!y) return {};
        return Pair{x, y, *broadcast(x->shape, y->shape)};
    }
    static bool anything(const Entry&) { return true; }
    static bool exactly(const Entry& e) { return e.exact && !is_complex(e.v.dtype()); }

    Made binary() {
        auto p = pair([](const Entry& e) { return !is_bool(e.v.dtype()); });
        if (!p) return {};
        const Variable &x = p->x->v, &y = p->y->v;
        double a = p->x->bound, b = p->y->bound;
        bool exact = p->x->exact && p->y->exact;
        bool complex = is_complex(x.dtype()) || is_complex(y.dtype());
        auto made = [&](Variable v, double bound, bool keeps = false) {
            bool whole = !is_continuous(v.dtype());
            return Made({std::move(v), p->shape, exact && (keeps || whole), bound});
        };
        switch (below(complex ? 4 : 11)) {
            case 0: return made(x + y, a + b, true);
            case 1: return made(x - y, a + b, true);
            case 2:
            case 3: return made(x * y, a * b);
            case 4: return made(maximum(x, y), std::max(a, b), true);
            case 5: return made(minimum(x, y), std::max(a, b), true);
            case 6: return made(x / (abs(y) + 0.5), 2 * a);
            case 7: return p->y->exact ? made(x / y, 8 * a) : Made();
            case 8: return made(hypot(x, y), a + b);
            case 9: return made(logaddexp(x, y), a + b + 1);
            default: {
                bool whole = !is_continuous(x.dtype()) && !is_continuous(y.dtype());
                if (!whole) return {};
                return chance(0.5) ? made(floor_div(x, y), a) : made(mod(x, y), b);
            }
        }
    }

    Made jump() {
        const Entry* e = find([](const Entry& e) { return exactly(e) && real_number(e); });
        if (!e) return {};
        const Variable& x = e->v;
        Variable v = std::vector<std::function<Variable()>>{
            [&] { return floor(x); }, [&] { return ceil(x); }, [&] { return trunc(x); },
            [&] { return rint(x); }, [&] { return sign(x); }}[below(5)]();
        return Made({v, e->shape, true, e->bound + 1});
    }

    Made compare() {
        auto p = pair(exactly);
        if (!p) return {};
        const Variable &x = p->x->v, &y = p->y->v;
        Variable v = std::vector<std::function<Variable()>>{
            [&] { return x < y; },  [&] { return x <= y; },   [&] { return x > y; },
            [&] { return x >= y; }, [&] { return eq(x, y); }, [&] { return ne(x, y); }}[below(6)]();
        return Made({v, p->shape, true, 1});
    }

    Made logic() {
        auto p = pair([](const Entry& e) { return !is_continuous(e.v.dtype()); });
        if (!p) return {};
        const Variable &x = p->x->v, &y = p->y->v;
        double bound = 2 * (p->x->bound + p->y->bound);
        // uint64 and a signed integer meet in float64, which has no bits to combine.
        bool bits = !is_continuous(promote(x.dtype(), y.dtype()));
        switch (below(bits ? 6 : 3)) {
            case 0: return Made({logical_and(x, y), p->shape, true, 1});
            case 1: return Made({logical_or(x, y), p->shape, true, 1});
            case 2: return Made({logical_not(x), p->x->shape, true, 1});
            case 3: return Made({x & y, p->shape, true, bound});
            case 4: return Made({x | y, p->shape, true, bound});
            default: return Made({x ^ y, p->shape, true, bound});
        }
    }

    Made choose() {
        const Entry* c = find([](const Entry& e) { return is_bool(e.v.dtype()); });
        auto p = pair(anything);
        if (!c || !p) return {};
        auto shape = broadcast(c->shape, p->shape);
        if (!shape) return {};
        return Made({where(c->v, p->x->v, p->y->v), *shape, p->x->exact && p->y->exact,
                     std::max(p->x->bound, p->y->bound)});
    }

    // Plain numbers beside variables: what the algebra rules gather.
    Made number() {
        const Entry* e = find([](const Entry& e) { return !is_bool(e.v.dtype()); });
        if (!e) return {};
        const Variable& x = e->v;
        double b = e->bound;
        auto keeps = [&](Variable v, double bound) {
            return Made({std::move(v), e->shape, e->exact, bound});
        };
        auto loses = [&](Variable v, double bound) {
            bool whole = !is_continuous(v.dtype());
            return Made({std::move(v), e->shape, whole && e->exact, bound});
        };
        switch (below(14)) {
            case 0: return keeps(x + 0, b);
            case 1: return keeps(x * 1, b);
            case 2: return keeps(x + 2, b + 2);
            case 3: return keeps(x - 3, is_unsigned(x.dtype()) ? 1e9 : b + 3);
            case 4: return keeps(1 - x, is_unsigned(x.dtype()) ? 1e9 : b + 1);
            case 5: return loses(x * 3, 3 * b);
            case 6: return floats(*e) ? loses(x * 0.5, b) : Made();
            case 7: return loses(x / 4, b);
            case 8: return loses(x / 3, b);
            case 9: return loses(pow(x, 2), b * b);
            case 10: return loses(pow(x, 3), b * b * b);
            case 11: return loses(pow(x, 1), b);
            case 12: return is_signed_integer(x.dtype()) || floats(*e) ? keeps(x * -1, b) : Made();
            default: return floats(*e) ? loses(1.5 / (x * x + 1), 1.5) : Made();
        }
    }

    // What people write for what there are better words.
    Made idiom() {
        const Entry* e = find([](const Entry& e) { return floats(e) && e.bound < 8; });
        if (!e) return {};
        const Variable& x = e->v;
        double b = e->bound;
        auto like = [&](Variable v, double bound) {
            return Made({std::move(v), e->shape, false, bound});
        };
        switch (below(12)) {
            case 0: return like(log(1 + exp(x)), b + 1);
            case 1: return like(1 / (1 + exp(-x)), 1);
            case 2: return like(log(sigmoid(x)), b + 1);
            case 3: return like(log(1 - sigmoid(x)), b + 1);
            case 4: return like(exp(x) / (1 + exp(x)), 1);
            case 5: return like(log(exp(x) + 1e-3), b + 7);
            case 6: return like(sqrt(sqr(x)), b);
            case 7: return like(1 - erf(x), 2);
            case 8: return like(exp(x) - 1, std::exp(b));
            case 9: return like(-(x * -x), b * b);
            case 10: {
                if (e->rank() == 0 || e->shape[e->shape.size() - 1] == 0) return {};
                Variable p = exp(x) / sum(exp(x), -1, true);
                return like(chance(0.5) ? p : log(p), 2 * b + 3);
            }
            default: {
                if (e->rank() == 0 || e->shape[e->shape.size() - 1] == 0) return {};
                Variable centred = x - mean(x, -1, true);
                return like(centred / sqrt(mean(sqr(centred), -1, true) + 0.25), 4 * b);
            }
        }
    }

    // --- folding
    Made fold() {
        const Entry* e = find(anything);
        if (!e || e->rank() == 0) return {};
        Ints axes;
        Sizes shape;
        bool keep = chance(0.4);
        int64_t folded = 1;
        for (int axis = 0; axis < e->rank(); ++axis) {
            int64_t size = e->shape[static_cast<size_t>(axis)];
            if (chance(0.55)) {
                axes.push_back(axis - (chance(0.3) ? e->rank() : 0));
                folded *= size;
                if (keep) shape.push_back(1);
            } else {
                shape.push_back(size);
            }
        }
        const Variable& x = e->v;
        DType dtype = x.dtype();
        bool whole = !is_continuous(dtype);
        double b = e->bound, count = static_cast<double>(folded);
        auto made = [&](Variable v, double bound, bool exact) {
            return Made({std::move(v), shape, exact, bound});
        };
        switch (below(12)) {
            case 0:
            case 1:
            case 2: return made(sum(x, axes, keep), b * count, e->exact && b * count < 1e4);
            case 3:
                if (is_complex(dtype)) return {};
                return made(prod(x, axes, keep), std::pow(std::max(b, 1.0), count), whole);
            case 4:
                if (folded == 0) return {};
                return made(mean(x, axes, keep), b, false);
            case 5:
            case 6:
                if (folded == 0 || is_complex(dtype)) return {};
                return made(chance(0.5) ? max(x, axes, keep) : min(x, axes, keep), b, e->exact);
            case 7:
                if (!exactly(*e) || folded == 0 || axes.empty()) return {};
                return made(chance(0.5) ? argmax(x, axes, keep) : argmin(x, axes, keep), count,
                            true);
            case 8:
                if (!exactly(*e)) return {};
                return made(chance(0.5) ? croton::any(x, axes, keep) : all(x, axes, keep), 1, true);
            case 9:
                if (folded == 0 || !floats(*e) || axes.empty()) return {};
                return made(logsumexp(x, axes, keep), b + count, false);
            case 10:
                if (folded == 0 || is_complex(dtype)) return {};
                return made(var(x, axes, 0, keep), b * b, false);
            default: return made(sum(sqr(x), axes, keep), b * b * count, false);
        }
    }

    Made normal() {
        const Entry* e = find([](const Entry& e) { return floats(e) && e.rank() > 0; });
        if (!e) return {};
        auto axis = static_cast<int64_t>(below(static_cast<size_t>(e->rank())));
        if (e->shape[static_cast<size_t>(axis)] == 0 || e->bound > 100) return {};
        if (chance(0.6)) return Made({softmax(e->v, axis), e->shape, false, 1});
        return Made({log_softmax(e->v, axis), e->shape, false, 2 * e->bound + 3});
    }

    // --- shapes
    Made turn() {
        const Entry* e = find(anything);
        if (!e) return {};
        Ints order;
        for (int axis = 0; axis < e->rank(); ++axis) order.push_back(axis);
        std::shuffle(order.begin(), order.end(), random_);
        while (order.size() < 4 && chance(0.3))
            order.insert(order.begin() + static_cast<long>(below(order.size() + 1)), new_axis);
        Sizes shape;
        for (int64_t axis : order)
            shape.push_back(axis < 0 ? 1 : e->shape[static_cast<size_t>(axis)]);
        return Made({dimshuffle(e->v, order), shape, e->exact, e->bound});
    }

    Made refold_shape() {
        const Entry* e = find(anything);
        if (!e) return {};
        int64_t size = e->size();
        if (e->rank() >= 2 && size > 0 && chance(0.3)) {  // two axes as one, by their sizes
            Variable both = size_of(e->v, 0) * size_of(e->v, 1);
            Sizes shape{e->shape[0] * e->shape[1], size / (e->shape[0] * e->shape[1])};
            return Made({reshape(e->v, {both, -1}), shape, e->exact, e->bound});
        }
        if (chance(0.4)) return Made({flatten(e->v), Sizes{size}, e->exact, e->bound});
        for (int64_t first : {2, 3, 4, 5, 7})
            if (size > 0 && size % first == 0 && chance(0.6)) {
                bool ahead = chance(0.5);
                Sizes shape = ahead ? Sizes{first, size / first} : Sizes{size / first, first};
                Ints wanted = ahead ? Ints{first, -1} : Ints{-1, first};
                return Made({reshape(e->v, wanted), shape, e->exact, e->bound});
            }
        return Made({reshape(e->v, shape_of(*e)), e->shape, e->exact, e->bound});
    }
    static ShapeArg shape_of(const Entry& e) { return ShapeArg(shape(e.v), e.rank()); }

    struct Window {
        Variable v;
        Sizes shape;
    };
    std::optional<Window> window(const Entry& e) {
        Index index;
        Sizes shape;
        for (size_t axis = 0; axis < e.shape.size(); ++axis) {
            int64_t size = e.shape[axis];
            if (size > 0 && chance(0.25)) {
                index.emplace_back(between(-size, size - 1));
            } else if (chance(0.3)) {
                index.emplace_back(everything);
                shape.push_back(size);
            } else {
                std::optional<int64_t> start, stop;
                int64_t step = chance(0.6) ? 1 : between(1, 3) * (chance(0.5) ? 1 : -1);
                SliceEnd from, to;
                if (chance(0.6)) start = between(-size - 1, size + 1), from = SliceEnd(*start);
                if (chance(0.4)) stop = between(-size - 1, size + 1), to = SliceEnd(*stop);
                if (!stop && step > 0 && chance(0.3)) {  // a bound that is computed
                    stop = size - 1;
                    to = SliceEnd(size_of(e.v, static_cast<int64_t>(axis)) - 1);
                }
                index.emplace_back(Slice(from, to, SliceEnd(step)));
                shape.push_back(slice_length(size, start, stop, step));
            }
        }
        if (chance(0.15)) index.emplace_back(newaxis), shape.push_back(1);
        if (index.empty()) return {};
        return Window{at(e.v, index), shape};
    }
    Made part() {
        const Entry* e = find([](const Entry& e) { return e.rank() > 0; });
        if (!e) return {};
        auto w = window(*e);
        return w ? Made({w->v, w->shape, e->exact, e->bound}) : Made();
    }
    Made update() {
        const Entry* e = find([](const Entry& e) { return e.rank() > 0 && !is_bool(e.v.dtype()); });
        if (!e) return {};
        auto w = window(*e);
        if (!w) return {};
        const Entry* y = find([&](const Entry& y) {
            auto both = broadcast(w->shape, y.shape);
            return y.v.dtype() == e->v.dtype() && both && *both == w->shape;
        });
        bool set = chance(0.5);
        Variable value = y ? y->v : cast(constant(Array::scalar(int64_t{2})), e->v.dtype());
        double b = y ? y->bound : 2;
        return Made({set ? set_subtensor(w->v, value) : inc_subtensor(w->v, value), e->shape,
                     e->exact && (!y || y->exact), e->bound + b});
    }
    Made pick_rows() {
        const Entry* e = find([](const Entry& e) { return e.rank() > 0 && e.shape[0] > 0; });
        if (!e) return {};
        std::vector<int64_t> places;
        for (size_t i = 0, count = below(5); i < count; ++i)
            places.push_back(between(-e->shape[0], e->shape[0] - 1));
        auto count = static_cast<int64_t>(places.size());
        Sizes shape = e->shape;
        shape[0] = count;
        return Made(
            {take(e->v, constant(Array::of(places, Sizes{count}))), shape, e->exact, e->bound});
    }
    Made append() {
        const Entry* x = find([](const Entry& e) { return e.rank() > 0; });
        if (!x) return {};
        const Entry* y = find([&](const Entry& e) {
            return e.shape.size() == x->shape.size() &&
                   std::equal(e.shape.begin() + 1, e.shape.end(), x->shape.begin() + 1);
        });
        if (!y) return {};
        Sizes shape = x->shape;
        shape[0] += y->shape[0];
        return Made({concatenate({x->v, y->v}, 0), shape, x->exact && y->exact,
                     std::max(x->bound, y->bound)});
    }
    Made stretch() {
        auto p = pair(anything);
        if (!p) return {};
        const Entry &x = *p->x, &y = *p->y;
        if (p->shape == y.shape && chance(0.5)) {
            if (chance(0.5)) return Made({broadcast_like(x.v, y.v), y.shape, x.exact, x.bound});
            if (x.v.dtype() == y.v.dtype())
                return Made({fill(y.v, x.v), y.shape, x.exact, x.bound});
        }
        if (p->shape == y.shape && !is_bool(y.v.dtype())) {
            double count =
                static_cast<double>(y.size()) / std::max<double>(1, static_cast<double>(x.size()));
            return Made({sum_to(y.v, x.v), x.shape, y.exact, y.bound * std::max(count, 1.0)});
        }
        return Made({zeros_like(x.v) + x.v, x.shape, x.exact, x.bound});
    }

    // --- the rest
    Made product() {
        const Entry* x = find([](const Entry& e) { return e.rank() > 0 && !is_bool(e.v.dtype()); });
        if (!x) return {};
        int64_t inner = x->shape[x->shape.size() - 1];
        if (x->rank() > 2) return {};
        const Entry* y = find([&](const Entry& e) {
            return (e.rank() == 1 || e.rank() == 2) && e.shape[0] == inner && !is_bool(e.v.dtype());
        });
        if (!y) return {};
        Sizes shape(x->shape.begin(), x->shape.end() - 1);
        for (size_t i = 1; i < y->shape.size(); ++i) shape.push_back(y->shape[i]);
        Variable v = dot(x->v, y->v);
        bool whole = !is_continuous(v.dtype());
        return Made({v, shape, whole && x->exact && y->exact,
                     x->bound * y->bound * static_cast<double>(inner)});
    }
    Made convert() {
        const Entry* e = find([](const Entry& e) { return !is_complex(e.v.dtype()); });
        if (!e) return {};
        static const std::vector<DType> dtypes = {DType::Float64, DType::Float32, DType::Int64,
                                                  DType::Int32,   DType::Int8,    DType::Bool};
        DType to = dtypes[below(dtypes.size())];
        if (!is_continuous(to) && !e->exact) return {};
        if (is_floating(e->v.dtype()) && to == DType::Int8 && e->bound > 100) return {};
        bool exact = e->exact && (to != DType::Float32 || e->bound < 1e4);
        return Made({cast(e->v, to), e->shape, exact, e->bound});
    }
    Made sorted() {
        const Entry* e = find([](const Entry& e) { return exactly(e) && e.rank() > 0; });
        if (!e || chance(0.5)) return {};
        return Made({sort(e->v, -1), e->shape, true, e->bound});
    }
    Made whole() {
        const Entry* e = find([](const Entry& e) { return e.rank() > 0; });
        if (!e) return {};
        auto axis = static_cast<int64_t>(below(static_cast<size_t>(e->rank())));
        return Made({size_of(e->v, axis), Sizes{}, true,
                     static_cast<double>(e->shape[static_cast<size_t>(axis)])});
    }
    // --- loops

    // A recurrence of few steps over what broadcasts to its state, maybe with a loop inside.
    Made repeat() {
        const Entry* h = find([](const Entry& e) { return floats(e) && e.rank() <= 2; });
        if (!h) return {};
        auto fits = [&](const Entry& e, const Sizes& shape) {
            return e.v.dtype() == h->v.dtype() && broadcast(shape, h->shape) == h->shape;
        };
        const Entry* c = find([&](const Entry& e) { return fits(e, e.shape); });
        const Entry* xs = chance(0.6) ? find([&](const Entry& e) {
            return e.rank() >= 1 && fits(e, Sizes(e.shape.begin() + 1, e.shape.end()));
        })
                                      : nullptr;
        ScanOptions options;
        options.outputs_info = {h->v};
        if (xs) options.sequences = {xs->v};
        int64_t steps = xs ? xs->shape[0] : between(0, 4);
        if (!xs) options.n_steps = constant(Array::scalar(steps));
        options.go_backwards = chance(0.2);
        bool second = chance(0.3), nested = chance(0.2), until = !xs && steps > 0 && chance(0.15);
        size_t form = below(3);
        if (second) options.outputs_info.push_back(ScanOutput());
        auto body = [&](const Step& s) {
            Variable state = s.states[0], x = xs ? s.sequences[0] : state;
            if (nested) {
                auto inner = [&](const Step& t) { return StepResult(sin(t.states[0] * 0.5 + x)); };
                Variable count = constant(Array::scalar<int64_t>(2));
                state =
                    at(scan(inner, {.outputs_info = {state}, .n_steps = count}).outputs[0], {-1});
            }
            Variable next = form == 0   ? tanh(state + x * 0.5)
                            : form == 1 ? state * 0.5 + sin(x) * 0.25
                                        : cos(state) - x * 0.125;
            if (c) next = next + sin(c->v) * 0.5;
            next = cast(next, state.dtype());
            StepResult result(next);
            if (second) result.outputs.push_back(sqr(sin(state)));
            if (until) result.until = lt(count_of_steps(state), 0);
            return result;
        };
        double bound = 2 + h->bound + (xs ? xs->bound : h->bound);
        ScanResult made = scan(body, options);
        bool other = second && chance(0.5);
        Variable all = made.outputs[other ? 1 : 0];
        if (steps > 0 && chance(0.4)) return Made({at(all, {-1}), h->shape, false, bound});
        Sizes shape{steps};
        for (int64_t size : h->shape) shape.push_back(size);
        if (chance(0.3)) std::tie(all, shape) = some_steps(all, shape);
        return Made({all, shape, false, bound});
    }

    // The first or the last ones, or a part of each.
    std::pair<Variable, Sizes> some_steps(const Variable& all, Sizes shape) {
        int64_t count = between(1, 3), steps = shape[0];
        size_t form = below(3);
        if (form == 2 && shape.size() > 1 && shape[1] > 0) {
            shape.erase(shape.begin() + 1);
            return {at(all, {everything, 0}), shape};
        }
        shape[0] = std::min(count, steps);
        return {at(all, {form == 0 ? Slice({}, count) : Slice(-count, {})}), shape};
    }

    // A condition that never holds but depends on the state.
    static Variable count_of_steps(const Variable& state) { return sum(abs(sin(state))); }

    Made alternative() {
        const Entry* c = find([](const Entry& e) { return is_bool(e.v.dtype()) && e.rank() == 0; });
        const Entry* x = find(anything);
        if (!c || !x) return {};
        const Entry* y = find(
            [&](const Entry& e) { return e.v.dtype() == x->v.dtype() && e.shape == x->shape; });
        if (!y) return {};
        return Made({ifelse(c->v, x->v, y->v), x->shape, x->exact && y->exact,
                     std::max(x->bound, y->bound)});
    }

    void differentiate() {
        const Entry* e = find([](const Entry& e) { return e.v.dtype() == DType::Float64; });
        if (!e) return;
        Variables wrt;
        for (const auto& v : graph_.inputs)
            if (is_floating(v.dtype())) wrt.push_back(v);
        GradOptions options;
        options.disconnected = Disconnected::Ignore;
        options.null_if_disconnected = true;
        options.disconnected = Disconnected::Ignore;
        try {
            for (const auto& g : grad(sum(e->v), wrt, options))
                if (g) graph_.outputs.push_back(g);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::NotDifferentiable) throw;
        }
    }

    std::mt19937_64 random_;
    int64_t sizes_[3] = {};
    RandomGraph graph_;
    std::vector<Entry> pool_;
};

}  // namespace

std::string RandomGraph::text(const Variables& of) const {
    std::string result = cat("seed ", seed, ":\n", print(of, {.inputs = inputs}));
    for (size_t i = 0; i < inputs.size(); ++i)
        result += cat(inputs[i].name(), " ", shape_text(values[i].shape()), " = ", values[i].text(),
                      "\n");
    return result;
}

RandomGraph random_graph(uint64_t seed) { return Maker(seed).run(); }

}  // namespace croton::test
