#pragma once
// Derivatives of graphs, as graphs: differentiate them again, compile them, print them. README.md
// says how it works.
#include <functional>

#include "croton/graph/op.hpp"
#include "croton/graph/traverse.hpp"

namespace croton {

/// What to do about a variable that the cost does not depend on.
enum class Disconnected {
    Raise,  ///< Value error naming it
    Warn,   ///< a line on standard error; the gradient is zero
    Ignore  ///< the gradient is zero
};

struct GradOptions {
    /// Treated as if they did not depend on anything: nothing flows through them.
    Variables consider_constant = {};
    /// The gradient of the cost with respect to these is known already: it replaces what the graph
    /// between them and the cost would give. The cost may then be null.
    Substitution known_grads = {};
    Disconnected disconnected = Disconnected::Raise;
    /// Give a null Variable instead of zeros for what the cost does not depend on.
    bool null_if_disconnected = false;
};

/// The gradient of a scalar with respect to each of `wrt`: of its shape and dtype, nodes made at
/// the lines of the nodes they belong to. `wrt` may hold computed variables: gradients flow through
/// them to others of `wrt` too.
///
/// Integers and bool have no gradient: zero, in floatX, flows into and out of ops that give
/// integers. Where a plain op (a sum of floats and integers, a product) first converts an integer
/// variable of `wrt` to floating, its gradient is that of the converted variable.
///
/// Type error if the cost is not a floating scalar or a known gradient has other axes than its
/// variable; Value error for disconnected variables; NotDifferentiable error naming op and line
/// where a gradient is missing. Costs O(nodes); never recurses on depth.
Variables grad(const Variable& cost, const Variables& wrt, const GradOptions& options = {});
Variable grad(const Variable& cost, const Variable& wrt, const GradOptions& options = {});

/// Vector-Jacobian product: the sum over outputs of cotangent times Jacobian, one result a `wrt`.
/// Each cotangent has its output's shape; null stands for zero.
Variables vjp(const Variables& outputs, const Variables& wrt, const Variables& cotangents,
              const GradOptions& options = {.disconnected = Disconnected::Ignore});
/// Jacobian-vector product: how the outputs change when `wrt` (here independent of each other, even
/// if one is computed from another) move along the tangents; one result an output, zeros where
/// nothing changes. Each tangent has its variable's shape; null stands for zero.
Variables jvp(const Variables& outputs, const Variables& wrt, const Variables& tangents);

/// Product of the Hessian of a scalar with vectors (one a `wrt`, of its shape): the gradient of
/// sum(grad(cost, wrt) * vectors), without ever making the matrix.
Variables hvp(const Variable& cost, const Variables& wrt, const Variables& vectors);

/// All derivatives of an expression with at most one axis: of sizes (expression's, wrt's...). Made
/// row by row, or column by column if only the size of a vector wrt is known, or one row a step of
/// a loop if neither is. Type error for more axes.
Variables jacobian(const Variable& expression, const Variables& wrt,
                   const GradOptions& options = {});
Variable jacobian(const Variable& expression, const Variable& wrt, const GradOptions& options = {});
/// Second derivatives of a scalar: for each vector of wrt the matrix of its own.
Variables hessian(const Variable& cost, const Variables& wrt, const GradOptions& options = {});
Variable hessian(const Variable& cost, const Variable& wrt, const GradOptions& options = {});

/// Zeros of v's sizes, in its dtype if that is floating or complex, else in floatX.
Variable zero_gradient(const Variable& v);

}  // namespace croton
