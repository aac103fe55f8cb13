#pragma once
// The op matrix: one row states what an op computes by an independent reference, where, and how
// exactly; matrix.cpp derives every test of the op from it.
//
//     row("tanh", tanh).against([](double x) { return std::tanh(x); }).edges({0, -0.0, inf, nan})
//     row("sum", [](auto& v) { return sum(v[0], 1); }).reference(sum_of_rows).shapes({{{3, 4}}})
//
// Rows of a family are listed by a function in rows_<family>.cpp, all of them in rows.cpp.
#include <complex>
#include <functional>
#include <limits>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <vector>

#include "croton/graph/op.hpp"

namespace croton::test {

inline constexpr double inf = std::numeric_limits<double>::infinity();
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// What random elements of an input are drawn from.
struct Domain {
    double low = -3, high = 3;
    bool whole = false;  ///< whole numbers only (both ends included)
};
inline Domain reals() { return {}; }
inline Domain between(double low, double high) { return {low, high}; }
inline Domain whole(int low, int high) {
    return {static_cast<double>(low), static_cast<double>(high), true};
}

using Complex = std::complex<double>;
using Build = std::function<Variable(const Variables&)>;
using RealFunction = std::function<double(std::span<const double>)>;
using ComplexFunction = std::function<Complex(std::span<const Complex>)>;
using WholeFunction = std::function<Array(const std::vector<Array>&)>;

/// Deterministic random elements of `dtype`.
Array draw(DType dtype, const Sizes& shape, Domain domain, uint64_t seed);

class Row {
  public:
    Row(std::string op, Build build, size_t arity, std::source_location where)
        : op(std::move(op)), build(std::move(build)), arity(arity), line(where.line()) {
        domains.resize(arity);
        fixed.resize(arity);
        differentiated.assign(arity, true);
    }

    /// The reference of an elementwise op: a function of doubles.
    template <class F>
    Row& against(F f) {
        real = [f](std::span<const double> x) { return spread(f, x); };
        return *this;
    }
    /// The same for complex numbers.
    template <class F>
    Row& against_complex(F f) {
        complex = [f](std::span<const Complex> x) { return Complex(spread(f, x)); };
        return *this;
    }
    /// The reference of any other op: a function of whole arrays, written with loops.
    Row& reference(WholeFunction f) {
        whole = std::move(f);
        return *this;
    }

    /// Where random elements of all inputs, or of input i, come from.
    Row& on(Domain domain) {
        domains.assign(arity, domain);
        return *this;
    }
    Row& on(size_t i, Domain domain) {
        domains[i] = domain;
        return *this;
    }
    /// Values of the first input (all inputs for several: tuples) that must come out right too.
    Row& edges(const std::vector<double>& values) {
        for (double value : values) edge_tuples.push_back({value});
        return *this;
    }
    Row& edge_pairs(std::vector<std::vector<double>> tuples) {
        edge_tuples = std::move(tuples);
        return *this;
    }
    /// Largest error in units in the last place of the result's dtype (at least the reference's
    /// own rounding).
    Row& within(double ulps) {
        this->ulps = ulps;
        return *this;
    }
    /// Errors are counted in units of numbers at least this large: for sums that cancel.
    Row& at_scale(double size) {
        scale = size;
        return *this;
    }
    /// Dtypes that all inputs take in turn (but fixed ones). Default: float64, float32, float16,
    /// bfloat16.
    Row& dtypes(std::vector<DType> list) {
        sweep = std::move(list);
        return *this;
    }
    /// Input i always has this dtype and gets no gradient unless it is floating.
    Row& fix(size_t i, DType dtype) {
        fixed[i] = dtype;
        if (!is_continuous(dtype)) differentiated[i] = false;
        return *this;
    }
    /// Shapes of all inputs, one list a case. Elementwise ops have their own.
    Row& shapes(std::vector<std::vector<Sizes>> list) {
        cases = std::move(list);
        return *this;
    }
    /// The op has no gradient, or a zero one: the gradient tests are left out.
    Row& no_gradient() {
        differentiated.assign(arity, false);
        return *this;
    }
    Row& no_gradient_of(size_t i) {
        differentiated[i] = false;
        return *this;
    }
    /// The gradient is right but its own gradient is not the numeric one (a known limit; say why).
    Row& once_differentiable(std::string why) {
        once = std::move(why);
        return *this;
    }
    /// Where gradients are tested, if not on the whole domain (kinks, poles).
    Row& smooth_on(Domain domain) {
        smooth.assign(arity, domain);
        return *this;
    }
    Row& smooth_on(size_t i, Domain domain) {
        if (smooth.empty()) smooth = domains;
        smooth[i] = domain;
        return *this;
    }

    bool elementwise() const { return real != nullptr; }
    bool any_gradient() const;
    Domain smooth_domain(size_t i) const { return smooth.empty() ? domains[i] : smooth[i]; }
    DType dtype_of(size_t i, DType swept) const { return fixed[i].value_or(swept); }
    std::vector<std::vector<Sizes>> all_shapes() const;
    Variable apply(const Variables& inputs) const { return build(inputs); }

    std::string op;
    Build build;
    size_t arity;
    unsigned line;
    RealFunction real;
    ComplexFunction complex;
    WholeFunction whole;
    std::vector<Domain> domains, smooth;
    std::vector<std::vector<double>> edge_tuples;
    double ulps = 1, scale = 0;
    std::vector<DType> sweep = {DType::Float64, DType::Float32, DType::Float16, DType::BFloat16};
    std::vector<std::optional<DType>> fixed;
    std::vector<std::vector<Sizes>> cases;
    std::vector<bool> differentiated;
    std::string once;

  private:
    template <class F, class T>
    static auto spread(const F& f, std::span<const T> x) {
        if constexpr (std::is_invocable_v<F, T>)
            return f(x[0]);
        else if constexpr (std::is_invocable_v<F, T, T>)
            return f(x[0], x[1]);
        else
            return f(x[0], x[1], x[2]);
    }
};
using Rows = std::vector<Row>;

/// A row of an op function of one, two or three arguments.
inline Row row(std::string op, Variable (*f)(Arg),
               std::source_location where = std::source_location::current()) {
    return {std::move(op), [f](const Variables& v) { return f(v[0]); }, 1, where};
}
inline Row row(std::string op, Variable (*f)(Arg, Arg),
               std::source_location where = std::source_location::current()) {
    return {std::move(op), [f](const Variables& v) { return f(v[0], v[1]); }, 2, where};
}
inline Row row(std::string op, Variable (*f)(Arg, Arg, Arg),
               std::source_location where = std::source_location::current()) {
    return {std::move(op), [f](const Variables& v) { return f(v[0], v[1], v[2]); }, 3, where};
}
/// A row of any expression of `arity` inputs.
inline Row row(std::string op, size_t arity, Build build,
               std::source_location where = std::source_location::current()) {
    return {std::move(op), std::move(build), arity, where};
}

Rows arithmetic_rows();
Rows special_rows();
Rows compare_rows();
Rows cast_rows();
Rows reduce_rows();
Rows nnet_rows();
Rows shape_rows();
Rows create_rows();
Rows index_rows();
Rows linalg_rows();
Rows sort_rows();
Rows cumulative_rows();
Rows random_rows();
Rows control_rows();
Rows user_rows();
/// Every row of every family.
const Rows& all_rows();

/// For references of whole arrays: calls f(index) for each index of a shape in C order.
void for_each_index(const Sizes& shape, const std::function<void(const Sizes&)>& f);
/// Element of `x` where the result's index is `index` (x broadcasts, aligned at the last axes).
Sizes broadcast_index(const Sizes& index, const Sizes& shape);
/// A new float64 array whose elements are f(index).
Array tabulate(const Sizes& shape, const std::function<double(const Sizes&)>& f);
/// The same elements in memory with other strides: axes reversed, one of them backwards, gaps.
Array strided_copy(const Array& x);

}  // namespace croton::test
