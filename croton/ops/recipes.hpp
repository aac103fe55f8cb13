#pragma once
// Short ways to write the `compute` and `pullback` of records.
#include <array>

#include "croton/graph/op.hpp"
#include "croton/kernel/builder.hpp"

namespace croton {

/// An elementwise op that is one opcode of the kernel language.
template <kernel::OpCode code>
ScalarCompute scalar() {
    return {[](kernel::Builder& b, std::span<const kernel::Scalar> x, const AttrView&) {
        return b.emit(code, x);
    }};
}

/// An elementwise op from a lambda of one, two or three scalars: scalar([](auto& b, auto x) {...}).
template <class Recipe>
ScalarCompute scalar(Recipe) {
    using B = kernel::Builder;
    using S = kernel::Scalar;
    return {[](B& b, std::span<const S> x, const AttrView&) -> S {
        if constexpr (std::is_invocable_v<Recipe, B&, S>)
            return Recipe{}(b, x[0]);
        else if constexpr (std::is_invocable_v<Recipe, B&, S, S>)
            return Recipe{}(b, x[0], x[1]);
        else
            return Recipe{}(b, x[0], x[1], x[2]);
    }};
}

/// An op made of other ops, from a lambda of its one, two or three inputs.
template <class Recipe>
ExpandCompute expand(Recipe) {
    using V = Variable;
    return {[](const Node& node) -> Variables {
        const auto& x = node.inputs;
        if constexpr (std::is_invocable_v<Recipe, V>)
            return {Recipe{}(x[0])};
        else if constexpr (std::is_invocable_v<Recipe, V, V>)
            return {Recipe{}(x[0], x[1])};
        else if constexpr (std::is_invocable_v<Recipe, V, V, V>)
            return {Recipe{}(x[0], x[1], x[2])};
        else
            return {Recipe{}(node)};
    }};
}

/// Pullback of ops whose derivative is zero wherever it exists: comparisons, floor, argmax.
inline Cotangents no_gradient(const Pullback& p) { return Cotangents(p.input_count()); }
/// Pushforward of the same.
inline Variables no_tangent(const Pushforward& p) {
    return Variables(p.node_output.node().types.size());
}

}  // namespace croton
