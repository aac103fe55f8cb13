// Kernels of groups: which operands they load and store, and what runs in which section.
#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "croton/compile/cluster.hpp"
#include "croton/compile/cost.hpp"
#include "croton/compile/fuse.hpp"
#include "croton/kernel/builder.hpp"

namespace croton::compile {

using kernel::Builder;
using kernel::Scalar;
using kernel::SectionKind;
using runtime::AxisMap;

namespace {
bool folds_numbers(kernel::Combine combine) {
    return combine == kernel::Combine::Sum || combine == kernel::Combine::Prod;
}

class Writer {
  public:
    Writer(const Group& group, const Variables& stored) : group_(group), stored_(stored) {
        for (size_t i = 0; i < group.nodes.size(); ++i) place_[group.nodes[i]] = i;
        order_axes();
        find_passes();
    }

    GroupKernel write() {
        Builder b(label(), static_cast<int>(group_.space.size()), outer_);
        builder_ = &b;
        declare_operands();
        write_outer(-1);
        for (int pass = 0; pass < passes_; ++pass) {
            write_reduce(pass);
            write_outer(pass);
        }
        write_map();
        result_.lowered.kernel = b.finish();
        for (const Node* node : group_.nodes)
            if (node->site.known()) result_.lowered.kernel.sites.push_back(node->site);
        result_.lowered.kernel.folding = likely_folding();
        result_.lowered.splittable = kernel::can_split(result_.lowered.kernel);
        result_.label = label();
        result_.outputs = static_cast<int>(stored_.size());
        return std::move(result_);
    }

  private:
    // Kernel axes: the kept ones in their order, then the reduced ones.
    void order_axes() {
        size_t rank = group_.space.size();
        kernel_axis_.assign(rank, 0);
        int next = 0;
        for (size_t axis = 0; axis < rank; ++axis)
            if (!group_.reduced[axis]) kernel_axis_[axis] = next++;
        outer_ = group_.has_reduction ? next : 0;
        for (size_t axis = 0; axis < rank; ++axis)
            if (group_.reduced[axis]) kernel_axis_[axis] = next++;
    }

    bool inside(const Variable& v) const { return place_.contains(v.node_pointer()); }
    size_t place(const Variable& v) const { return place_.at(v.node_pointer()); }

    // Computed once per outer index: results of reductions and what is made of them alone.
    bool outer(const Node* node) const { return is_outer_.at(node); }

    // Reductions fold in pass 0, or in the one after the last whose results they need. What runs
    // around the loops comes after the reductions it needs; pass -1: it needs none.
    void find_passes() {
        for (const Node* node : group_.nodes) {
            bool reduction = node->op->kind<ReduceCompute>() != nullptr && !across(node);
            bool around =
                !node->op->kind<ReduceCompute>() && group_.has_reduction && keeps_only(node);
            int pass = around ? -1 : 0;
            for (const auto& v : node->inputs) {
                if (!inside(v)) continue;
                int theirs = pass_.at(v.node_pointer());
                pass = std::max(pass, !around && outer(v.node_pointer()) ? theirs + 1 : theirs);
            }
            pass_[node] = pass;
            is_outer_[node] = reduction || around || across(node);
            if (reduction) passes_ = std::max(passes_, pass + 1);
        }
        wait_for_loads();
    }

    // What is only folded across rows waits for the first pass that loads it for others: a pass
    // less goes over it, and its memory is read while more is computed.
    void wait_for_loads() {
        std::vector<std::pair<int, const Node*>> roots;
        for (const Node* node : group_.nodes)
            if (node->op->kind<ReduceCompute>() && !across(node))
                roots.emplace_back(pass_.at(node), node);
        for (const auto& v : stored_)
            if (!outer(v.node_pointer()))
                roots.emplace_back(pass_.at(v.node_pointer()), v.node_pointer());
        std::sort(roots.begin(), roots.end(),
                  [](const auto& a, const auto& b) { return a.first < b.first; });
        std::unordered_set<const Node*> seen;
        std::unordered_map<Variable, int, VariableHash> loaded;  // in which pass first
        for (auto [pass, root] : roots)
            for (std::vector<const Node*> left{root}; !left.empty();) {
                const Node* node = left.back();
                left.pop_back();
                if (!seen.insert(node).second) continue;
                for (const auto& v : node->inputs)
                    if (!inside(v))
                        loaded.emplace(v, pass);
                    else if (!outer(v.node_pointer()))
                        left.push_back(v.node_pointer());
            }
        for (const Node* node : group_.nodes) {
            if (!across(node) || inside(node->inputs[0])) continue;
            auto found = loaded.find(node->inputs[0]);
            if (found != loaded.end()) pass_[node] = std::max(pass_[node], found->second);
        }
    }

    // Folds other axes than the rows: all, or those around them.
    bool crosses(const Node* node) const {
        return node->op->kind<ReduceCompute>() && folded(node) != group_.reduced;
    }
    // At each element: only the axes around the rows are folded.
    bool across(const Node* node) const {
        if (!crosses(node)) return false;
        auto axes = folded(node);
        axes.flip();
        return axes == group_.reduced;
    }
    std::vector<bool> folded(const Node* node) const {
        return folded_axes(*node, group_.iterations[place_.at(node)], group_.space.size());
    }

    // Lies along no axis that is reduced.
    bool keeps_only(const Node* node) const {
        const AxisMap& map = group_.maps[place_.at(node)];
        return std::none_of(map.begin(), map.end(), [&](int axis) {
            return axis >= 0 && group_.reduced[static_cast<size_t>(axis)];
        });
    }

    std::string label() const {
        std::string text;
        size_t shown = 0;
        for (const Node* node : group_.nodes) {
            if (node->op->kind<ViewCompute>()) continue;
            if (++shown > 6) return text + "...";
            text += (text.empty() ? "" : " ") + std::string(node->op->name);
        }
        return text;
    }

    // --- operands --------------------------------------------------------------------------------

    // Own axis to group axis, for a value that `node` reads.
    AxisMap read_map(const Node* node, const Variable& v) const {
        return axes_read(*node, group_.maps[place_.at(node)], group_.iterations[place_.at(node)],
                         v);
    }

    // Kernel axis to own axis.
    AxisMap inverse(const AxisMap& own) const {
        AxisMap map(group_.space.size(), int8_t{-1});
        for (size_t axis = 0; axis < own.size(); ++axis)
            if (own[axis] >= 0)
                map[static_cast<size_t>(kernel_axis_[static_cast<size_t>(own[axis])])] =
                    static_cast<int8_t>(axis);
        return map;
    }

    AxisMap to_kernel(const AxisMap& own) const {
        AxisMap map;
        for (int axis : own)
            map.push_back(axis < 0 ? int8_t{-1}
                                   : static_cast<int8_t>(kernel_axis_[static_cast<size_t>(axis)]));
        return map;
    }

    void add_operand(const Variable& v, AxisMap map) {
        result_.operands.push_back(v);
        result_.lowered.maps.push_back(std::move(map));
    }

    static bool is_literal(const Variable& v) {
        const Array* value = constant_value(v);
        return value && value->size() == 1;
    }

    void declare_operands() {
        for (const Node* node : group_.nodes) {
            bool indexed = node->op->kind<IndexedCompute>() != nullptr;
            for (const auto& v : node->inputs) {
                if (inside(v)) continue;
                if (indexed)
                    declare_table(node, v);
                else if (!is_literal(v))
                    declare_input(node, v);
            }
            if (indexed && !result_.shape_node) {
                result_.shape_node = const_cast<Node*>(node);
                result_.lowered.shape_map = to_kernel(group_.maps[place_.at(node)]);
            }
        }
        for (const auto& v : stored_) {
            const Node* node = v.node_pointer();
            size_t along = across(node)    ? static_cast<size_t>(outer_)
                           : crosses(node) ? group_.space.size()
                                           : 0;
            store_to_[node] = builder_->output(v.name(), v.dtype(), (uint64_t{1} << along) - 1);
            add_operand(v, to_kernel(group_.maps[place(v)]));
        }
    }

    void declare_table(const Node* node, const Variable& v) {
        tables_[node].push_back(builder_->table(v.name(), v.dtype(), v.rank()));
        add_operand(v, {});
    }

    void declare_input(const Node* node, const Variable& v) {
        AxisMap map = inverse(read_map(node, v));
        auto& known = inputs_[v];
        for (const auto& [other, operand] : known)
            if (other == map) return;
        uint64_t broadcast = 0;
        for (size_t axis = 0; axis < map.size(); ++axis)
            if (map[axis] < 0) broadcast |= uint64_t{1} << axis;
        known.emplace_back(map, builder_->input(v.name(), v.dtype(), broadcast));
        add_operand(v, std::move(map));
    }

    // How far apart elements lie is known at run time. Most arrays lie row-major: the last axis of
    // what is read is then the dense one. (Views lie any way.)
    kernel::Folding likely_folding() const {
        int rows = 0, columns = 0;
        for (const auto& [v, readings] : inputs_) {
            const OpRecord* maker = v.op();
            if (maker && maker->kind<ViewCompute>()) continue;
            for (const auto& [map, operand] : readings) {
                auto folded = map.begin() + outer_;
                if (std::all_of(folded, map.end(), [](int axis) { return axis < 0; })) continue;
                auto dense = std::find(map.begin(), map.end(), v.rank() - 1);
                if (dense != map.end()) ++(dense < folded ? columns : rows);
            }
        }
        if (rows == 0 && columns > 0) return kernel::Folding::Columns;
        return rows > 0 && columns == 0 ? folding_of_rows(rows) : kernel::Folding::Unknown;
    }

    // A row costs as much as forty elements, columns of row-major arrays one or so an element.
    kernel::Folding folding_of_rows(int arrays) const {
        int64_t elements = 1;
        for (size_t axis = 0; axis < group_.space.size(); ++axis) {
            if (!group_.reduced[axis]) continue;
            if (!group_.space[axis].known()) return kernel::Folding::Unknown;
            elements *= group_.space[axis].size();
        }
        bool are_short = elements * (1 + 2 * arrays) < 80;
        return are_short ? kernel::Folding::Columns : kernel::Folding::Rows;
    }

    Scalar load(const Node* node, const Variable& v) {
        if (const Array* value = constant_value(v); value && value->size() == 1)
            return constant_scalar(*builder_, *value);
        AxisMap map = inverse(read_map(node, v));
        for (const auto& [other, operand] : inputs_.at(v))
            if (other == map) return builder_->load(operand);
        fail(ErrorKind::Internal, "an operand was not declared");
    }

    // --- bodies ----------------------------------------------------------------------------------

    // Recursion is bounded by the group's size.
    Scalar value(const Variable& v) {
        const Node* node = v.node_pointer();
        auto& memo = outer(node) ? outer_values_ : inner_values_;
        if (auto found = memo.find(node); found != memo.end()) return found->second;
        Scalar made = compute(node);
        memo.emplace(node, made);
        // Only kernels with reductions come back to an element.
        if (passes_ > 0 && !outer(node) && cost_anew(node) > cost_of_keeping_in_row)
            kept_.emplace(node, made);
        return made;
    }

    // What an element takes in a later pass: all that it is made of, back to what is kept or
    // loaded.
    int cost_anew(const Node* node) {
        std::unordered_set<const Node*> seen;
        std::vector<const Node*> open{node};
        int cost = 0;
        while (!open.empty() && cost <= cost_of_keeping_in_row) {
            const Node* next = open.back();
            open.pop_back();
            cost += cost_of_element(*next);
            for (const auto& v : next->inputs) {
                const Node* made_of = v.node_pointer();
                if (!seen.insert(made_of).second || is_literal(v)) continue;
                if (!inside(v) || kept_.contains(made_of))
                    ++cost;  // a load
                else if (!outer(made_of))
                    open.push_back(made_of);
            }
        }
        return cost;
    }

    Scalar argument(const Node* node, const Variable& v) {
        return inside(v) ? value(v) : load(node, v);
    }

    Scalar compute(const Node* node) {
        if (node->op->kind<ViewCompute>()) return argument(node, node->inputs[0]);
        if (auto indexed = node->op->kind<IndexedCompute>()) {
            std::vector<Scalar> index;
            for (int axis : group_.maps[place_.at(node)])
                index.push_back(axis < 0
                                    ? builder_->constant(DType::Int64, int64_t{0})
                                    : builder_->index(kernel_axis_[static_cast<size_t>(axis)]));
            return indexed->emit(*builder_, tables_[node], index, *node);
        }
        std::vector<Scalar> arguments;
        for (const auto& v : node->inputs) arguments.push_back(argument(node, v));
        auto scalar = node->op->kind<ScalarCompute>();
        CROTON_ASSERT(scalar != nullptr);
        return scalar->emit(*builder_, arguments, attrs_of(*node));
    }

    void write_reduce(int pass) {
        begin_inner(SectionKind::Reduce);
        for (const Node* node : group_.nodes) {
            auto reduce = node->op->kind<ReduceCompute>();
            if (!reduce || across(node) || pass_.at(node) != pass) continue;
            Scalar element = argument(node, node->inputs[0]);
            if (folds_numbers(reduce->combine))
                element = builder_->cast(element, kernel::compute_dtype(node->types[0].dtype));
            outer_values_.emplace(node, builder_->accumulate(reduce->combine, element));
            result_.lowered.reject_empty |= rejects_empty(*reduce);
        }
        store_elements([&](const Node* node) { return pass_.at(node) == pass; });
    }

    void write_outer(int pass) {
        auto here = [&](const Node* node) {
            return outer(node) && !across(node) && pass_.at(node) == pass;
        };
        if (std::none_of(group_.nodes.begin(), group_.nodes.end(), here)) return;
        builder_->begin(SectionKind::Outer);
        for (const Node* node : group_.nodes) {
            if (!here(node)) continue;
            Variable v(const_cast<Node*>(node), 0);
            Scalar made = value(v);
            auto to = store_to_.find(node);
            if (to == store_to_.end()) continue;
            if (crosses(node))
                builder_->across(node->op->kind<ReduceCompute>()->combine, made, to->second);
            else
                builder_->store(to->second, made);
        }
    }

    void write_map() {
        auto late = [&](const Node* node) { return pass_.at(node) >= passes_; };
        if (std::none_of(stored_.begin(), stored_.end(), [&](const Variable& v) {
                const Node* node = v.node_pointer();
                return (!outer(node) || across(node)) && late(node);
            }))
            return;
        begin_inner(SectionKind::Map);
        store_elements(late);
    }

    // Costly values of earlier sections are kept from there, the others computed again.
    void begin_inner(SectionKind kind) {
        builder_->begin(kind);
        inner_values_ = kept_;
    }

    // Elements are stored in the first pass that can compute them. All loads come before the first
    // store: an output may take over the memory of an input.
    template <class Here>
    void store_elements(Here here) {
        std::vector<std::pair<int, Scalar>> results;
        for (const auto& v : stored_)
            if (const Node* node = v.node_pointer(); across(node) && here(node))
                builder_->across(node->op->kind<ReduceCompute>()->combine,
                                 argument(node, node->inputs[0]), store_to_.at(node));
        for (const auto& v : stored_)
            if (!outer(v.node_pointer()) && here(v.node_pointer()))
                results.emplace_back(store_to_.at(v.node_pointer()), value(v));
        for (auto [operand, result] : results) builder_->store(operand, result);
    }

    const Group& group_;
    const Variables& stored_;
    GroupKernel result_;
    Builder* builder_ = nullptr;
    std::vector<int> kernel_axis_;  // group axis to kernel axis
    int outer_ = 0, passes_ = 0;
    std::unordered_map<const Node*, size_t> place_;
    std::unordered_map<const Node*, int> pass_;
    std::unordered_map<const Node*, bool> is_outer_;
    std::unordered_map<const Node*, std::vector<int>> tables_;
    std::unordered_map<Variable, std::vector<std::pair<AxisMap, int>>, VariableHash> inputs_;
    std::unordered_map<const Node*, int> store_to_;
    std::unordered_map<const Node*, Scalar> outer_values_, inner_values_, kept_;
};
}  // namespace

GroupKernel write_kernel(const Group& group, const Variables& stored) {
    return Writer(group, stored).write();
}

}  // namespace croton::compile
