#pragma once
// A few ops of the tests' own: the graph layer knows none.
#include "croton/graph/op.hpp"

namespace croton::test {

inline std::vector<TensorType> broadcast_type(TypeContext& c) {
    return {{c.type(0).dtype, broadcast_dims(c.type(0).dims, c.type(1).dims)}};
}
inline std::vector<TensorType> first_type(TypeContext& c) { return {c.type(0)}; }
inline std::vector<TensorType> twice_type(TypeContext& c) { return {c.type(0), c.type(0)}; }
inline std::vector<TensorType> sum_type(TypeContext& c) {
    const auto& axes = c.attr<Ints>("axes");
    TensorType result{c.type(0).dtype, {}};
    for (int axis = 0; axis < c.type(0).rank(); ++axis)
        if (std::find(axes.begin(), axes.end(), axis) == axes.end())
            result.dims.push_back(c.type(0).dims[static_cast<size_t>(axis)]);
    return {result};
}
inline std::vector<TensorType> call_type(TypeContext& c) {
    auto graph = c.view().opaque<Subgraph>("graph");
    std::vector<TensorType> types;
    for (const auto& v : graph->outputs()) types.push_back(v.type());
    return types;
}

inline const ScalarCompute no_scalar{nullptr};

inline const OpRecord add{.name = "add",
                          .doc = "",
                          .arguments = {{"x"}, {"y"}},
                          .type = broadcast_type,
                          .compute = no_scalar};
inline const OpRecord mul{.name = "mul",
                          .doc = "",
                          .arguments = {{"x"}, {"y"}},
                          .type = broadcast_type,
                          .compute = no_scalar};
inline const OpRecord sub{.name = "sub",
                          .doc = "",
                          .arguments = {{"x"}, {"y"}},
                          .type = broadcast_type,
                          .compute = no_scalar};
inline const OpRecord pow{.name = "pow",
                          .doc = "",
                          .arguments = {{"x"}, {"y"}},
                          .type = broadcast_type,
                          .compute = no_scalar};
inline const OpRecord neg{
    .name = "neg", .doc = "", .arguments = {{"x"}}, .type = first_type, .compute = no_scalar};
inline const OpRecord exp{
    .name = "exp", .doc = "", .arguments = {{"x"}}, .type = first_type, .compute = no_scalar};
inline const OpRecord sum{.name = "sum",
                          .doc = "",
                          .arguments = {{"x"}},
                          .attributes = {{"axes", Ints{}}, {"keepdims", false}},
                          .type = sum_type,
                          .compute = ReduceCompute{}};
inline const OpRecord twice{
    .name = "twice", .doc = "", .arguments = {{"x"}}, .type = twice_type, .compute = no_scalar};
inline const OpRecord odd_name{.name = "strange op, v2",
                               .doc = "",
                               .arguments = {{"x"}},
                               .type = first_type,
                               .compute = no_scalar};
inline const OpRecord zoo{.name = "zoo",
                          .doc = "",
                          .arguments = {{"x"}},
                          .attributes = {{"flag", true},
                                         {"count", int64_t{3}},
                                         {"scale", 1.5},
                                         {"label", std::string("plain")},
                                         {"dtype", DType::Float32},
                                         {"sizes", Ints{1}, true}},
                          .type = first_type,
                          .compute = no_scalar};
inline const OpRecord call{.name = "call",
                           .doc = "",
                           .arguments = {{"x", Accepts::Any, true}},
                           .attributes = {{"graph", std::shared_ptr<const Opaque>(), true}},
                           .type = call_type,
                           .compute = InnerCompute{InnerCompute::Kind::Call}};

inline const OpRecord* find_op(std::string_view name) {
    for (const OpRecord* op :
         {&add, &mul, &sub, &pow, &neg, &exp, &sum, &twice, &odd_name, &zoo, &call})
        if (op->name == name) return op;
    return nullptr;
}

}  // namespace croton::test
