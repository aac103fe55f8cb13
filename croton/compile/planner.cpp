#include <algorithm>
#include <map>

#include "croton/compile/translate.hpp"

namespace croton::compile {

using namespace runtime;

namespace {
struct Planner {
    explicit Planner(Program& program) : p(program), last(program.values.size(), -1) {}

    Value& at(Id id) { return p.values[static_cast<size_t>(id)]; }
    Id root(Id id) {
        while (at(id).place == Place::View) id = at(id).source;
        return id;
    }

    void mark_outputs() {
        for (Id id : p.outputs)
            if (Id r = root(id); at(r).place == Place::Slot) at(r).place = Place::Fresh;
        for (const auto& step : p.steps)
            if (std::holds_alternative<BranchStep>(step.kind) ||
                std::holds_alternative<LoopStep>(step.kind))
                for (Id id : step.writes()) at(id).place = Place::Fresh;
    }

    void find_last_uses() {
        for (size_t n = 0; n < p.steps.size(); ++n) {
            for (Id id : p.elements_read(p.steps[n]))
                last[static_cast<size_t>(root(id))] = static_cast<int>(n);
            for (Id id : p.steps[n].writes()) {
                int& end = last[static_cast<size_t>(root(id))];
                end = std::max(end, static_cast<int>(n));
            }
        }
    }

    static bool same_sizes(const TensorType& a, const TensorType& b) {
        if (a.rank() != b.rank() || dtype_size(a.dtype) != dtype_size(b.dtype)) return false;
        for (size_t i = 0; i < a.dims.size(); ++i)
            if (!a.dims[i].certainly_equals(b.dims[i])) return false;
        return true;
    }

    // An input whose memory output `id` of step n may take over, or -1.
    Id victim(size_t n, Id id) {
        const auto& step = p.steps[n];
        auto dies_here = [&](Id input) {
            return at(input).place == Place::Slot &&
                   last[static_cast<size_t>(input)] == static_cast<int>(n) &&
                   same_sizes(at(input).type, at(id).type) && taken.find(input) == taken.end();
        };
        auto product = std::get_if<ContractStep>(&step.kind);
        auto read_by_product = [&](Id input) {
            return product && std::any_of(product->inputs.begin(), product->inputs.end(),
                                          [&](Id other) { return root(other) == root(input); });
        };
        auto e = std::get_if<ExternStep>(&step.kind);
        const KernelStep* k = e ? nullptr : step.kernel();
        if (k && !(product && id == product->output)) {
            const auto& kernel = p.kernels[static_cast<size_t>(k->kernel)];
            size_t out = position(*k, id);
            for (size_t i = 0; i < k->operands.size(); ++i)
                if (kernel.operands[i].kind == kernel::OperandKind::In &&
                    dies_here(k->operands[i]) && k->maps[i] == k->maps[out] &&
                    read_once_in_place(*k, i) && !read_by_product(k->operands[i]) &&
                    kernel::can_share(kernel, static_cast<int>(i), static_cast<int>(out)))
                    return k->operands[i];
        }
        if (e) {
            int in_place = host_code(*e->op).in_place;
            if (in_place >= 0 && id == e->outputs[0]) {
                Id input = e->inputs[static_cast<size_t>(in_place)];
                if (read_once(step.reads(), input) && dies_here(input)) return input;
            }
        }
        if (product && id == product->output && product->inputs.size() == 5) {
            Id addend = product->inputs[2];  // the epilogue, if any, finds the sum in its place
            if (read_once(step.reads(), addend) && dies_here(addend)) return addend;
        }
        return -1;
    }

    // The last of the operands that is this value: it may be an input as well.
    static size_t position(const KernelStep& step, Id id) {
        auto from_behind = std::find(step.operands.rbegin(), step.operands.rend(), id);
        return static_cast<size_t>(step.operands.rend() - from_behind) - 1;
    }

    // Every way the step reads this value walks it as the output is walked (no second, shifted
    // reader).
    bool read_once_in_place(const KernelStep& step, size_t which) {
        for (size_t i = 0; i < step.operands.size(); ++i)
            if (i != which && root(step.operands[i]) == step.operands[which]) return false;
        return true;
    }

    // No other input of the step reads the same memory, be it through a view.
    bool read_once(const std::vector<Id>& inputs, Id which) {
        return std::count_if(inputs.begin(), inputs.end(),
                             [&](Id id) { return root(id) == root(which); }) == 1;
    }

    void assign(size_t n) {
        taken.clear();
        for (Id id : p.steps[n].writes()) {
            Value& v = at(id);
            if (v.place != Place::Slot) continue;
            if (Id from = victim(n, id); from >= 0) {
                taken[from] = id;
                v.slot = at(from).slot;
                v.source = from;
                continue;
            }
            v.slot = take_free(v.type, n >= p.tail);
        }
        release(n);
    }

    static uint64_t key(const TensorType& type) {
        TensorType bytes = type;  // a slot fits any dtype of the same width
        return hash_combine(TensorType{DType::Bool, bytes.dims}.hash(),
                            static_cast<uint64_t>(dtype_size(type.dtype)));
    }

    // The memory of the last steps is there before the first of them runs: no slot may grow then.
    int take_free(const TensorType& type, bool in_tail) {
        auto exact = free_by_type.find(key(type));
        if (exact != free_by_type.end()) {
            int slot = exact->second;
            free_by_type.erase(exact);
            return slot;
        }
        // Another size may have to grow; a scalar's slot is left for scalars.
        for (auto it = free_by_type.begin(); it != free_by_type.end() && !in_tail; ++it)
            if (slot_rank[static_cast<size_t>(it->second)] == type.rank()) {
                int slot = it->second;
                free_by_type.erase(it);
                return slot;
            }
        slot_rank.push_back(type.rank());
        return p.slots++;
    }

    void release(size_t n) {
        auto give = [&](Id id) {
            Id r = root(id);
            const Value& v = at(r);
            if (v.place != Place::Slot || last[static_cast<size_t>(r)] != static_cast<int>(n))
                return;
            if (taken.find(r) != taken.end() || released[static_cast<size_t>(r)]) return;
            if (n >= p.tail && !all_sizes_named(v.type)) return;
            released[static_cast<size_t>(r)] = true;
            free_by_type.emplace(key(v.type), v.slot);
        };
        for (Id id : p.steps[n].reads()) give(id);
        for (Id id : p.steps[n].writes()) give(id);
    }

    static bool all_sizes_named(const TensorType& type) {
        return std::none_of(type.dims.begin(), type.dims.end(),
                            [](Dim dim) { return dim.unknown(); });
    }

    // --- updates in place
    // --------------------------------------------------------------------------

    bool plain_kernel(const Step& step) const {
        auto k = std::get_if<KernelStep>(&step.kind);
        if (!k || k->shape_op || k->steps_axis >= 0 || k->reject_empty) return false;
        const auto& kernel = p.kernels[static_cast<size_t>(k->kernel)];
        for (const auto& operand : kernel.operands)
            if (operand.kind == kernel::OperandKind::Table) return false;
        return true;
    }

    // Host code that tells beforehand whether it can fail.
    static const ExternCompute* checked_call(const Step& step) {
        auto e = std::get_if<ExternStep>(&step.kind);
        auto compute = e ? e->op->kind<ExternCompute>() : nullptr;
        return compute && compute->check && compute->shape ? compute : nullptr;
    }

    // What must be there before the last steps begin.
    static std::vector<Id> read_by_check(const Step& step) {
        const ExternCompute* checked = checked_call(step);
        if (!checked) return {};
        const auto& inputs = std::get<ExternStep>(step.kind).inputs;
        return {inputs.begin() + checked->unread, inputs.end()};
    }

    // A product that is added to an argument, maybe where that lies.
    bool adds_to_argument(const Step& step) const {
        auto c = std::get_if<ContractStep>(&step.kind);
        return c && !c->epilogue && c->inputs.size() == 5 &&
               p.values[static_cast<size_t>(c->inputs[2])].place == Place::Argument;
    }

    // Moves to the end what only computes outputs and cannot fail once sizes fit.
    void split_tail(const std::vector<std::pair<int, int>>& updates) {
        std::vector<bool> is_output(p.values.size(), false), read_before(p.values.size(), false);
        for (Id id : p.outputs) is_output[static_cast<size_t>(id)] = true;
        std::vector<bool> late(p.steps.size(), false);
        for (size_t n = p.steps.size(); n-- > 0 && !updates.empty();) {
            auto writes = p.steps[n].writes();
            auto checked = checked_call(p.steps[n]);
            late[n] = (checked || plain_kernel(p.steps[n]) || adds_to_argument(p.steps[n])) &&
                      std::none_of(writes.begin(), writes.end(),
                                   [&](Id id) { return read_before[static_cast<size_t>(id)]; });
            for (Id id : late[n] ? read_by_check(p.steps[n]) : p.steps[n].reads())
                read_before[static_cast<size_t>(id)] = true;
        }
        std::vector<Step> first, last_steps;
        for (size_t n = 0; n < p.steps.size(); ++n)
            (late[n] ? last_steps : first).push_back(std::move(p.steps[n]));
        p.tail = first.size();
        p.steps = std::move(first);
        std::move(last_steps.begin(), last_steps.end(), std::back_inserter(p.steps));
    }

    size_t writer_of(Id id) const {
        for (size_t n = p.tail; n < p.steps.size(); ++n) {
            auto writes = p.steps[n].writes();
            if (std::find(writes.begin(), writes.end(), id) != writes.end()) return n;
        }
        return SIZE_MAX;
    }

    // Output `out` may be left in the memory of argument `argument` if nobody reads the old value
    // later, and its own step reads it just where it writes.
    bool may_take_over(Id out, Id argument) {
        if (at(out).place != Place::Fresh) return false;
        if (std::count(p.outputs.begin(), p.outputs.end(), out) != 1) return false;
        for (Id id : p.outputs)
            if (root(id) == argument) return false;
        size_t n = writer_of(out);
        if (n == SIZE_MAX || last[static_cast<size_t>(argument)] > static_cast<int>(n))
            return false;
        if (dtype_size(at(out).type.dtype) != dtype_size(at(argument).type.dtype)) return false;
        if (auto call = std::get_if<ExternStep>(&p.steps[n].kind))
            return call_may_take_over(*call, p.steps[n].reads(), out, argument);
        if (auto product = std::get_if<ContractStep>(&p.steps[n].kind))
            return product->inputs[2] == argument && read_once(product->inputs, argument);
        return kernel_may_take_over(std::get<KernelStep>(p.steps[n].kind), out, argument);
    }

    bool call_may_take_over(const ExternStep& step, const std::vector<Id>& reads, Id out,
                            Id argument) {
        int in_place = host_code(*step.op).in_place;
        if (in_place < 0 || out != step.outputs[0]) return false;
        return step.inputs[static_cast<size_t>(in_place)] == argument && read_once(reads, argument);
    }

    bool kernel_may_take_over(const KernelStep& step, Id out, Id argument) {
        size_t o = static_cast<size_t>(std::find(step.operands.begin(), step.operands.end(), out) -
                                       step.operands.begin());
        for (size_t i = 0; i + static_cast<size_t>(step.outputs) < step.operands.size(); ++i) {
            if (root(step.operands[i]) != argument) continue;
            if (step.operands[i] != argument || step.maps[i] != step.maps[o]) return false;
            const auto& kernel = p.kernels[static_cast<size_t>(step.kernel)];
            if (!kernel::can_share(kernel, static_cast<int>(i), static_cast<int>(o))) return false;
        }
        return true;
    }

    void run(const std::vector<std::pair<int, int>>& updates) {
        split_tail(updates);
        mark_outputs();
        find_last_uses();
        released.resize(p.values.size(), false);
        for (auto [output, input] : updates) {
            Id out = p.outputs[static_cast<size_t>(output)],
               argument = p.inputs[static_cast<size_t>(input)];
            if (may_take_over(out, argument)) at(out).source = argument;
        }
        for (size_t n = 0; n < p.steps.size(); ++n) assign(n);
    }

    Program& p;
    std::vector<int> last;
    std::vector<bool> released;
    std::map<Id, Id> taken;  // of the current step: input to the output that takes its memory over
    std::multimap<uint64_t, int> free_by_type;
    std::vector<int> slot_rank;
};
}  // namespace

void plan_memory(Program& program, const std::vector<std::pair<int, int>>& updates) {
    program.slots = 0;
    Planner(program).run(updates);
}

}  // namespace croton::compile
