#include "tools/precompile/graphs.hpp"

#include <algorithm>
#include <cmath>

#include "croton/croton.hpp"
#include "croton/ops/catalogue.hpp"

namespace croton::precompile {

namespace {
using Use = std::function<void(const Graph&)>;
using kernel::Combine;

constexpr DType usual[] = {DType::Float64, DType::Float32, DType::Int64, DType::Bool};
constexpr DType floats[] = {DType::Float64, DType::Float32};

Variable leaf(DType dtype, int rank, std::string name) {
    return input({dtype, Dims(static_cast<size_t>(rank))}, std::move(name));
}

/// A graph that is made by `make` unless the ops refuse its inputs.
void offer(const Use& use, std::string name, Variables inputs,
           const std::function<Variables(const Variables&)>& make) {
    Variables outputs;
    try {
        outputs = make(inputs);
    } catch (const Error&) {
        return;
    }
    use({std::move(name), std::move(inputs), std::move(outputs)});
}

bool has_required_attribute(const OpRecord& op) {
    return std::any_of(op.attributes.begin(), op.attributes.end(),
                       [](const auto& attribute) { return attribute.required; });
}

/// Ops that a graph of one of them, with nothing told but its arguments, makes sense of.
void for_each_op(const std::function<void(const OpRecord&)>& use) {
    for (const auto& [family, ops] : catalogue())
        for (const OpRecord* op : ops) {
            bool variadic = std::any_of(op->arguments.begin(), op->arguments.end(),
                                        [](const auto& a) { return a.variadic; });
            bool plain =
                op->elementwise() || op->kind<ReduceCompute>() || op->kind<ExpandCompute>();
            if (plain && !variadic && !has_required_attribute(*op) && !op->arguments.empty())
                use(*op);
        }
}

std::string text(const OpRecord& op, DType dtype, int rank) {
    return cat(op.name, " ", dtype_name(dtype), " ", rank);
}

Variables arguments_of(const OpRecord& op, DType dtype, int rank) {
    Variables result;
    for (const auto& argument : op.arguments)
        result.push_back(leaf(dtype, rank, std::string(argument.name)));
    return result;
}

Variable total(const Variables& values) {
    Variable result;
    for (const auto& value : values) result = result ? result + sum(value) : sum(value);
    return result;
}

/// Single numbers are mostly float64 and int64; the sine of an integer array is rare.
Use usual_only(const Use& use, DType dtype, int rank) {
    bool rare = rank == 0 && (dtype == DType::Float32 || dtype == DType::Bool);
    return [=](const Graph& graph) {
        bool floating = std::any_of(graph.outputs.begin(), graph.outputs.end(),
                                    [](const auto& v) { return is_floating(v.dtype()); });
        if (!rare && (is_floating(dtype) || !floating)) use(graph);
    };
}

// Of numbers, of arrays. (Code does not tell vectors from matrices, rules sometimes do.)
void ops_alone(const Use& use) {
    for_each_op([&](const OpRecord& op) {
        for (DType dtype : usual)
            for (int rank : {0, 1, 2})
                offer(usual_only(use, dtype, rank), text(op, dtype, rank),
                      arguments_of(op, dtype, rank),
                      [&](const Variables& in) { return apply(op, in); });
    });
}

void gradients(const Use& use) {
    for_each_op([&](const OpRecord& op) {
        if (!op.elementwise() || op.facts.not_differentiable || op.facts.disconnected) return;
        for (DType dtype : floats)
            for (int rank : {0, 1})
                if (rank == 1 || dtype == DType::Float64)
                    offer(use, "gradient of " + text(op, dtype, rank),
                          arguments_of(op, dtype, rank),
                          [&](const Variables& in) { return grad(total(apply(op, in)), in); });
    });
}

bool is_binary(const OpRecord& op) { return op.elementwise() && op.arguments.size() == 2; }

// A number beside an array.
void with_a_number(const Use& use) {
    for_each_op([&](const OpRecord& op) {
        if (!is_binary(op)) return;
        for (DType dtype : floats) {
            Variables in = {leaf(dtype, 1, "x"), leaf(dtype, 0, "number")};
            offer(use, text(op, dtype, 1) + " number", in,
                  [&](const Variables& v) { return apply(op, v); });
            offer(use, "number " + text(op, dtype, 1), in,
                  [&](const Variables& v) { return apply(op, {v[1], v[0]}); });
        }
    });
}

using Form = Variable (*)(const Variable& x, double number);

// With the numbers that programs write there.
std::vector<std::pair<Form, std::vector<double>>> forms() {
    return {
        {[](const Variable& x, double c) { return x + c; }, {1, 2, 3, 10, 0.5}},
        {[](const Variable& x, double c) { return x - c; }, {1, 2, 0.5}},
        {[](const Variable& x, double c) { return c - x; }, {1, 2}},
        {[](const Variable& x, double c) { return x * c; }, {2, 3, 4, 10, 0.5, 0.1, -2}},
        {[](const Variable& x, double c) { return c / x; }, {1, 2}},
        {[](const Variable& x, double c) { return x / c; }, {2, 3, 10, 255}},
        {[](const Variable& x, double c) { return pow(x, c); }, {2, 3, 4, 0.5, -1}},
        {[](const Variable& x, double c) { return maximum(x, c); }, {0, 1}},
        {[](const Variable& x, double c) { return minimum(x, c); }, {0, 1}},
        {[](const Variable& x, double c) { return gt(x, c); }, {0, 0.5}},
        {[](const Variable& x, double c) { return ge(x, c); }, {0}},
        {[](const Variable& x, double c) { return lt(x, c); }, {0}},
        {[](const Variable& x, double c) { return le(x, c); }, {0}},
        {[](const Variable& x, double c) { return eq(x, c); }, {0, 1}},
        {[](const Variable& x, double c) { return ne(x, c); }, {0}},
    };
}

void with_constants(const Use& use) {
    const auto all = forms();
    for (DType dtype : {DType::Float64, DType::Float32, DType::Int64})
        for (int rank : {0, 1})
            for (size_t form = 0; form < all.size(); ++form)
                for (double c : all[form].second)
                    if (is_floating(dtype) || c == std::trunc(c))
                        offer(use,
                              cat("form ", form, " ", dtype_name(dtype), " ", rank, " and ", c),
                              {leaf(dtype, rank, "x")}, [&](const Variables& in) {
                                  return Variables{all[form].first(in[0], c)};
                              });
}

void casts(const Use& use) {
    constexpr DType all[] = {DType::Bool,  DType::UInt8,   DType::Int32,
                             DType::Int64, DType::Float32, DType::Float64};
    for (DType from : all)
        for (DType to : all)
            for (int rank : {0, 1})
                if (from != to)
                    offer(use, cat(dtype_name(from), " to ", dtype_name(to), " ", rank),
                          {leaf(from, rank, "x")},
                          [&](const Variables& in) { return Variables{cast(in[0], to)}; });
}

// Over rows and over columns: all elements are among the ops alone.
void along_axes(const Use& use) {
    using Fold = Variable (*)(Arg, Axes, Given<bool>);
    const Fold folds[] = {sum, prod, mean, max, min, argmax, argmin, any, all, logsumexp};
    for (size_t fold = 0; fold < std::size(folds); ++fold)
        for (DType dtype : usual)
            for (int rank : {2, 3})
                for (int64_t axis : {0, 1, -1})
                    for (bool keep : {false, true})
                        offer(usual_only(use, dtype, rank),
                              cat("fold ", fold, " ", dtype_name(dtype), " ", rank, ":", axis),
                              {leaf(dtype, rank, "x")}, [&](const Variables& in) {
                                  return Variables{folds[fold](in[0], {axis}, keep)};
                              });
}

using Recipe = std::function<Variables(const Variables&)>;

// Of three arrays x, y, z of one shape and a number c.
std::vector<std::pair<std::string, Recipe>> recipes() {
    return {
        {"axpy", [](const Variables& v) { return Variables{v[3] * v[0] + v[1]}; }},
        {"multiply and add", [](const Variables& v) { return Variables{v[0] * v[1] + v[2]}; }},
        {"descent", [](const Variables& v) { return Variables{v[0] - v[3] * v[1]}; }},
        {"products", [](const Variables& v) { return Variables{sum(v[0] * v[1])}; }},
        {"squares", [](const Variables& v) { return Variables{sum(sqr(v[0]))}; }},
        {"square error", [](const Variables& v) { return Variables{mean(sqr(v[0] - v[1]))}; }},
        {"distance", [](const Variables& v) { return Variables{sum(sqr(v[0] - v[1]))}; }},
        {"absolute error", [](const Variables& v) { return Variables{mean(abs(v[0] - v[1]))}; }},
        {"two squares", [](const Variables& v) { return Variables{sqr(v[0]) + sqr(v[1])}; }},
        {"length", [](const Variables& v) { return Variables{sqrt(sum(sqr(v[0])))}; }},
        {"choice", [](const Variables& v) { return Variables{where(gt(v[0], 0), v[1], v[2])}; }},
        {"gradient of squares",
         [](const Variables& v) { return grad(sum(sqr(v[0])), Variables{v[0]}); }},
        {"squares and gradient",
         [](const Variables& v) {
             Variable cost = sum(sqr(v[0]));
             return Variables{cost, grad(cost, v[0])};
         }},
        {"logistic function", [](const Variables& v) { return Variables{1 / (1 + exp(-v[0]))}; }},
        {"affine tanh", [](const Variables& v) { return Variables{tanh(v[0] + v[1])}; }},
        {"affine sigmoid", [](const Variables& v) { return Variables{sigmoid(v[0] + v[1])}; }},
        {"affine relu", [](const Variables& v) { return Variables{relu(v[0] + v[1])}; }},
    };
}

void small_fusions(const Use& use) {
    for (const auto& [name, make] : recipes())
        for (DType dtype : floats)
            for (int rank : {0, 1, 2}) {
                Variables in = {leaf(dtype, rank, "x"), leaf(dtype, rank, "y"),
                                leaf(dtype, rank, "z"), leaf(dtype, 0, "c")};
                offer(use, cat(name, " ", dtype_name(dtype), " ", rank), in, make);
            }
}
}  // namespace

void for_each_graph(const Use& use) {
    ops_alone(use);
    gradients(use);
    with_a_number(use);
    with_constants(use);
    casts(use);
    along_axes(use);
    small_fusions(use);
}

}  // namespace croton::precompile
