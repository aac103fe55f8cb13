#include "croton/ops/loop_saving.hpp"

#include <algorithm>

#include "croton/graph/op.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/kernel/builder.hpp"
#include "croton/ops/catalogue.hpp"

namespace croton {

namespace {
// Arithmetic, choices and comparisons; not exp, tanh and the like.
bool is_plain_arithmetic(const Node& node) {
    auto scalar = node.op->kind<ScalarCompute>();
    if (!scalar) return false;
    kernel::Builder b("plain", 0, 0);
    std::vector<int> operands;
    for (const auto& input : node.inputs) operands.push_back(b.input("x", input.dtype()));
    b.begin(kernel::SectionKind::Map);
    std::vector<kernel::Scalar> loaded;
    for (int operand : operands) loaded.push_back(b.load(operand));
    scalar->emit(b, loaded, attrs_of(node));
    for (const auto& instruction : b.kernel().sections.back().body)
        if (kernel::is_function(instruction.op)) return false;
    return true;
}

// Composites cost what they are made of: they nest a few levels deep.
bool costs_much(const Node& node) {
    if (node.kind != NodeKind::Apply) return false;
    if (auto composite = node.op->kind<ExpandCompute>()) {
        Variables made = composite->expand(node);
        auto parts = toposort(made, node.inputs);
        return std::any_of(parts.begin(), parts.end(),
                           [](Node* part) { return costs_much(*part); });
    }
    return node.op->kind<ContractCompute>() || node.op->kind<ExternCompute>() ||
           node.op->kind<InnerCompute>() || node.op->facts.impure;
}

// Zeros of the sizes of something: nothing is computed for them.
bool fills_one_value(const Node& node) {
    static const OpRecord *full_like_op = find_op("full_like"), *fill_op = find_op("fill");
    return (node.op == full_like_op || node.op == fill_op) && node.inputs.size() == 2 &&
           node.inputs[1].kind() == NodeKind::Constant;
}

class Saving {
  public:
    Saving(const Variables& results, const Variables& body_inputs, const Variables& seeds)
        : results_(results), seeds_(seeds) {
        Variables stops = body_inputs;
        stops.insert(stops.end(), seeds.begin(), seeds.end());
        order_ = toposort(results, stops);
    }

    Variables run() {
        mark();
        find_frontier();
        // Later values first: what earlier ones give cheaply need not be kept.
        Variables kept;
        for (size_t i = frontier_.size(); i-- > 0;) {
            const Variable& v = frontier_[i];
            if (!follows_cheaply(v)) kept.push_back(v);
        }
        std::reverse(kept.begin(), kept.end());
        return kept;
    }

  private:
    void mark() {
        for (Node* node : order_) {
            if (node->kind != NodeKind::Apply) continue;
            for (const auto& v : node->inputs) {
                if (depends(v)) seeded_.insert(node);
                if (dear_.contains(v.node_pointer())) dear_.insert(node);
            }
            if (costs_much(*node)) dear_.insert(node);
        }
    }
    bool depends(const Variable& v) const {
        return seeded_.contains(v.node_pointer()) || seeds_.contains(v);
    }

    // Dear values of the forward body that the way back reads.
    void find_frontier() {
        auto meet = [&](const Variable& v) {
            if (v.kind() != NodeKind::Apply || depends(v)) return;
            if (dear_.contains(v.node_pointer()) && met_.insert(v)) frontier_.push_back(v);
        };
        for (Node* node : order_)
            if (seeded_.contains(node))
                for (const auto& v : node->inputs) meet(v);
        for (const auto& v : results_) meet(v);
    }

    // Whether plain arithmetic and views make it of kept values and the body's inputs, in few
    // steps.
    bool follows_cheaply(const Variable& v, int steps = 6) {
        const Node& node = v.node();
        if (fills_one_value(node)) return true;
        if (steps == 0 || (!is_plain_arithmetic(node) && !node.op->kind<ViewCompute>()))
            return false;
        return std::all_of(node.inputs.begin(), node.inputs.end(), [&](const Variable& input) {
            return !dear_.contains(input.node_pointer()) || met_.contains(input) ||
                   follows_cheaply(input, steps - 1);
        });
    }

    const Variables& results_;
    ValueSet seeds_;
    std::vector<Node*> order_;
    NodeSet seeded_, dear_;
    ValueSet met_;
    Variables frontier_;
};
}  // namespace

Variables values_to_save(const Variables& results, const Variables& body_inputs,
                         const Variables& seeds) {
    return Saving(results, body_inputs, seeds).run();
}

}  // namespace croton
