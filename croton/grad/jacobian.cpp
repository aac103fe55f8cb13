// Whole matrices of derivatives, row by row or column by column.
#include "croton/grad/reverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/scan.hpp"
#include "croton/ops/shape.hpp"

namespace croton {

namespace {
/// Row i of the unit matrix.
Variable unit(DType dtype, int64_t size, int64_t i) {
    Array row = Array::zeros(DType::Float64, {size});
    row.data_as<double>()[i] = 1;
    return constant(row.cast(dtype), Site{});
}

std::optional<int64_t> known_size(const Variable& v) {
    bool known = v.rank() == 1 && v.type().dims[0].known() && is_continuous(v.dtype());
    return known ? std::optional(v.type().dims[0].size()) : std::nullopt;
}

/// No row at all: the sizes are (0, wrt's...).
Variable no_rows(const Variable& wrt) {
    Variable none = constant(Array::zeros(zero_gradient(wrt).dtype(), {0}), Site{});
    Ints order(static_cast<size_t>(wrt.rank()) + 1, new_axis);
    order[0] = 0;
    return mul(dimshuffle(none, order), expand_dims(zero_gradient(wrt), 0));
}

std::vector<Arg> as_args(const Variables& parts) { return {parts.begin(), parts.end()}; }

Variables by_rows(const Variable& expression, int64_t size, const Variables& wrt,
                  const GradOptions& options) {
    std::vector<Variables> rows(wrt.size());
    for (int64_t i = 0; i < size; ++i) {
        Variable seed = unit(expression.dtype(), size, i);
        GradOptions quiet = options;
        if (i > 0 && options.disconnected == Disconnected::Warn)
            quiet.disconnected = Disconnected::Ignore;  // one warning is enough
        Variables row = vjp({expression}, wrt, {seed}, quiet);
        for (size_t k = 0; k < wrt.size(); ++k) rows[k].push_back(row[k]);
    }
    Variables result;
    for (size_t k = 0; k < wrt.size(); ++k) {
        bool nothing = !rows[k].empty() && !rows[k][0];  // null_if_disconnected
        result.push_back(nothing           ? Variable()
                         : rows[k].empty() ? no_rows(wrt[k])
                                           : stack(as_args(rows[k]), 0));
    }
    return result;
}

Variable by_columns(const Variable& expression, const Variable& wrt, int64_t size) {
    Variables columns;
    for (int64_t i = 0; i < size; ++i)
        columns.push_back(jvp({expression}, {wrt}, {unit(wrt.dtype(), size, i)})[0]);
    return stack(as_args(columns), 1);
}

/// Rows made one a step of a loop, for as many as there are when running.
Variables by_loop(const Variable& expression, const Variables& wrt, GradOptions options) {
    options.disconnected = Disconnected::Ignore;
    options.null_if_disconnected = false;
    Variable positions = arange(size_of(expression, 0));
    auto row = [&](const Step& step) {
        Variable seed = cast(eq(positions, step.sequences[0]), expression.dtype());
        return StepResult(vjp({expression}, wrt, {seed}, options));
    };
    return map(row, {positions}, {.name = "jacobian"}).outputs;
}
}  // namespace

Variables jacobian(const Variable& expression, const Variables& wrt, const GradOptions& options) {
    if (expression.rank() == 0) return grad(expression, wrt, options);
    if (expression.rank() > 1)
        fail(ErrorKind::Type, "jacobian: the expression must have at most one axis; flatten ",
             derivatives::description(expression), " first");
    if (auto size = known_size(expression)) return by_rows(expression, *size, wrt, options);
    // Tells of disconnected variables, and settles options as the rows would.
    Variables any = vjp({expression}, wrt, {expression}, options), result;
    bool plain = options.consider_constant.empty() && options.known_grads.empty();
    for (size_t k = 0; k < wrt.size(); ++k) {
        auto size = wrt[k] ? known_size(wrt[k]) : std::nullopt;
        if (!any[k])
            result.push_back({});
        else if (plain && size && *size > 0)
            result.push_back(by_columns(expression, wrt[k], *size));
        else
            result.push_back(by_loop(expression, {wrt[k]}, options)[0]);
    }
    return result;
}

Variable jacobian(const Variable& expression, const Variable& wrt, const GradOptions& options) {
    return jacobian(expression, Variables{wrt}, options)[0];
}

Variables hessian(const Variable& cost, const Variables& wrt, const GradOptions& options) {
    Variables result;
    for (const auto& v : wrt) {
        if (v && v.rank() != 1)
            fail(ErrorKind::Type, "hessian: wrt must be vectors, not ",
                 derivatives::description(v));
        Variable slope = grad(cost, v, options);
        GradOptions again = options;
        again.known_grads.clear();
        again.disconnected = Disconnected::Ignore;  // a linear cost has a Hessian of zeros
        again.null_if_disconnected = false;
        result.push_back(slope ? jacobian(slope, v, again) : slope);
    }
    return result;
}

Variable hessian(const Variable& cost, const Variable& wrt, const GradOptions& options) {
    return hessian(cost, Variables{wrt}, options)[0];
}

}  // namespace croton
