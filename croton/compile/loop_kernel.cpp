#include "croton/compile/loop_kernel.hpp"

#include <algorithm>
#include <unordered_map>

#include "croton/compile/fuse_graph.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/kernel/builder.hpp"
#include "croton/rewrite/rule.hpp"

namespace croton::compile {

using kernel::Builder;
using kernel::Scalar;
using kernel::SectionKind;
using rewrite::certainly_same;
using runtime::AxisMap;

namespace {
// A kernel's frame and its stack of registers end somewhere.
constexpr size_t most_states = 64, most_nodes = 3000;

bool is_half(DType dtype) { return dtype == DType::Float16 || dtype == DType::BFloat16; }

// A body's value through views that only permute, insert and drop axes: the value below and, for
// each axis of the value above, which axis of it that is (-1: none).
struct Seen {
    Variable value;
    std::vector<int> axes;
};
Seen look_through(const Variable& v) {
    Seen seen{v, {}};
    for (int axis = 0; axis < v.rank(); ++axis) seen.axes.push_back(axis);
    while (seen.value.kind() == NodeKind::Apply && looks_through(seen.value.node())) {
        auto below = axes_of_view(seen.value.node());
        for (int& axis : seen.axes)
            if (axis >= 0) axis = below[static_cast<size_t>(axis)];
        seen.value = seen.value.input(0);
    }
    return seen;
}

/// The body as a kernel's: every value elementwise over one space, read through views at most.
class Body {
  public:
    explicit Body(const Loop& loop) : loop_(loop), order_(toposort(loop.results(), loop.formal())) {
        for (const auto& v : loop.formal()) leaves_.insert(v.node_pointer());
    }

    int rank() const { return loop_.states[0].rank(); }

    bool fits() const {
        if (loop_.stop || loop_.states.empty() || loop_.states.size() > most_states) return false;
        if (order_.size() > most_nodes) return false;
        for (size_t i = 0; i < loop_.states.size(); ++i)
            if (!fills_space(loop_.states[i]) || !fills_space(loop_.next[i])) return false;
        for (const auto& v : loop_.stacked)
            if (!fills_space(v)) return false;
        return std::all_of(order_.begin(), order_.end(), [&](const Node* n) { return fits(*n); });
    }

  private:
    bool fills_space(const Variable& v) const {
        return !is_half(v.dtype()) && certainly_same(v.type().dims, loop_.states[0].type().dims);
    }

    bool fits(const Node& node) const {
        if (node.kind == NodeKind::Constant)
            return is_literal(Variable(&const_cast<Node&>(node), 0));
        if (node.kind != NodeKind::Apply) return leaves_.contains(&node);
        if (is_half(node.types[0].dtype)) return false;
        if (looks_through(node)) {
            // Views of what is computed would shift its axes.
            Seen seen = look_through(Variable(&const_cast<Node&>(node), 0));
            bool leaf = seen.value.kind() != NodeKind::Apply;
            return leaf && !is_state(seen.value);
        }
        return node.op->elementwise() && node.types[0].rank() <= rank();
    }

    bool is_state(const Variable& v) const {
        return std::find(loop_.states.begin(), loop_.states.end(), v) != loop_.states.end();
    }

    const Loop& loop_;
    std::vector<Node*> order_;
    NodeSet leaves_;
};

class KernelWriter {
  public:
    explicit KernelWriter(const Loop& loop)
        : loop_(loop),
          rank_(loop.states[0].rank()),
          order_(toposort(loop.results(), loop.formal())),
          b_("loop", rank_ + 1, rank_) {}

    LoopKernel write() {
        result_.steps_axis = rank_;
        declare_inputs();
        declare_outputs();
        write_begin();
        write_body();
        write_end();
        result_.lowered.kernel = b_.finish();
        for (const Node* node : order_)
            if (node->kind == NodeKind::Apply && node->site.known())
                result_.lowered.kernel.sites.push_back(node->site);
        result_.lowered.splittable = kernel::can_split(result_.lowered.kernel);
        result_.label = label();
        return std::move(result_);
    }

  private:
    /// An operand for each way in which a leaf is read.
    struct Read {
        Variable leaf;
        std::vector<int> axes;
        int operand;
        Scalar loaded;
    };

    // Own axis of the loop's value for each kernel axis: the body's axes stand at the last ones.
    int add_input(const Variable& value, const std::vector<int>& axes, bool sequence) {
        AxisMap map(static_cast<size_t>(rank_) + 1, int8_t{-1});
        size_t first = static_cast<size_t>(rank_) - axes.size();
        for (size_t axis = 0; axis < axes.size(); ++axis)
            if (axes[axis] >= 0)
                map[first + axis] = static_cast<int8_t>(axes[axis] + (sequence ? 1 : 0));
        if (sequence) map[static_cast<size_t>(rank_)] = 0;
        uint64_t broadcast = 0;
        for (size_t k = 0; k < map.size(); ++k)
            if (map[k] < 0 || (k < static_cast<size_t>(rank_) &&
                               value.type().dims[static_cast<size_t>(map[k])].is_one()))
                broadcast |= uint64_t{1} << k;
        result_.operands.push_back(value);
        result_.lowered.maps.push_back(std::move(map));
        return b_.input("", value.dtype(), broadcast);
    }

    static std::vector<int> plain(int rank) {
        std::vector<int> axes;
        for (int axis = 0; axis < rank; ++axis) axes.push_back(axis);
        return axes;
    }

    void declare_inputs() {
        for (const auto& v : loop_.initial) initial_.push_back(add_input(v, plain(rank_), false));
        auto meet = [&](const Variable& v) {
            Seen seen = look_through(v);
            if (seen.value.kind() == NodeKind::Apply || is_literal(seen.value)) return;
            add_read(seen);
        };
        for (const Node* node : order_)
            if (node->kind == NodeKind::Apply && !looks_through(*node))
                for (const auto& v : node->inputs) meet(v);
        for (const auto& v : loop_.results()) meet(v);
    }

    Read* known_read(const Seen& seen) {
        for (Read& read : reads_)
            if (read.leaf == seen.value && read.axes == seen.axes) return &read;
        return nullptr;
    }

    void add_read(const Seen& seen) {
        if (known_read(seen)) return;
        for (size_t j = 0; j < loop_.elements.size(); ++j)
            if (loop_.elements[j] == seen.value)
                reads_.push_back(
                    {seen.value, seen.axes, add_input(loop_.sequences[j], seen.axes, true), {}});
        for (size_t k = 0; k < loop_.fixed.size(); ++k)
            if (loop_.fixed[k] == seen.value)
                reads_.push_back(
                    {seen.value, seen.axes, add_input(loop_.constants[k], seen.axes, false), {}});
    }

    bool is_element(const Variable& v) const {
        return std::find(loop_.elements.begin(), loop_.elements.end(), v) != loop_.elements.end();
    }

    void declare_outputs() {
        AxisMap final_map, stack_map{static_cast<int8_t>(rank_)};
        for (int axis = 0; axis < rank_; ++axis) {
            final_map.push_back(static_cast<int8_t>(axis));
            stack_map.push_back(static_cast<int8_t>(axis));
        }
        for (const auto& v : loop_.next) {
            finals_.push_back(b_.output("", v.dtype()));
            result_.lowered.maps.push_back(final_map);
        }
        for (const auto& v : loop_.stacked) {
            stacks_.push_back(b_.output("", v.dtype()));
            result_.lowered.maps.push_back(stack_map);
        }
        result_.outputs = static_cast<int>(finals_.size() + stacks_.size());
    }

    void write_begin() {
        b_.begin(SectionKind::Outer);
        for (int operand : initial_) begin_.push_back(b_.load(operand));
        for (Read& read : reads_)
            if (!is_element(read.leaf)) read.loaded = b_.load(read.operand);
    }

    void write_body() {
        b_.begin(SectionKind::Loop);
        for (size_t i = 0; i < loop_.states.size(); ++i)
            made_[loop_.states[i].node_pointer()] = b_.carry(begin_[i]);
        for (Read& read : reads_)
            if (is_element(read.leaf)) read.loaded = b_.load(read.operand);
        for (const Node* node : order_) {
            if (node->kind != NodeKind::Apply || looks_through(*node)) continue;
            std::vector<Scalar> inputs;
            for (const auto& v : node->inputs) inputs.push_back(scalar_of(v));
            made_[node] = node->op->kind<ScalarCompute>()->emit(b_, inputs, attrs_of(*node));
        }
        for (size_t j = 0; j < stacks_.size(); ++j)
            b_.store(stacks_[j], scalar_of(loop_.stacked[j]));
        for (size_t i = 0; i < loop_.states.size(); ++i)
            end_.push_back(
                b_.advance(made_.at(loop_.states[i].node_pointer()), scalar_of(loop_.next[i])));
    }

    Scalar scalar_of(const Variable& v) {
        if (auto found = made_.find(v.node_pointer()); found != made_.end()) return found->second;
        if (const Array* value = constant_value(v)) return constant_scalar(b_, *value);
        Seen seen = look_through(v);
        if (const Array* value = constant_value(seen.value)) return constant_scalar(b_, *value);
        return known_read(seen)->loaded;
    }

    void write_end() {
        b_.begin(SectionKind::Outer);
        for (size_t i = 0; i < finals_.size(); ++i) b_.store(finals_[i], end_[i]);
    }

    std::string label() const {
        std::string text = "loop of";
        size_t shown = 0;
        for (const Node* node : order_) {
            if (node->kind != NodeKind::Apply || node->op->kind<ViewCompute>()) continue;
            if (++shown > 6) return text + " ...";
            text += " " + std::string(node->op->name);
        }
        return text;
    }

    const Loop& loop_;
    int rank_;
    std::vector<Node*> order_;
    Builder b_;
    LoopKernel result_;
    std::vector<int> initial_, finals_, stacks_;  // operands
    std::vector<Read> reads_;
    std::vector<Scalar> begin_, end_;
    std::unordered_map<const Node*, Scalar> made_;
};
}  // namespace

bool fits_kernel(const Loop& loop) { return !loop.states.empty() && Body(loop).fits(); }

std::optional<LoopKernel> loop_kernel(const Loop& loop) {
    bool traces = std::any_of(loop.traced.begin(), loop.traced.end(), [](bool t) { return t; });
    if (traces || !fits_kernel(loop)) return {};
    return KernelWriter(loop).write();
}

}  // namespace croton::compile
