#pragma once
// Ops that users write: a class with a name, the types of its results, the computation and, if
// there is one, the gradient. Python classes arrive here through the binding.
#include <span>

#include "croton/graph/op.hpp"

namespace croton {

/// Derive, then apply with user_op(std::make_shared<MyOp>(...), {x, y}). An object must not change
/// once it is applied; perform may run in several threads at once.
class UserOp : public Opaque {
  public:
    /// For listings and messages.
    virtual std::string name() const = 0;
    /// Types of the results from those of the arguments; errors here are errors where the op is
    /// applied.
    virtual std::vector<TensorType> types(std::span<const TensorType> inputs) const = 0;
    /// The results, of the promised dtypes and ranks. Arguments may be strided and must not be
    /// changed or kept.
    virtual std::vector<Array> perform(std::span<const Array> inputs) const = 0;
    /// Gradients with respect to `inputs` (null: zero); `seeds` are those with respect to
    /// `outputs`, never null. NotDifferentiable error unless overridden.
    virtual Variables gradient(const Variables& inputs, const Variables& outputs,
                               const Variables& seeds) const;
    /// Whether results depend on nothing but the arguments; otherwise calls are never merged or
    /// computed beforehand.
    virtual bool pure() const { return true; }

    std::string text() const override { return name(); }
};

/// An exception in perform comes out of the running function as an Error that names the op.
Variables user_op(std::shared_ptr<const UserOp> op, const Args& arguments);
/// The same for an op of one result.
Variable user_op_one(std::shared_ptr<const UserOp> op, const Args& arguments);

}  // namespace croton
