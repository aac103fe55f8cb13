#include "croton/ops/control.hpp"

#include <algorithm>
#include <cstdio>

#include "croton/graph/drawn.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/strided.hpp"
#include "croton/ops/support.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

using types::Types;

namespace {
// --- ifelse -------------------------------------------------------------------------------------

// What is true of both.
Dims common_dims(const Dims& a, const Dims& b) {
    Dims result = a;
    for (size_t i = 0; i < result.size(); ++i)
        if (!(a[i] == b[i])) result[i] = Dim();
    return result;
}

Types ifelse_type(TypeContext& c) {
    if (c.inputs.size() < 3 || c.inputs.size() % 2 == 0)
        fail(ErrorKind::Usage,
             "ifelse takes a condition and as many values for the first case as "
             "for the second");
    if (c.type(0).rank() != 0)
        fail(ErrorKind::Type, "the condition of ifelse is a scalar, not ", c.type(0).text(),
             "; where() chooses element by element");
    if (is_complex(c.type(0).dtype))
        fail(ErrorKind::Type, "the condition of ifelse is a bool or a real number, not ",
             c.type(0).text());
    types::convert(c, 0, DType::Bool);
    size_t count = (c.inputs.size() - 1) / 2;
    Types result;
    for (size_t i = 1; i <= count; ++i) {
        Variables pair{c.inputs[i], c.inputs[count + i]};
        TypeContext both{c.op, pair, c.attrs};
        DType dtype = types::unify(both);
        c.inputs[i] = pair[0];
        c.inputs[count + i] = pair[1];
        if (pair[0].rank() != pair[1].rank())
            fail(ErrorKind::Type, "the values of ifelse must have one rank; they are ",
                 pair[0].type().text(), " and ", pair[1].type().text());
        result.push_back({dtype, common_dims(pair[0].type().dims, pair[1].type().dims)});
    }
    return result;
}

bool certainly_same_sizes(const Variable& a, const Variable& b) {
    for (size_t i = 0; i < a.type().dims.size(); ++i)
        if (!a.type().dims[i].certainly_equals(b.type().dims[i])) return false;
    return true;
}

Cotangents ifelse_pullback(const Pullback& p) {
    size_t count = (p.input_count() - 1) / 2;
    Cotangents result(p.input_count());
    for (size_t i = 1; i <= count; ++i) {
        const Variable& seed = p.seed(i - 1);
        if (!seed) continue;
        const Variable &first = p.input(i), &second = p.input(count + i);
        // Zeros of the value that was not computed: of its own sizes.
        bool same = certainly_same_sizes(first, second);
        if (p.wanted[i]) result[i] = ifelse(p.input(), seed, zeros_like(same ? seed : first));
        if (p.wanted[count + i])
            result[count + i] = ifelse(p.input(), zeros_like(same ? seed : second), seed);
    }
    return result;
}

const OpRecord ifelse_record{
    .name = "ifelse",
    .doc = "One of two lists of values, as a scalar condition says; only that one is computed.",
    .arguments = {{"condition"}, {"values", Accepts::Any, true}},
    .type = ifelse_type,
    .compute = InnerCompute{InnerCompute::Kind::IfElse},
    .pullback = ifelse_pullback,
};

// --- call ---------------------------------------------------------------------------------------

// A subgraph that says itself what its gradient is.
class OverriddenSubgraph : public Subgraph {
  public:
    OverriddenSubgraph(std::string name, Variables inputs, Variables outputs,
                       GradientOverride gradient)
        : Subgraph(std::move(name), std::move(inputs), std::move(outputs)),
          gradient_(std::move(gradient)) {}
    const GradientOverride& gradient() const { return gradient_; }

  private:
    GradientOverride gradient_;
};

Types call_type(TypeContext& c) {
    auto graph = c.view().opaque<Subgraph>("graph");
    const auto& formal = graph->inputs();
    if (formal.size() != c.inputs.size())
        fail(ErrorKind::Usage, graph->text(), " takes ", formal.size(), " arguments, not ",
             c.inputs.size());
    for (size_t i = 0; i < formal.size(); ++i) {
        const auto &want = formal[i].type(), &have = c.type(i);
        bool safe = c.inputs[i].node().weak || can_cast_safely(have.dtype, want.dtype);
        if (want.rank() != have.rank() || !safe)
            fail(ErrorKind::Type, graph->text(), ": argument ", i, " must fit ",
                 described(formal[i]), "; it is ", have.text());
        for (size_t axis = 0; axis < want.dims.size(); ++axis)
            if (want.dims[axis].known() && have.dims[axis].known() &&
                !(want.dims[axis] == have.dims[axis]))
                fail(ErrorKind::Shape, graph->text(), ": argument ", i, " has ",
                     have.dims[axis].size(), " elements in axis ", axis, ", not ",
                     want.dims[axis].size());
        types::convert(c, i, want.dtype);
    }
    Types result;
    for (const auto& output : graph->outputs()) result.push_back(output.type());
    return result;
}

Variables null_as_zeros(const Pullback& p) {
    Variables seeds;
    for (size_t i = 0; i < p.seeds.size(); ++i)
        seeds.push_back(p.seed(i) ? p.seed(i) : zeros_like(p.output(i)));
    return seeds;
}

// The gradient of the inner graph as a second graph, called on arguments and seeds.
Cotangents call_pullback(const Pullback& p) {
    auto graph = p.attrs().opaque<Subgraph>("graph");
    if (auto own = std::dynamic_pointer_cast<const OverriddenSubgraph>(graph)) {
        Variables outputs;
        for (size_t i = 0; i < p.node().types.size(); ++i) outputs.push_back(p.output(i));
        return own->gradient()(p.node().inputs, outputs, null_as_zeros(p));
    }
    Variables inner_seeds, seeds, inputs = graph->inputs();
    for (size_t i = 0; i < graph->outputs().size(); ++i) {
        inner_seeds.emplace_back();
        if (!p.seed(i)) continue;
        inner_seeds.back() = input(p.seed(i).type(), cat("seed", i));
        inputs.push_back(inner_seeds.back());
        seeds.push_back(p.seed(i));
    }
    Variables gradients = p.inner_gradient(graph->outputs(), graph->inputs(), inner_seeds), kept;
    std::vector<size_t> places;
    for (size_t i = 0; i < gradients.size(); ++i)
        if (gradients[i] && p.wanted[i]) {
            places.push_back(i);
            kept.push_back(gradients[i]);
        }
    Cotangents result(p.input_count());
    if (kept.empty()) return result;
    Args arguments;
    for (const auto& argument : p.node().inputs) arguments.push_back(argument);
    for (const auto& seed : seeds) arguments.push_back(seed);
    Callable gradient(inputs, kept, cat(graph->text(), " gradient"));
    Variables made = gradient.call(arguments);
    for (size_t i = 0; i < made.size(); ++i) result[places[i]] = made[i];
    return result;
}

const OpRecord call_record{
    .name = "call",
    .doc = "A graph applied to arguments.",
    .arguments = {{"arguments", Accepts::Any, true}},
    .attributes = {{"graph", std::shared_ptr<const Opaque>(), true, "the graph"}},
    .type = call_type,
    .compute = InnerCompute{InnerCompute::Kind::Call},
    .pullback = call_pullback,
};

// --- values and gradients -----------------------------------------------------------------------

Types type_of_first(TypeContext& c) {
    for (size_t i = 0; i < c.inputs.size(); ++i) settle_weak(c, i);
    return {c.type(0)};
}
const ExpandCompute nothing{[](const Node& node) { return Variables{node.inputs[0]}; }};

// Nothing flows forwards through what nothing flows backwards through.
Variables no_tangent(const Pushforward&) { return {Variable()}; }

const OpRecord disconnected_grad_record{
    .name = "disconnected_grad",
    .doc = "x, through which no gradient flows.",
    .arguments = {{"x"}},
    .type = type_of_first,
    .compute = nothing,
    .pullback = [](const Pullback&) { return Cotangents(1); },
    .pushforward = no_tangent,
    .facts = facts::disconnected,
};

const OpRecord zero_grad_record{
    .name = "zero_grad",
    .doc = "x, with a gradient of zeros.",
    .arguments = {{"x"}},
    .type = type_of_first,
    .compute = nothing,
    .pullback = [](const Pullback& p) { return Cotangents{zeros_like(p.input())}; },
    .pushforward = no_tangent,
};

const OpRecord consider_constant_record{
    .name = "consider_constant",
    .doc = "x, taken as a constant by gradients.",
    .arguments = {{"x"}},
    .type = type_of_first,
    .compute = nothing,
    .pullback = [](const Pullback& p) { return Cotangents{zeros_like(p.input())}; },
    .pushforward = no_tangent,
};

const OpRecord grad_clip_record{
    .name = "grad_clip",
    .doc = "x, with its gradient limited to [low, high].",
    .arguments = {{"x"}, {"low"}, {"high"}},
    .type = type_of_first,
    .compute = nothing,
    .pullback =
        [](const Pullback& p) {
            DType dtype = p.seed().dtype();
            return Cotangents{
                clip(p.seed(), cast(p.input(1), dtype), cast(p.input(2), dtype)), {}, {}};
        },
};

const OpRecord grad_scale_record{
    .name = "grad_scale",
    .doc = "x, with its gradient multiplied.",
    .arguments = {{"x"}, {"factor"}},
    .type = type_of_first,
    .compute = nothing,
    .pullback =
        [](const Pullback& p) {
            return Cotangents{mul(p.seed(), cast(p.input(1), p.seed().dtype())), {}};
        },
};

// --- effects ------------------------------------------------------------------------------------

void shape_of_first(const AttrView&, std::span<const TensorRef> in, std::span<Sizes> out) {
    out[0] = in[0].shape;
}
void pass_on(ExternCall& call) {
    if (call.outputs[0].data != call.inputs[0].data) copy_elements(call.outputs[0], call.inputs[0]);
}

void assert_run(ExternCall& call) {
    auto holds = array_of(call.inputs[1]).to_vector<bool>();
    if (std::find(holds.begin(), holds.end(), false) != holds.end())
        fail(ErrorKind::Value, call.attrs.get<std::string>("message"));
    pass_on(call);
}

void print_run(ExternCall& call) {
    std::printf("%s %s\n", call.attrs.get<std::string>("message").c_str(),
                array_of(call.inputs[0]).text().c_str());
    std::fflush(stdout);
    pass_on(call);
}

const OpRecord assert_record{
    .name = "assert",
    .doc = "x, checked to come with a condition that is true in every element.",
    .arguments = {{"x"}, {"condition"}},
    .attributes = {{"message", std::string("the assertion does not hold"), false, "what to say"}},
    .type =
        [](TypeContext& c) {
            settle_weak(c, 0);
            types::convert(c, 1, DType::Bool);
            return Types{c.type(0)};
        },
    .compute = ExternCompute{shape_of_first, assert_run, 0},
    .pullback = [](const Pullback& p) { return Cotangents{p.seed(), {}}; },
    .facts = facts::impure,
};

const OpRecord print_record{
    .name = "print",
    .doc = "x, which is written to standard output behind a message.",
    .arguments = {{"x"}},
    .attributes = {{"message", std::string(), false, "what to write before the value"}},
    .type = type_of_first,
    .compute = ExternCompute{shape_of_first, print_run, 0},
    .pullback = [](const Pullback& p) { return Cotangents{p.seed()}; },
    .facts = facts::impure,
};
}  // namespace

// --- functions ----------------------------------------------------------------------------------

Variable ifelse(Arg condition, Arg then_value, Arg else_value) {
    return apply_one(ifelse_record, {condition, then_value, else_value});
}

Variables ifelse(Arg condition, const Variables& then_values, const Variables& else_values) {
    if (then_values.size() != else_values.size() || then_values.empty())
        composed("ifelse", condition, [&](const Variable&) {
            fail(ErrorKind::Usage,
                 "ifelse takes as many values for the first case as for the second, "
                 "and at least one; given are ",
                 then_values.size(), " and ", else_values.size());
        });
    Variables inputs{condition.variable()};
    inputs.insert(inputs.end(), then_values.begin(), then_values.end());
    inputs.insert(inputs.end(), else_values.begin(), else_values.end());
    return apply(ifelse_record, std::move(inputs), {}, condition.site());
}

Callable::Callable(Variables inputs, Variables outputs, std::string name,
                   GradientOverride gradient) {
    for (const auto& v : inputs)
        if (v.kind() != NodeKind::Input)
            fail(ErrorKind::Usage, name,
                 ": the inputs of a graph are input variables, not the "
                 "results of ops, constants or shared variables");
    for (const auto& leaf : leaves(outputs))
        if (leaf.kind() == NodeKind::Input &&
            std::find(inputs.begin(), inputs.end(), leaf) == inputs.end())
            fail(ErrorKind::Usage, name, ": the outputs need ",
                 leaf.name().empty() ? "an unnamed input" : "'" + leaf.name() + "'", " made at ",
                 leaf.site().text(), ", which is not among the inputs");
    if (gradient)
        graph_ = std::make_shared<const OverriddenSubgraph>(
            std::move(name), std::move(inputs), std::move(outputs), std::move(gradient));
    else
        graph_ = std::make_shared<const Subgraph>(std::move(name), std::move(inputs),
                                                  std::move(outputs));
}

Variables Callable::call(const Args& arguments) const {
    Variables inputs;
    for (const auto& argument : arguments) inputs.push_back(argument.variable());
    Site site = arguments.empty() ? Site{} : arguments[0].site();
    return apply(call_record, std::move(inputs), {{"graph", graph_}}, site);
}

Variable Callable::operator()(const Args& arguments) const {
    Variables outputs = call(arguments);
    if (outputs.size() != 1)
        fail(ErrorKind::Usage, graph_->text(), " has ", outputs.size(), " outputs; use call()");
    return outputs[0];
}

Variable disconnected_grad(Arg x) { return apply_one(disconnected_grad_record, {x}); }
Variable zero_grad(Arg x) { return apply_one(zero_grad_record, {x}); }
Variable consider_constant(Arg x) { return apply_one(consider_constant_record, {x}); }
Variable grad_clip(Arg x, Arg low, Arg high) { return apply_one(grad_clip_record, {x, low, high}); }
Variable grad_scale(Arg x, Arg factor) { return apply_one(grad_scale_record, {x, factor}); }
Variable assert_(Arg x, Arg condition, std::string message) {
    return apply_one(assert_record, {x, condition}, {{"message", std::move(message)}});
}
Variable print_(Arg x, std::string message) {
    return apply_one(print_record, {x}, {{"message", std::move(message)}});
}

namespace families {
Family control() {
    return {&ifelse_record,     &call_record,      &disconnected_grad_record,
            &zero_grad_record,  &grad_clip_record, &consider_constant_record,
            &grad_scale_record, &assert_record,    &print_record};
}
}  // namespace families

}  // namespace croton
