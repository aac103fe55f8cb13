#include "croton/grad/reverse.hpp"

#include <algorithm>
#include <cstdio>
#include <unordered_set>

#include "croton/grad/stabilise.hpp"
#include "croton/graph/listing.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/reduce.hpp"

namespace croton::derivatives {

SiteScope scope_of(const Node& node) {
    return SiteScope(node.site.known() ? node.site : SiteScope::current_or(node.site));
}

std::string description(const Variable& v) {
    std::string text = pp(v, {.max_length = 200}) + " (" + v.type().text();
    if (v.site().known()) text += ", made at " + v.site().text();
    return text + ")";
}

// --- regions ------------------------------------------------------------------------------------

namespace {
bool all_ones(const TensorType& type) {
    for (Dim dim : type.dims)
        if (!dim.is_one()) return false;
    return true;
}
// Values from outside are known by their address, nodes inside by a count from 1.
uint64_t outside_id(const Variable& v) {
    return reinterpret_cast<uintptr_t>(v.node_pointer()) + v.index();
}
}  // namespace

Region::Region(const Variables& outputs, const Variables& stops)
    : nodes_(toposort(outputs, stops)) {
    shape_ids_.reserve(nodes_.size());
    uint64_t next = 1;
    for (Node* node : nodes_) {
        uint64_t id = next;
        next += node->types.size();
        if (auto common = common_shape(*node)) id = *common;
        positions_.insert(node, static_cast<uint32_t>(shape_ids_.size()));
        shape_ids_.push_back(id);
    }
}

// The shape of an elementwise op's result is that of all inputs that are not plain scalars, if they
// agree.
std::optional<uint64_t> Region::common_shape(const Node& node) const {
    if (!node.op || !node.op->elementwise() || node.types.size() != 1) return {};
    std::optional<uint64_t> common;
    for (const auto& input : node.inputs) {
        if (all_ones(input.type()) && input.rank() <= node.types[0].rank()) continue;
        uint64_t id = shape_id(input);
        if (input.rank() != node.types[0].rank() || (common && *common != id)) return {};
        common = id;
    }
    return common;
}

size_t Region::position(const Node* node) const {
    uint32_t found = positions_.find(node);
    return found == NodeNumbers::none ? outside : found;
}

uint64_t Region::shape_id(const Variable& v) const {
    size_t at = position(v.node_pointer());
    return at == outside ? outside_id(v) : shape_ids_[at] + v.index();
}

bool Region::same_shape(const Variable& a, const Variable& b) const {
    return shape_id(a) == shape_id(b);
}

// --- one node -----------------------------------------------------------------------------------

namespace {
[[noreturn]] void fail_not_differentiable(const Node& node, const std::vector<bool>& wanted) {
    Variable output(const_cast<Node*>(&node), 0);
    std::string inputs;
    for (size_t i = 0; i < wanted.size(); ++i)
        if (wanted[i]) inputs += cat("\n    through its input ", description(node.inputs[i]));
    fail(ErrorKind::NotDifferentiable, node.op->name, " has no gradient\n\n    ",
         description(output), inputs,
         "\n\nIf nothing should flow through it, name it in consider_constant.");
}

bool wants_continuous(const Node& node, const std::vector<bool>& wanted) {
    for (size_t i = 0; i < wanted.size(); ++i)
        if (wanted[i] && is_continuous(node.inputs[i].dtype())) return true;
    return false;
}

// An op that stands for others is differentiated as what it stands for. Inputs that occur twice get
// all of it at their first place.
Variables pull_expansion(const Node& node, const Variables& seeds,
                         const std::vector<bool>& wanted) {
    Variables outputs = node.op->kind<ExpandCompute>()->expand(node);
    Variables wrt;
    std::vector<size_t> places;
    std::unordered_set<Variable> seen;
    for (size_t i = 0; i < wanted.size(); ++i)
        if (wanted[i] && seen.insert(node.inputs[i]).second) {
            wrt.push_back(node.inputs[i]);
            places.push_back(i);
        }
    Variables found = pull(outputs, seeds, wrt, node.inputs).gradients;
    Variables result(node.inputs.size());
    for (size_t k = 0; k < places.size(); ++k) result[places[k]] = found[k];
    return result;
}

Variables raw_cotangents(const Variable& output, const Variables& seeds,
                         const std::vector<bool>& wanted) {
    const Node& node = output.node();
    const OpRecord& op = *node.op;
    if (op.facts.not_differentiable || (!op.pullback && !op.kind<ExpandCompute>())) {
        if (wants_continuous(node, wanted)) fail_not_differentiable(node, wanted);
        return Variables(node.inputs.size());
    }
    if (!op.pullback) return pull_expansion(node, seeds, wanted);
    Cotangents result = op.pullback(Pullback{{output, inner_gradient()}, seeds, wanted});
    if (result.size() != node.inputs.size())
        fail(ErrorKind::Internal, "the pullback of ", op.name, " gives ", result.size(),
             " gradients for ", node.inputs.size(), " inputs");
    return result;
}

/// Makes a cotangent what the gradient of `input` must be.
Variable fitted(Variable g, const Variable& input, const Node& node, bool same_shape) {
    if (node.op->elementwise() && !same_shape) g = sum_to(g, input);
    if (g.rank() != input.rank())
        fail(ErrorKind::Internal, "the pullback of ", node.op->name, " gives ", g.type().text(),
             " as the gradient of ", description(input));
    if (is_continuous(input.dtype()) && g.dtype() != input.dtype()) g = cast(g, input.dtype());
    return g;
}
}  // namespace

Variables pull_node(const Variable& output, const Variables& seeds, const std::vector<bool>& wanted,
                    const Region& region, bool raw) {
    const Node& node = output.node();
    auto scope = scope_of(node);
    Variables result = raw_cotangents(output, seeds, wanted);
    for (size_t i = 0; i < result.size(); ++i) {
        if (!wanted[i]) result[i] = Variable();
        if (result[i] && !raw)
            result[i] = fitted(std::move(result[i]), node.inputs[i], node,
                               region.same_shape(node.inputs[i], output));
    }
    return result;
}

const InnerGradient& inner_gradient() {
    static const auto& function = *new InnerGradient(
        [](const Variables& outputs, const Variables& inputs, const Variables& seeds) {
            return pull(outputs, seeds, inputs, inputs).gradients;
        });
    return function;
}

// --- the whole graph ----------------------------------------------------------------------------

namespace {
/// All parts added, as a balanced tree: sums of thousands of parts stay shallow and exact.
Variable total(Variables& parts) {
    while (parts.size() > 1) {
        size_t pairs = parts.size() / 2;
        for (size_t i = 0; i < pairs; ++i) parts[i] = add(parts[2 * i], parts[2 * i + 1]);
        if (parts.size() % 2 == 1) parts[pairs] = parts.back();
        parts.resize(pairs + parts.size() % 2);
    }
    return parts.empty() ? Variable() : parts[0];
}

class Reverse {
  public:
    Reverse(const Variables& outputs, const Variables& wrt, const Variables& stops,
            const Substitution& known)
        : region_(outputs, stops), known_(known), stopped_(stops.begin(), stops.end()) {
        for (const auto& v : wrt) targets_.emplace(v, Variables());
        mark_relevant();
        mark_connected(outputs);
    }

    ReverseResult run(const Variables& outputs, const Variables& seeds, const Variables& wrt) {
        for (size_t i = 0; i < outputs.size(); ++i) receive(outputs[i], seeds[i]);
        for (const auto& [variable, gradient] : known_) receive(variable, gradient);
        for (size_t at = region_.nodes().size(); at-- > 0;) process(at);
        ReverseResult result;
        for (const auto& v : wrt) {
            result.gradients.push_back(settled(v, targets_[v]));
            result.connected.push_back(connected_.contains(v));
        }
        return result;
    }

  private:
    /// A value is relevant if a gradient flowing into it may reach one of `wrt`.
    void mark_relevant() {
        relevant_.resize(region_.nodes().size());
        for (size_t at = 0; at < region_.nodes().size(); ++at) {
            const Node& node = *region_.nodes()[at];
            if (node.kind != NodeKind::Apply) continue;
            for (const auto& input : node.inputs) relevant_[at] = relevant_[at] || relevant(input);
        }
    }
    /// Notes which of `wrt` a path leads to, whatever flows along it.
    void mark_connected(const Variables& outputs) {
        std::vector<bool> reached(region_.nodes().size());
        auto reach = [&](const Variable& v) {
            if (targets_.contains(v)) connected_.insert(v);
            size_t at = region_.position(v.node_pointer());
            if (at != Region::outside && !stopped_.contains(v)) reached[at] = true;
        };
        for (const auto& output : outputs) reach(output);
        for (size_t at = reached.size(); at-- > 0;) {
            const Node& node = *region_.nodes()[at];
            if (!reached[at] || (node.op && node.op->facts.disconnected)) continue;
            for (const auto& input : node.inputs) reach(input);
        }
    }
    bool relevant(const Variable& v) const { return targets_.contains(v) || passes(v); }
    /// Whether gradients flow on from this value to what it is made of.
    bool passes(const Variable& v) const {
        if (!is_continuous(v.dtype()) || stopped_.contains(v)) return false;
        size_t at = region_.position(v.node_pointer());
        return at != Region::outside && relevant_[at];
    }
    void receive(const Variable& v, const Variable& gradient) {
        if (!v || !gradient) return;
        if (auto found = targets_.find(v); found != targets_.end())
            found->second.push_back(gradient);
        if (passes(v)) waiting_[v.node_pointer()].emplace_back(v.index(), gradient);
    }

    /// The gradient of a value from what has come in, or from `known`.
    Variable settled(const Variable& v, Variables& parts) const {
        if (auto found = known_.find(v); found != known_.end()) return found->second;
        return total(parts);
    }

    void process(size_t at) {
        Node* node = region_.nodes()[at];
        auto found = waiting_.find(node);
        if (found == waiting_.end()) return;
        auto parts = std::move(found->second);
        waiting_.erase(found);
        auto scope = scope_of(*node);
        Variables seeds(node->types.size());
        for (uint32_t i = 0; i < seeds.size(); ++i) {
            Variables here;
            for (const auto& [index, gradient] : parts)
                if (index == i) here.push_back(gradient);
            Variable output(node, i);
            seeds[i] = settled(output, here);
            // One sum serves both: what flows on and what the caller gets.
            auto target = targets_.find(output);
            if (seeds[i] && target != targets_.end()) target->second = {seeds[i]};
        }
        std::vector<bool> wanted;
        for (const auto& input : node->inputs) wanted.push_back(relevant(input));
        Variables gradients = pull_node(Variable(node, 0), seeds, wanted, region_);
        for (size_t i = 0; i < gradients.size(); ++i) receive(node->inputs[i], gradients[i]);
    }

    Region region_;
    const Substitution& known_;
    std::unordered_set<Variable> stopped_, connected_;
    std::unordered_map<Variable, Variables> targets_;
    std::vector<bool> relevant_;
    std::unordered_map<const Node*, std::vector<std::pair<uint32_t, Variable>>> waiting_;
};
}  // namespace

ReverseResult pull(const Variables& outputs, const Variables& seeds, const Variables& wrt,
                   const Variables& stops, const Substitution& known) {
    Variables tops;
    Variables top_seeds;
    for (size_t i = 0; i < outputs.size(); ++i)
        if (outputs[i]) tops.push_back(outputs[i]), top_seeds.push_back(seeds[i]);
    // Known gradients are roots of their own, whether or not an output leads to them.
    size_t count = tops.size();
    for (const auto& [variable, gradient] : known) tops.push_back(variable);
    Reverse reverse(tops, wrt, stops, known);
    tops.resize(count);
    return reverse.run(tops, top_seeds, wrt);
}

}  // namespace croton::derivatives

// --- what users call ----------------------------------------------------------------------------

namespace croton {

namespace {
Variable filled(const Variable& like, double value) {
    DType dtype = is_continuous(like.dtype()) ? like.dtype() : default_float();
    Variable number = constant(Array::scalar(value).cast(dtype), Site{});
    return like.rank() == 0 ? number : fill(like, number);
}

void check_cost(const Variable& cost) {
    if (cost.rank() != 0)
        fail(ErrorKind::Type, "grad: the cost must be a scalar, not ", cost.type().text(),
             "; reduce it first, with sum or mean\n\n    ", derivatives::description(cost));
    if (!is_floating(cost.dtype()))
        fail(ErrorKind::Type, "grad: the cost must be floating, not ", dtype_name(cost.dtype()),
             is_complex(cost.dtype()) ? "; take its real part or its absolute value"
                                      : "; integers do not change smoothly",
             "\n\n    ", derivatives::description(cost));
}

void check_wrt(const Variables& wrt, std::string_view what) {
    for (size_t i = 0; i < wrt.size(); ++i)
        if (!wrt[i]) fail(ErrorKind::Usage, what, ": wrt[", i, "] is nothing");
}

/// A gradient or tangent handed in, in the dtype of what it belongs to.
Variable matched(const Variable& given, const Variable& v, std::string_view what) {
    if (!given) return given;
    if (given.rank() != v.rank())
        fail(ErrorKind::Type, what, " ", given.type().text(), " does not fit ",
             derivatives::description(v));
    if (!is_continuous(v.dtype())) return given;
    return cast(given, v.dtype());
}

Variables matched(const Variables& given, const Variables& to, std::string_view what) {
    if (given.size() != to.size())
        fail(ErrorKind::Usage, what, "s: ", given.size(), " are given for ", to.size(),
             " variables");
    Variables result;
    for (size_t i = 0; i < given.size(); ++i)
        result.push_back(to[i] ? matched(given[i], to[i], what) : Variable());
    return result;
}

void complain_disconnected(const Variables& outputs, const Variable& v, size_t i,
                           Disconnected mode) {
    if (mode == Disconnected::Ignore) return;
    std::string cost = outputs.size() == 1 && outputs[0]
                           ? cat("the cost, ", derivatives::description(outputs[0]), ",")
                           : std::string("the cost");
    std::string text =
        cat("grad: ", cost, " does not depend on wrt[", i, "], ", derivatives::description(v),
            ", or only through what consider_constant names");
    if (mode == Disconnected::Raise)
        fail(ErrorKind::Value, text,
             "; drop it from wrt, or ask for zero with disconnected_inputs='ignore'");
    std::fprintf(stderr, "croton: warning: %s\n", text.c_str());
}

Variables finished(const derivatives::ReverseResult& found, const Variables& outputs,
                   const Variables& wrt, const GradOptions& options) {
    Variables result;
    for (size_t i = 0; i < wrt.size(); ++i) {
        if (!found.connected[i]) complain_disconnected(outputs, wrt[i], i, options.disconnected);
        bool null = !found.connected[i] && options.null_if_disconnected;
        result.push_back(found.gradients[i] || null ? found.gradients[i] : zero_gradient(wrt[i]));
    }
    return result;
}

// Nothing where the outputs are fine as they are, or where rewriting made one of `wrt` vanish: that
// a value does not depend on it is to be said of the user's expression.
std::optional<derivatives::ReverseResult> pull_stabilised(const Variables& outputs,
                                                          const Variables& seeds,
                                                          const Variables& wrt,
                                                          const Variables& constants,
                                                          const Substitution& known) {
    Variables kept = wrt;
    kept.insert(kept.end(), constants.begin(), constants.end());
    for (const auto& [variable, gradient] : known) kept.push_back(variable);
    derivatives::Stabilised stable(outputs, kept);
    if (!stable.changed()) return {};
    Substitution known_inside;
    for (const auto& [variable, gradient] : known)
        known_inside.emplace(stable.inside(variable), gradient);
    auto found = derivatives::pull(stable.outputs(), seeds, stable.inside(wrt),
                                   stable.inside(constants), known_inside);
    if (!std::all_of(found.connected.begin(), found.connected.end(), [](bool c) { return c; }))
        return {};
    found.gradients = stable.outside(found.gradients);
    return found;
}

Variables differentiate(const Variables& outputs, const Variables& seeds, const Variables& wrt,
                        const GradOptions& options) {
    Substitution known;
    for (const auto& [variable, gradient] : options.known_grads)
        known.emplace(variable, matched(gradient, variable, "the known gradient"));
    if (auto found = pull_stabilised(outputs, seeds, wrt, options.consider_constant, known))
        return finished(*found, outputs, wrt, options);
    return finished(derivatives::pull(outputs, seeds, wrt, options.consider_constant, known),
                    outputs, wrt, options);
}
}  // namespace

Variable zero_gradient(const Variable& v) { return filled(v, 0); }

Variables grad(const Variable& cost, const Variables& wrt, const GradOptions& options) {
    check_wrt(wrt, "grad");
    if (!cost && options.known_grads.empty())
        fail(ErrorKind::Usage, "grad: there is neither a cost nor known_grads");
    if (!cost) return differentiate({}, {}, wrt, options);
    check_cost(cost);
    return differentiate({cost}, {filled(cost, 1)}, wrt, options);
}

Variable grad(const Variable& cost, const Variable& wrt, const GradOptions& options) {
    return grad(cost, Variables{wrt}, options)[0];
}

Variables vjp(const Variables& outputs, const Variables& wrt, const Variables& cotangents,
              const GradOptions& options) {
    check_wrt(wrt, "vjp");
    return differentiate(outputs, matched(cotangents, outputs, "the cotangent"), wrt, options);
}

Variables hvp(const Variable& cost, const Variables& wrt, const Variables& vectors) {
    Variables first = grad(cost, wrt), given = matched(vectors, wrt, "the vector");
    GradOptions options{.disconnected = Disconnected::Ignore};
    for (const auto& v : given)
        if (v) options.consider_constant.push_back(v);
    return vjp(first, wrt, given, options);
}

}  // namespace croton
