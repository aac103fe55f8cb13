// Jacobian-vector products: tangents carried from wrt to the outputs.
#include <algorithm>

#include "croton/grad/reverse.hpp"
#include "croton/grad/stabilise.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"

namespace croton {

namespace derivatives {
namespace {
using Tangents = std::unordered_map<Variable, Variable>;

Variables push(const Variables& outputs, const Variables& wrt, const Variables& tangents,
               const Variables& stops);

class Forward {
  public:
    Forward(const Variables& outputs, const Variables& stops) : region_(outputs, stops) {}

    Variables run(const Variables& outputs, Tangents tangents) {
        tangents_ = std::move(tangents);
        for (Node* node : region_.nodes())
            if (node->kind == NodeKind::Apply) process(node);
        Variables result;
        for (const auto& output : outputs) result.push_back(tangent_of(output));
        return result;
    }

  private:
    Variable tangent_of(const Variable& v) const {
        auto found = v ? tangents_.find(v) : tangents_.end();
        return found == tangents_.end() ? Variable() : found->second;
    }

    void process(Node* node) {
        Variables inputs;
        bool moves = false, continuous = false;
        for (const auto& input : node->inputs) {
            inputs.push_back(tangent_of(input));
            moves |= static_cast<bool>(inputs.back());
        }
        for (const auto& type : node->types) continuous |= is_continuous(type.dtype);
        if (!moves || !continuous) return;
        auto scope = scope_of(*node);
        Variable output(node, 0);
        Variables made = tangents_of(output, inputs);
        for (uint32_t i = 0; i < made.size(); ++i) {
            Variable here(node, i);
            bool counts = made[i] && is_continuous(here.dtype()) && !tangents_.contains(here);
            if (counts) tangents_.emplace(here, fitted(made[i], here, inputs));
        }
    }

    /// Elementwise ops give tangents of the shapes that went in; the output's may be larger.
    Variable fitted(Variable tangent, const Variable& output, const Variables& tangents) const {
        const Node& node = output.node();
        if (node.op->elementwise()) {
            bool full = false;
            for (size_t i = 0; i < tangents.size(); ++i)
                full |= tangents[i] && region_.same_shape(node.inputs[i], output);
            if (!full && output.rank() > 0) tangent = fill(output, tangent);
        }
        if (tangent.rank() != output.rank())
            fail(ErrorKind::Internal, "the pushforward of ", node.op->name, " gives ",
                 tangent.type().text(), " for ", description(output));
        return cast(tangent, output.dtype());
    }

    Variables tangents_of(const Variable& output, const Variables& tangents) {
        const Node& node = output.node();
        const OpRecord& op = *node.op;
        if (op.pushforward) {
            Variables made = op.pushforward(Pushforward{{output, inner_gradient()}, tangents});
            if (made.size() != node.types.size())
                fail(ErrorKind::Internal, "the pushforward of ", op.name, " gives ", made.size(),
                     " tangents for ", node.types.size(), " outputs");
            return made;
        }
        if (!op.pullback && op.kind<ExpandCompute>())
            return push(op.kind<ExpandCompute>()->expand(node), node.inputs, tangents, node.inputs);
        if (elementwise_and_real(node)) return {by_elements(output, tangents)};
        return by_transposing(output, tangents);
    }

    static bool elementwise_and_real(const Node& node) {
        auto real = [](const Variable& v) { return !is_complex(v.dtype()); };
        return node.op->elementwise() && node.types.size() == 1 &&
               !is_complex(node.types[0].dtype) &&
               std::all_of(node.inputs.begin(), node.inputs.end(), real);
    }

    /// An elementwise op multiplies each element of the seed by a derivative: handing the tangent
    /// to the pullback as seed multiplies the tangent by it.
    Variable by_elements(const Variable& output, const Variables& tangents) {
        const Node& node = output.node();
        Variable sum;
        for (size_t i = 0; i < tangents.size(); ++i) {
            if (!tangents[i]) continue;
            Variable seed = cast(tangents[i], output.dtype());
            if (!region_.same_shape(node.inputs[i], output) && output.rank() > 0)
                seed = fill(output, seed);
            std::vector<bool> wanted(tangents.size());
            wanted[i] = true;
            Variable part = pull_node(output, {seed}, wanted, region_, true)[i];
            if (part) sum = sum ? add(sum, part) : part;
        }
        return sum;
    }

    /// The pullback is linear in its seed u, and its own vector-Jacobian product with respect to u
    /// is the Jacobian-vector product of the op, for any u. What is left of u are its sizes: the
    /// outputs themselves stand in for it.
    Variables by_transposing(const Variable& output, const Variables& tangents) {
        Node* node = output.node_pointer();
        Variables dummies, seeds, around = node->inputs;
        Substitution stand_ins;
        for (uint32_t i = 0; i < node->types.size(); ++i) {
            seeds.emplace_back();
            around.emplace_back(node, i);
            if (!is_continuous(node->types[i].dtype)) continue;
            seeds.back() = input(node->types[i], "u", node->site);
            dummies.push_back(seeds.back());
            stand_ins.emplace(seeds.back(), Variable(node, i));
        }
        std::vector<bool> wanted;
        for (const auto& tangent : tangents) wanted.push_back(static_cast<bool>(tangent));
        Variables linear = pull_node(output, seeds, wanted, region_);
        Variables results, kept_tangents;
        for (size_t i = 0; i < linear.size(); ++i)
            if (linear[i]) results.push_back(linear[i]), kept_tangents.push_back(tangents[i]);
        // Only what the pullback has made is looked at, however large the graph around it is.
        Variables found = pull(results, kept_tangents, dummies, around).gradients;
        around.insert(around.end(), kept_tangents.begin(), kept_tangents.end());
        for (const auto& v : around) stand_ins.emplace(v, v);
        found = substitute(found, stand_ins);
        Variables made(node->types.size());
        for (size_t i = 0, next = 0; i < made.size(); ++i)
            if (seeds[i]) made[i] = found[next++];
        return made;
    }

    Region region_;
    Tangents tangents_;
};

Variables push(const Variables& outputs, const Variables& wrt, const Variables& tangents,
               const Variables& stops) {
    Tangents known;
    for (size_t i = 0; i < wrt.size(); ++i)
        if (tangents[i]) known.emplace(wrt[i], tangents[i]);
    return Forward(outputs, stops).run(outputs, std::move(known));
}
}  // namespace
}  // namespace derivatives

Variables jvp(const Variables& outputs, const Variables& wrt, const Variables& tangents) {
    if (wrt.size() != tangents.size())
        fail(ErrorKind::Usage, "jvp: ", tangents.size(), " tangents are given for ", wrt.size(),
             " variables");
    Variables fitting;
    for (size_t i = 0; i < wrt.size(); ++i) {
        if (!wrt[i]) fail(ErrorKind::Usage, "jvp: wrt[", i, "] is nothing");
        if (tangents[i] && tangents[i].rank() != wrt[i].rank())
            fail(ErrorKind::Type, "jvp: the tangent ", tangents[i].type().text(), " does not fit ",
                 derivatives::description(wrt[i]));
        bool counts = tangents[i] && is_continuous(wrt[i].dtype());
        fitting.push_back(counts ? cast(tangents[i], wrt[i].dtype()) : Variable());
    }
    derivatives::Stabilised stable(outputs, wrt);
    Variables inside = stable.inside(wrt);
    Variables result = stable.outside(derivatives::push(stable.outputs(), inside, fitting, inside));
    for (size_t i = 0; i < outputs.size(); ++i)
        if (outputs[i] && !result[i]) result[i] = zero_gradient(outputs[i]);
    return result;
}

}  // namespace croton
