// Whole matrices of derivatives, row by row: written out, or in a loop.
#include <algorithm>

#include "croton/grad/reverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/scan.hpp"
#include "croton/ops/shape.hpp"

namespace croton {

namespace {
constexpr int64_t most_rows_written_out = 32;

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

// One row a step of a loop: for sizes that are not known, and for those that would make graphs
// large.
Variables by_loop(const Variable& expression, const Variables& wrt, const Variables& connected,
                  const GradOptions& options) {
    GradOptions quiet = options;
    quiet.disconnected = Disconnected::Ignore;
    Variable count = size_of(expression, 0), places = arange(count);
    auto body = [&](const Step& step) {
        Variable seed = cast(eq(places, step.sequences[0]), expression.dtype());
        Variables rows;
        Variables all = vjp({expression}, wrt, {seed}, quiet);
        for (size_t k = 0; k < wrt.size(); ++k)
            if (connected[k]) rows.push_back(all[k]);
        return StepResult(rows);
    };
    Variables made = scan(body, {.sequences = {places}, .name = "jacobian"}).outputs, result;
    for (size_t k = 0, next = 0; k < wrt.size(); ++k)
        result.push_back(connected[k] ? made[next++] : connected[k]);
    return result;
}
}  // namespace

Variables jacobian(const Variable& expression, const Variables& wrt, const GradOptions& options) {
    if (expression.rank() == 0) return grad(expression, wrt, options);
    if (expression.rank() > 1)
        fail(ErrorKind::Type, "jacobian: the expression must have at most one axis; flatten ",
             derivatives::description(expression), " first");
    auto size = known_size(expression);
    if (size && *size <= most_rows_written_out) return by_rows(expression, *size, wrt, options);
    // Tells of disconnected variables, and of what has no gradient.
    Variables connected = vjp({expression}, wrt, {expression}, options);
    bool any =
        std::any_of(connected.begin(), connected.end(), [](const auto& v) { return bool(v); });
    return any ? by_loop(expression, wrt, connected, options) : connected;
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
