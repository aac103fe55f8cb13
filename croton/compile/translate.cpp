#include "croton/compile/translate.hpp"

#include <unordered_map>
#include <unordered_set>

#include "croton/compile/epilogue.hpp"
#include "croton/compile/fuse.hpp"
#include "croton/compile/loop_kernel.hpp"
#include "croton/compile/loop_reads.hpp"
#include "croton/compile/lower.hpp"
#include "croton/compile/order.hpp"
#include "croton/compile/prologue.hpp"
#include "croton/graph/drawn.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/loop.hpp"

namespace croton::compile {

using namespace runtime;

// --- expansion ----------------------------------------------------------------------------------

bool is_composite(const Node& node) {
    if (node.kind != NodeKind::Apply) return false;
    if (node.op->kind<ExpandCompute>()) return true;
    auto inner = node.op->kind<InnerCompute>();
    return inner && inner->kind == InnerCompute::Kind::Call;
}

namespace {
// An expansion may promise the type less exactly than the node does: the node's dtype must stay.
void check_expansion(const Node& node, const Variables& made) {
    for (size_t i = 0; i < node.types.size(); ++i)
        if (made.size() != node.types.size() || made[i].dtype() != node.types[i].dtype ||
            made[i].rank() != node.types[i].rank())
            fail(ErrorKind::Internal, "the expansion of ", node.op->name, " gives ",
                 i < made.size() ? made[i].type().text() : "nothing", " where its type rule says ",
                 node.types[i].text());
}

Variables expand_parts(const Node& node) {
    if (auto expand = node.op->kind<ExpandCompute>()) return expand->expand(node);
    auto graph = attrs_of(node).opaque<Subgraph>("graph");
    Substitution arguments;
    for (size_t i = 0; i < graph->inputs().size(); ++i)
        arguments.emplace(graph->inputs()[i], node.inputs[i]);
    return substitute(graph->outputs(), arguments);
}
}  // namespace

Variables expansion_of(const Node& node) {
    Variables made;
    if (node.op->kind<ExpandCompute>()) {
        SiteScope scope(node.site);
        made = expand_parts(node);
    } else {
        made = expand_parts(node);  // a called graph's nodes keep the lines that they were made at
    }
    check_expansion(node, made);
    return made;
}

Variables expand_all(const Variables& outputs, const Variables& stops) {
    Variables current = outputs;
    while (true) {  // an expansion may contain composites again: one level a round
        Substitution images;
        std::unordered_map<const Node*, Variables> rebuilt;
        auto image = [&](const Variable& v) {
            auto found = rebuilt.find(v.node_pointer());
            return found == rebuilt.end() ? v : found->second[v.index()];
        };
        bool expanded = false;
        for (Node* node : toposort(current, stops)) {
            if (node->kind != NodeKind::Apply) continue;
            Variables inputs;
            for (const auto& input : node->inputs) inputs.push_back(image(input));
            if (is_composite(*node)) {
                bool same = inputs == node->inputs;
                Variable current =
                    same ? Variable(node, 0) : apply_like(*node, std::move(inputs))[0];
                rebuilt.emplace(node, expansion_of(current.node()));
                expanded = true;
            } else if (!(inputs == node->inputs)) {
                rebuilt.emplace(node, apply_like(*node, std::move(inputs)));
            }
        }
        if (!expanded) return current;
        for (auto& output : current) output = image(output);
    }
}

// --- translation --------------------------------------------------------------------------------

namespace {
std::string name_of_stacked(const Variable& v) {
    if (!v.name().empty()) return cat("'", v.name(), "'");
    return v.site().known() ? cat("what is made at ", v.site().text()) : "what is stacked";
}

struct Translator {
    Program program;
    FlatMap<ValueKey, Id> ids;
    Variables known;  // keys of `ids`, in the order they were given
    std::unordered_multimap<uint64_t, int> known_kernels;  // hash to kernel number

    Id new_value(const Variable& v, Place place) {
        Value value;
        value.type = v.type();
        value.place = place;
        value.name = v.name();
        value.site = v.site();
        program.values.push_back(std::move(value));
        return static_cast<Id>(program.values.size()) - 1;
    }

    void know(const Variable& v, Id id) {
        if (ids.insert(v, id)) known.push_back(v);
    }

    Id id_of(const Variable& v) {
        if (const Id* found = ids.find(v)) return *found;
        if (const Array* data = constant_value(v)) {
            Id id = new_value(v, Place::Constant);
            program.values.back().constant = *data;
            know(v, id);
            return id;
        }
        fail(ErrorKind::Usage, "the value of ",
             v.name().empty() ? "an unnamed variable" : "'" + v.name() + "'", " of type ",
             v.type().text(), " made at ", v.site().text(),
             " is needed but is not among the inputs");
    }

    std::vector<Id> ids_of(const Variables& variables) {
        std::vector<Id> result;
        for (const auto& v : variables) result.push_back(id_of(v));
        return result;
    }

    std::vector<Id> new_outputs(Node* node, Place place) {
        std::vector<Id> result;
        for (uint32_t i = 0; i < node->types.size(); ++i) {
            Variable v(node, i);
            Id id = new_value(v, place);
            know(v, id);
            result.push_back(id);
        }
        return result;
    }

    int kernel_number(kernel::Kernel kernel) {
        uint64_t hash = hash_text(kernel.name);
        for (const auto& section : kernel.sections)
            for (const auto& i : section.body)
                hash = hash_combine(
                    hash, static_cast<uint64_t>(i.op) * 64 + static_cast<uint64_t>(i.dtype));
        hash = hash_combine(
            hash, static_cast<uint64_t>(kernel.rank) * 64 + static_cast<uint64_t>(kernel.outer));
        auto [first, last] = known_kernels.equal_range(hash);
        for (; first != last; ++first)
            if (program.kernels[static_cast<size_t>(first->second)] == kernel) return first->second;
        program.kernels.push_back(std::move(kernel));
        int number = static_cast<int>(program.kernels.size()) - 1;
        known_kernels.emplace(hash, number);
        return number;
    }

    void add(Node* node, StepKind kind) {
        program.steps.push_back({std::move(kind), node->site, shown_name(*node->op, *node->attrs)});
    }

    void kernel_step(Node* node) {
        Lowered lowered = lower_node(*node);
        KernelStep step;
        step.operands = ids_of(node->inputs);
        auto outputs = new_outputs(node, Place::Slot);
        step.operands.insert(step.operands.end(), outputs.begin(), outputs.end());
        step.outputs = 1;
        step.maps = std::move(lowered.maps);
        step.kernel = kernel_number(std::move(lowered.kernel));
        step.splittable = lowered.splittable;
        step.reject_empty = lowered.reject_empty;
        if (node->op->kind<IndexedCompute>()) {
            step.shape_op = node->op;
            step.shape_attrs = node->attrs;
            step.shape_inputs = ids_of(node->inputs);
            step.shape_map = lowered.shape_map;
        }
        add(node, std::move(step));
    }

    void view_step(Node* node) {
        auto inputs = ids_of(node->inputs);
        Id out = new_outputs(node, Place::View)[0];
        program.values[static_cast<size_t>(out)].source = inputs[0];
        add(node, ViewStep{node->op, node->attrs, std::move(inputs), out});
    }

    void visit(Node* node) {
        if (node->op->kind<ViewCompute>()) return view_step(node);
        if (host_code(*node->op).run) {
            auto inputs = ids_of(node->inputs);
            return add(node, ExternStep{node->op, node->attrs, std::move(inputs),
                                        new_outputs(node, Place::Slot)});
        }
        if (node->op->kind<ContractCompute>()) {
            auto inputs = ids_of(node->inputs);
            return add(node, ContractStep{node->op, node->attrs, std::move(inputs),
                                          new_outputs(node, Place::Slot)[0]});
        }
        if (is_loop(*node)) return loop_step(node);
        if (node->op->kind<InnerCompute>()) return branch_step(node);
        kernel_step(node);
    }

    void branch_step(Node* node);
    void loop_step(Node* node);
    bool loop_kernel_step(Node* node, const Loop& loop);

    // What groups load: values that their nodes read and that they do not compute themselves. What
    // runs inside of branches is in no group and loads everything.
    static void add_loaded(const Fusion& fusion, const std::vector<Node*>& order,
                           ValueSet& wanted) {
        NodeSet grouped;
        auto add_inputs = [&](const Node* node, const NodeSet& inside) {
            for (const auto& v : node->inputs)
                if (!inside.contains(v.node_pointer())) wanted.insert(v);
        };
        for (const auto& group : fusion.groups) {
            NodeSet inside;
            for (const Node* node : group.nodes) inside.insert(node), grouped.insert(node);
            for (const Node* node : group.nodes) add_inputs(node, inside);
        }
        for (const Node* node : order)
            if (!grouped.contains(node)) add_inputs(node, NodeSet());
    }

    // Values of a group that others read, in the group's order.
    Variables stored_of(const Group& group, const ValueSet& wanted) {
        Variables stored;
        for (size_t i = 0; i < group.nodes.size(); ++i)
            if (Variable v(group.nodes[i], 0); !group.copies[i] && wanted.contains(v))
                stored.push_back(v);
        return stored;
    }

    void group_step(const Group& group, const Variables& stored) {
        GroupKernel made = write_kernel(group, stored);
        KernelStep step;
        size_t inputs = made.operands.size() - stored.size();
        for (size_t i = 0; i < inputs; ++i) step.operands.push_back(id_of(made.operands[i]));
        for (const auto& v : stored) {
            Id id = new_value(v, Place::Slot);
            know(v, id);
            step.operands.push_back(id);
        }
        step.outputs = made.outputs;
        step.maps = std::move(made.lowered.maps);
        step.splittable = made.lowered.splittable;
        step.reject_empty = made.lowered.reject_empty;
        if (Node* node = made.shape_node) {
            step.shape_op = node->op;
            step.shape_attrs = node->attrs;
            step.shape_inputs = ids_of(node->inputs);
            step.shape_map = made.lowered.shape_map;
        }
        step.kernel = kernel_number(std::move(made.lowered.kernel));
        program.steps.push_back({std::move(step), group.nodes.back()->site, made.label});
    }

    void run(const Variables& inputs, const Variables& outputs, bool fused) {
        fuse_kernels = fused;
        for (const auto& v : inputs) {
            Id id = new_value(v, Place::Argument);
            program.inputs.push_back(id);
            know(v, id);
        }
        results = ValueSet(outputs);
        Fusion fusion = fuse(inputs, outputs, fused);
        ValueSet wanted(outputs);
        if (fused) add_loaded(fusion, toposort(outputs, inputs), wanted);
        for (const auto& group : fusion.groups) {
            bool copies = group.nodes.size() == 1 && host_code(*group.nodes[0]->op).run;
            if (!group.fusable || copies)
                visit(group.nodes[0]);
            else
                group_step(group, stored_of(group, wanted));
        }
        program.outputs = ids_of(outputs);
    }
    bool fuse_kernels = false;
    ValueSet results;  ///< what the program returns
};

size_t branch_outputs(const Node& node) { return (node.inputs.size() - 1) / 2; }

// The values of one branch, and what of the surroundings they use.
struct Branch {
    Variables results;
    Variables needs;
};

Branch branch_of(const Node& node, bool taken, const Variables& outside) {
    Branch branch;
    size_t count = branch_outputs(node), first = taken ? 1 : 1 + count;
    branch.results.assign(node.inputs.begin() + static_cast<long>(first),
                          node.inputs.begin() + static_cast<long>(first + count));
    ValueSet known(outside), seen;
    auto need = [&](const Variable& v) {
        if (known.contains(v) && v.kind() != NodeKind::Constant && seen.insert(v))
            branch.needs.push_back(v);
    };
    for (const auto& v : branch.results) need(v);
    for (Node* inner : toposort(branch.results, outside))
        for (const auto& input : inner->inputs) need(input);
    return branch;
}

std::shared_ptr<const Program> branch_program(const Branch& branch, bool fused) {
    return std::make_shared<const Program>(
        translate(branch.needs, branch.results, fused, "branch"));
}

void Translator::branch_step(Node* node) {
    BranchStep step;
    step.condition = id_of(node->inputs[0]);
    Branch then_branch = branch_of(*node, true, known),
           else_branch = branch_of(*node, false, known);
    step.then_program = branch_program(then_branch, fuse_kernels);
    step.else_program = branch_program(else_branch, fuse_kernels);
    step.then_inputs = ids_of(then_branch.needs);
    step.else_inputs = ids_of(else_branch.needs);
    step.outputs = new_outputs(node, Place::Fresh);
    add(node, std::move(step));
}

// The whole loop as one kernel.
bool Translator::loop_kernel_step(Node* node, const Loop& loop) {
    auto made = fuse_kernels ? loop_kernel(loop) : std::nullopt;
    if (!made) return false;
    KernelStep step;
    step.operands = ids_of(made->operands);
    auto outputs = new_outputs(node, Place::Slot);
    step.operands.insert(step.operands.end(), outputs.begin(), outputs.end());
    step.outputs = made->outputs;
    step.maps = std::move(made->lowered.maps);
    step.splittable = made->lowered.splittable;
    step.shape_inputs = {id_of(node->inputs[0])};
    step.steps_axis = made->steps_axis;
    step.kernel = kernel_number(std::move(made->lowered.kernel));
    program.steps.push_back({std::move(step), node->site, made->label});
    return true;
}

void Translator::loop_step(Node* node) {
    Loop loop(*node);
    if (loop_kernel_step(node, loop)) return;
    LoopStep step;
    step.body = std::make_shared<const Program>(
        translate(loop.formal(), loop.results(), fuse_kernels, loop.name));
    step.states = static_cast<int>(loop.states.size());
    step.sequences = static_cast<int>(loop.elements.size());
    step.until = bool(loop.stop);
    step.traced = loop.traced;
    for (const auto& next : loop.next) {
        auto from = std::find(loop.states.begin(), loop.states.end(), next);
        step.passed_on.push_back(
            from == loop.states.end() ? -1 : static_cast<int>(from - loop.states.begin()));
    }
    // Way back over stacks of the way there: what it stacks meets those in products over all steps.
    bool from_the_end = !loop.stop && !loop.sequences.empty() &&
                        std::any_of(loop.sequences.begin(), loop.sequences.end(), is_turned);
    for (size_t j = 0; j < loop.stacked.size(); ++j) {
        Variable stack(node, static_cast<uint32_t>(loop.states.size() + j));
        step.backwards.push_back(from_the_end && !results.contains(stack));
    }
    step.inputs = ids_of(node->inputs);
    for (size_t i = 0; i < loop.states.size(); ++i)
        step.result_names.push_back(loop_state_name(loop.states[i], i));
    for (const Variable& v : loop.stacked) step.result_names.push_back(name_of_stacked(v));
    Variables formal = loop.formal();
    for (size_t i = 0; i < node->inputs.size(); ++i) {
        const std::string& own = node->inputs[i].name();
        step.names.push_back(own.empty() && i > 0 ? formal[i - 1].name() : own);
    }
    step.outputs = new_outputs(node, Place::Fresh);
    add(node, std::move(step));
}
}  // namespace

Program translate(const Variables& inputs, const Variables& outputs, bool fused, std::string name,
                  const std::vector<std::pair<int, int>>& updates) {
    Variables expanded = expand_all(outputs, inputs);
    Translator translator;
    translator.program.name = std::move(name);
    translator.run(inputs, expanded, fused);
    if (fused) {
        attach_epilogues(translator.program, updates);
        attach_prologues(translator.program, updates);
        order_steps(translator.program);
    }
    plan_memory(translator.program, updates);
    return std::move(translator.program);
}

}  // namespace croton::compile
