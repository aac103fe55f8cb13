#include "croton/ops/arithmetic.hpp"

#include "croton/kernel/builder.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/recipes.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

namespace {
const OpRecord add_record{
    .name = "add",
    .doc = "Sum of two arrays, element by element.",
    .arguments = {{"x"}, {"y"}},
    .type = types::promoted,
    .compute = scalar<kernel::OpCode::add_>(),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed(), p.seed()}; },
    .pushforward = nullptr,
    .facts = facts::commutative | facts::associative,
    .onnx = "Add",
};

const OpRecord mul_record{
    .name = "mul",
    .doc = "Product of two arrays, element by element.",
    .arguments = {{"x"}, {"y"}},
    .type = types::promoted,
    .compute = scalar<kernel::OpCode::mul_>(),
    .pullback =
        [](const Pullback& p) { return Cotangents{p.seed() * p.input(1), p.seed() * p.input(0)}; },
    .facts = facts::commutative | facts::associative,
    .onnx = "Mul",
};
}  // namespace

Variable add(Arg x, Arg y) { return apply_one(add_record, {x, y}); }
Variable mul(Arg x, Arg y) { return apply_one(mul_record, {x, y}); }

}  // namespace croton
