#include "croton/compile/epilogue.hpp"

#include <algorithm>
#include <climits>

namespace croton::compile {

using namespace runtime;

namespace {
bool is_identity(const AxisMap& map, int rank) {
    if (map.size() != static_cast<size_t>(rank)) return false;
    for (size_t axis = 0; axis < map.size(); ++axis)
        if (map[axis] != static_cast<int>(axis)) return false;
    return true;
}

// A block does not know where it lies.
bool asks_for_place(const kernel::Kernel& kernel) {
    const auto& body = kernel.sections[0].body;
    return std::any_of(body.begin(), body.end(), [](const kernel::Instruction& i) {
        return i.op == kernel::OpCode::index_ || i.op == kernel::OpCode::extent_;
    });
}

bool has_table(const kernel::Kernel& kernel) {
    return std::any_of(kernel.operands.begin(), kernel.operands.end(), [](const auto& operand) {
        return operand.kind == kernel::OperandKind::Table;
    });
}

bool same_dims(const TensorType& a, const TensorType& b) {
    if (a.rank() != b.rank()) return false;
    for (size_t i = 0; i < a.dims.size(); ++i)
        if (!a.dims[i].certainly_equals(b.dims[i])) return false;
    return true;
}

class Attacher {
  public:
    Attacher(Program& program, const std::vector<std::pair<int, int>>& updates)
        : p_(program), facts_(program.values.size()), images_(program.values.size(), -1) {
        for (size_t n = 0; n < p_.steps.size(); ++n) note(static_cast<int>(n));
        for (Id id : p_.outputs) {
            ++fact(id).readers;
            fact(root(id)).last = INT_MAX;
        }
        for (auto [output, input] : updates)
            fact(p_.outputs[static_cast<size_t>(output)]).updates = true;
    }

    void run() {
        std::vector<bool> gone(p_.steps.size(), false);
        for (size_t n = 0; n < p_.steps.size(); ++n) {
            auto kernel = std::get_if<KernelStep>(&p_.steps[n].kind);
            int product = kernel ? product_for(*kernel) : -1;
            if (product < 0) continue;
            auto maker =
                static_cast<size_t>(fact(kernel->operands[static_cast<size_t>(product)]).maker);
            attach(p_.steps[maker], p_.steps[n], product);
            gone[maker] = true;
        }
        if (std::find(gone.begin(), gone.end(), true) == gone.end()) return;
        size_t next = 0;
        std::erase_if(p_.steps, [&](const Step&) { return gone[next++]; });
        drop_products();
    }

  private:
    struct Fact {
        int maker = -1, readers = 0;
        int last = -1;  ///< step that reads its memory, be it through a view
        bool updates = false;
    };
    Fact& fact(Id id) { return facts_[static_cast<size_t>(id)]; }
    Id root(Id id) const {
        while (p_.values[static_cast<size_t>(id)].place == Place::View)
            id = p_.values[static_cast<size_t>(id)].source;
        return id;
    }
    const TensorType& type(Id id) const { return p_.values[static_cast<size_t>(id)].type; }

    void note(int n) {
        const Step& step = p_.steps[static_cast<size_t>(n)];
        for (Id id : step.reads()) {
            ++fact(id).readers;
            int& last = fact(root(id)).last;
            last = std::max(last, n);
        }
        for (Id id : step.writes()) fact(id).maker = n;
    }

    ContractStep* maker_of(Id id) {
        int n = fact(id).maker;
        return n < 0 ? nullptr : std::get_if<ContractStep>(&p_.steps[static_cast<size_t>(n)].kind);
    }

    // The operand that becomes the product: of several, the one that is made last.
    int product_for(const KernelStep& step) {
        int best = -1;
        auto made = [&](int i) { return fact(step.operands[static_cast<size_t>(i)]).maker; };
        for (int i = 0; i + step.outputs < static_cast<int>(step.operands.size()); ++i) {
            Id id = step.operands[static_cast<size_t>(i)];
            const ContractStep* product = maker_of(id);
            if (!product || product->epilogue || fact(id).readers != 1) continue;
            if (!can_be_epilogue(p_, step, i) || !fits(step, id)) continue;
            if (holds_more(step, *product, id)) continue;
            if (best < 0 || made(i) > made(best)) best = i;
        }
        return best;
    }

    // All results have the product's sizes, and none of them is to be written over an argument.
    bool fits(const KernelStep& step, Id product) {
        auto outputs = step.operands.end() - step.outputs;
        return std::all_of(outputs, step.operands.end(), [&](Id id) {
            return same_dims(type(id), type(product)) && !fact(id).updates;
        });
    }

    // Whether memory of the product's factors that would be free before the kernel runs is held
    // while more is made than the product: other results, or operands made in between.
    bool holds_more(const KernelStep& step, const ContractStep& product, Id id) {
        const int made = fact(id).maker;
        const bool frees = std::any_of(product.inputs.begin(), product.inputs.end(), [&](Id input) {
            return fact(root(input)).maker >= 0 && fact(root(input)).last == made;
        });
        if (!frees) return false;
        return step.outputs > 1 ||
               std::any_of(step.operands.begin(), step.operands.end() - step.outputs,
                           [&](Id other) { return fact(other).maker > made; });
    }

    void attach(Step& from, Step& to, int product) {
        auto& kernel = std::get<KernelStep>(to.kind);
        auto contract = std::move(std::get<ContractStep>(from.kind));
        Id raw = contract.output;
        for (size_t i = kernel.operands.size() - static_cast<size_t>(kernel.outputs);
             i < kernel.operands.size(); ++i)
            if (kernel::can_share(kernel_of(kernel), product, static_cast<int>(i)))
                contract.output = kernel.operands[i];
        kernel.operands[static_cast<size_t>(product)] = contract.output;
        std::string label = cat(from.label, " ", to.label);
        contract.epilogue = Epilogue{std::move(kernel), product, to.site, std::move(to.label)};
        to = {std::move(contract), from.site, std::move(label)};
        images_[static_cast<size_t>(raw)] = gone;
    }

    const kernel::Kernel& kernel_of(const KernelStep& step) const {
        return p_.kernels[static_cast<size_t>(step.kernel)];
    }

    // --- numbers without those of the products ---------------------------------------------------

    static constexpr Id gone = -2;

    void drop_products() {
        std::vector<Value> values;
        for (size_t i = 0; i < images_.size(); ++i) {
            if (images_[i] == gone) continue;
            images_[i] = static_cast<Id>(values.size());
            values.push_back(std::move(p_.values[i]));
        }
        p_.values = std::move(values);
        for (Value& value : p_.values)
            if (value.source >= 0) renumber(value.source);
        renumber(p_.inputs);
        renumber(p_.outputs);
        for (Step& step : p_.steps) std::visit([this](auto& kind) { renumber(kind); }, step.kind);
    }

    void renumber(Id& id) {
        id = images_[static_cast<size_t>(id)];
        CROTON_ASSERT(id >= 0);
    }
    void renumber(std::vector<Id>& ids) {
        for (Id& id : ids) renumber(id);
    }
    void renumber(KernelStep& step) {
        renumber(step.operands);
        renumber(step.shape_inputs);
    }
    void renumber(ViewStep& step) {
        renumber(step.inputs);
        renumber(step.output);
    }
    void renumber(ExternStep& step) {
        renumber(step.inputs);
        renumber(step.outputs);
    }
    void renumber(ContractStep& step) {
        renumber(step.inputs);
        renumber(step.output);
        if (step.epilogue) renumber(step.epilogue->kernel);
    }
    void renumber(BranchStep& step) {
        renumber(step.condition);
        renumber(step.then_inputs);
        renumber(step.else_inputs);
        renumber(step.outputs);
    }
    void renumber(LoopStep& step) {
        renumber(step.inputs);
        renumber(step.outputs);
    }

    Program& p_;
    std::vector<Fact> facts_;
    std::vector<Id> images_;  // of values, once some are dropped
};
}  // namespace

bool can_be_epilogue(const Program& program, const KernelStep& step, int product) {
    const auto& kernel = program.kernels[static_cast<size_t>(step.kernel)];
    if (kernel.rank < 2 || kernel.sections.size() != 1 || step.shape_op || step.steps_axis >= 0 ||
        step.reject_empty || !kernel::can_split(kernel) || kernel.outer > 0)
        return false;
    if (has_table(kernel) || asks_for_place(kernel)) return false;
    bool in_place = false;
    const int count = static_cast<int>(step.operands.size());
    for (int i = count - step.outputs; i < count; ++i) {
        if (!is_identity(step.maps[static_cast<size_t>(i)], kernel.rank)) return false;
        in_place |= kernel::can_share(kernel, product, i);
    }
    return in_place && is_identity(step.maps[static_cast<size_t>(product)], kernel.rank);
}

void attach_epilogues(Program& program, const std::vector<std::pair<int, int>>& updates) {
    Attacher(program, updates).run();
}

}  // namespace croton::compile
