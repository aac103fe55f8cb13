#include "croton/ops/cast.hpp"

#include <numbers>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/recipes.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

namespace {
using kernel::OpCode;
using types::Types;

const OpRecord cast_record{
    .name = "cast",
    .doc = "The same values in another dtype, converted as NumPy's astype does.",
    .arguments = {{"x"}},
    .attributes = {{"dtype", DType::Float64, true, "dtype of the result"}},
    .type =
        [](TypeContext& c) {
            DType dtype = c.attr<DType>("dtype");
            return Types{{dtype, c.type(0).dims}};
        },
    .compute = ScalarCompute{[](kernel::Builder& b, std::span<const kernel::Scalar> x,
                                const AttrView& attrs) {
        return b.cast(x[0], attrs.get<DType>("dtype"));
    }},
    .pullback =
        [](const Pullback& p) {
            // An integer's gradient, where somebody asks for it, is that of the number it becomes.
            DType from = p.input().dtype();
            if (!is_continuous(p.output().dtype())) return Cotangents{Variable()};
            return Cotangents{is_continuous(from) ? cast(p.seed(), from) : p.seed()};
        },
    .pushforward =
        [](const Pushforward& p) {
            DType to = p.output().dtype();
            bool flows = p.tangent() && is_continuous(to);
            return Variables{flows ? cast(p.tangent(), to) : Variable()};
        },
    .onnx = "Cast",
};

Types complex_of_parts(TypeContext& c) {
    DType part = types::common_dtype(c);
    if (!is_floating(part)) part = DType::Float64;
    if (dtype_size(part) == 2) part = DType::Float32;
    for (size_t i = 0; i < 2; ++i) types::convert(c, i, part);
    return {{complex_dtype(part), types::broadcast_inputs(c)}};
}

const OpRecord complex_record{
    .name = "complex",
    .doc = "The complex number real + i imag.",
    .arguments = {{"real", Accepts::Real}, {"imag", Accepts::Real}},
    .type = complex_of_parts,
    .compute = scalar<OpCode::complex_>(),
    .pullback = [](const Pullback& p) { return Cotangents{real(p.seed()), -imag(p.seed())}; },
};

// A real recipe for real dtypes, an opcode for complex ones.
template <OpCode code, class Recipe>
ScalarCompute complex_or(Recipe) {
    return {[](kernel::Builder& b, std::span<const kernel::Scalar> x, const AttrView&) {
        return is_complex(x[0].dtype()) ? b.emit(code, x) : Recipe{}(b, x[0]);
    }};
}
constexpr auto unchanged = [](kernel::Builder&, kernel::Scalar x) { return x; };

// Cotangents are not conjugated: d|z| and the parts follow from z = x + i y with the cotangent
// df/dx - i df/dy of a real-valued f (README.md).
const OpRecord real_record{
    .name = "real",
    .doc = "Real part.",
    .arguments = {{"x"}},
    .type = types::real_like_first,
    .compute = complex_or<OpCode::real_>(unchanged),
    .pullback = [](const Pullback& p) { return Cotangents{cast(p.seed(), p.input().dtype())}; },
};

const OpRecord imag_record{
    .name = "imag",
    .doc = "Imaginary part.",
    .arguments = {{"x"}},
    .type = types::real_like_first,
    .compute = complex_or<OpCode::imag_>([](auto& b, auto x) { return b.like(x, 0); }),
    .pullback =
        [](const Pullback& p) {
            bool flows = is_complex(p.input().dtype());
            return Cotangents{flows ? complex(0.0, -p.seed()) : Variable()};
        },
};

const OpRecord conj_record{
    .name = "conj",
    .doc = "Complex conjugate.",
    .arguments = {{"x"}},
    .type = types::promoted,
    .compute = complex_or<OpCode::conj_>(unchanged),
    .pullback = [](const Pullback& p) { return Cotangents{conj(p.seed())}; },
};

Types angle_type(TypeContext& c) {
    Types result = types::promoted_floating(c);
    result[0].dtype = real_dtype(result[0].dtype);
    return result;
}

Cotangents angle_pullback(const Pullback& p) {
    if (!is_complex(p.input().dtype())) return {Variable()};
    Variable x = real(p.input()), y = imag(p.input());
    Variable scale = p.seed() / (x * x + y * y);
    return {complex(-y * scale, -x * scale)};
}

const OpRecord angle_record{
    .name = "angle",
    .doc = "Argument of a complex number, in (-pi, pi].",
    .arguments = {{"x"}},
    .type = angle_type,
    .compute = complex_or<OpCode::angle_>([](auto& b, auto x) {
        auto flat = b.select(b.lt(x, b.like(x, 0)), b.like(x, std::numbers::pi), b.like(x, 0));
        return b.select(b.isnan(x), x, flat);
    }),
    .pullback = angle_pullback,
    .facts = facts::in_range(-std::numbers::pi, std::numbers::pi),
};
}  // namespace

Variable cast(Arg x, Given<DType> dtype) {
    const Variable& v = x;
    const AttrValue& wanted = dtype;
    // Types of patterns are not known.
    bool known = !v.node().pattern && std::holds_alternative<DType>(wanted);
    if (known && v.node().weak)
        return constant(constant_value(v)->cast(std::get<DType>(wanted)), x.site());
    if (known && v.dtype() == std::get<DType>(wanted)) return v;
    return apply_one(cast_record, {x}, {{"dtype", wanted}});
}
Variable complex(Arg real, Arg imag) { return apply_one(complex_record, {real, imag}); }
Variable real(Arg x) { return apply_one(real_record, {x}); }
Variable imag(Arg x) { return apply_one(imag_record, {x}); }
Variable conj(Arg x) { return apply_one(conj_record, {x}); }
Variable angle(Arg x) { return apply_one(angle_record, {x}); }

namespace families {
Family cast() {
    return {&cast_record, &complex_record, &real_record, &imag_record, &conj_record, &angle_record};
}
}  // namespace families

}  // namespace croton
