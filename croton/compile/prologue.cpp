#include "croton/compile/prologue.hpp"

#include <algorithm>

namespace croton::compile {

using namespace runtime;

namespace {
class Attacher {
  public:
    Attacher(Program& program, const std::vector<std::pair<int, int>>& updates)
        : p_(program), facts_(program.values.size()) {
        for (size_t n = 0; n < p_.steps.size(); ++n) note(static_cast<int>(n));
        for (Id id : p_.outputs) ++fact(id).readers;
        for (auto [output, input] : updates)
            fact(p_.inputs[static_cast<size_t>(input)]).updated = true;
    }

    void run() {
        std::vector<bool> gone(p_.steps.size(), false);
        for (size_t n = 0; n < p_.steps.size(); ++n) {
            auto call = std::get_if<ExternStep>(&p_.steps[n].kind);
            int input = call ? row_input(p_, *call) : -1;
            if (input < 0) continue;
            const int maker = fact(call->inputs[static_cast<size_t>(input)]).maker;
            if (maker < 0 || !fits(maker, static_cast<int>(n), input)) continue;
            attach(p_.steps[static_cast<size_t>(maker)], p_.steps[n], input);
            gone[static_cast<size_t>(maker)] = true;
        }
        size_t next = 0;
        std::erase_if(p_.steps, [&](const Step&) { return gone[next++]; });
    }

  private:
    struct Fact {
        int maker = -1, readers = 0;
        int last = -1;  ///< step that reads its memory, be it through a view
        bool updated = false;
    };
    Value& value(Id id) { return p_.values[static_cast<size_t>(id)]; }
    Fact& fact(Id id) { return facts_[static_cast<size_t>(id)]; }
    Id root(Id id) {
        while (value(id).place == Place::View) id = value(id).source;
        return id;
    }

    void note(int n) {
        const Step& step = p_.steps[static_cast<size_t>(n)];
        for (Id id : step.reads()) {
            ++fact(id).readers;
            fact(root(id)).last = n;
        }
        for (Id id : step.writes()) fact(id).maker = n;
    }

    bool fits(int maker, int taker, int input) {
        auto kernel = std::get_if<KernelStep>(&p_.steps[static_cast<size_t>(maker)].kind);
        const auto& call = std::get<ExternStep>(p_.steps[static_cast<size_t>(taker)].kind);
        if (!kernel || fact(kernel->operands.back()).readers != 1) return false;
        return can_be_prologue(p_, *kernel) && reads_apart(*kernel, call, input) &&
               !holds_more(*kernel, maker, taker);
    }

    // While some rows are made others are written: what the kernel reads may not lie there, nor
    // should it be what somebody else is about to write over.
    bool reads_apart(const KernelStep& kernel, const ExternStep& call, int input) {
        for (Id id : reads_of(kernel)) {
            Id memory = root(id);
            if (value(memory).place == Place::Constant) continue;
            if (fact(memory).updated) return false;
            for (size_t i = 0; i < call.inputs.size(); ++i)
                if (static_cast<int>(i) != input && writes_over(call, static_cast<int>(i)) &&
                    root(call.inputs[i]) == memory)
                    return false;
        }
        return true;
    }

    static bool writes_over(const ExternStep& call, int input) {
        return host_code(*call.op).in_place == input;
    }

    // Whether more than one array would have to stay until the values are taken that need not now:
    // one is no more than the values were.
    bool holds_more(const KernelStep& kernel, int maker, int taker) {
        const int rank = value(kernel.operands.back()).type.rank();
        std::vector<Id> kept;
        for (Id id : reads_of(kernel)) {
            Id memory = root(id);
            bool longer = fact(memory).maker >= 0 && fact(memory).last >= maker &&
                          fact(memory).last < taker && value(memory).type.rank() >= rank;
            if (longer && std::find(kept.begin(), kept.end(), memory) == kept.end())
                kept.push_back(memory);
        }
        return kept.size() > 1;
    }

    static std::vector<Id> reads_of(const KernelStep& kernel) {
        return {kernel.operands.begin(), kernel.operands.end() - kernel.outputs};
    }

    void attach(Step& from, Step& to, int input) {
        auto& call = std::get<ExternStep>(to.kind);
        value(call.inputs[static_cast<size_t>(input)]).place = Place::Rows;
        to.label = cat(from.label, " ", to.label);
        call.prologue = Prologue{std::move(std::get<KernelStep>(from.kind)), input, from.site,
                                 std::move(from.label)};
        for (Id id : reads_of(call.prologue->kernel)) {
            int& last = fact(root(id)).last;
            last = std::max(last, static_cast<int>(&to - p_.steps.data()));
        }
    }

    Program& p_;
    std::vector<Fact> facts_;
};
}  // namespace

int row_input(const Program& program, const ExternStep& step) {
    auto compute = step.op->kind<ExternCompute>();
    if (!compute || !compute->row_input || step.prologue) return -1;
    std::vector<const TensorType*> types;
    for (Id id : step.inputs) types.push_back(&program.values[static_cast<size_t>(id)].type);
    return compute->row_input({*step.op, step.attrs.get()}, types);
}

bool can_be_prologue(const Program& program, const KernelStep& step) {
    const auto& kernel = program.kernels[static_cast<size_t>(step.kernel)];
    if (step.outputs != 1 || step.shape_op || step.steps_axis >= 0 || step.reject_empty ||
        !step.splittable || kernel.rank < 1 || kernel.outer > 0 || kernel.sections.size() != 1 ||
        !kernel::can_split(kernel))
        return false;
    for (const auto& operand : kernel.operands)
        if (operand.kind == kernel::OperandKind::Table) return false;
    for (const auto& i : kernel.sections[0].body)  // rows do not know where they lie
        if (i.op == kernel::OpCode::index_ || i.op == kernel::OpCode::extent_) return false;
    const AxisMap& map = step.maps.back();
    int next = 0;  // all axes of the kernel in order, the first one in front
    for (int axis : map)
        if (axis >= 0 && axis != next++) return false;
    return next == kernel.rank && map[0] == 0;
}

void attach_prologues(Program& program, const std::vector<std::pair<int, int>>& updates) {
    Attacher(program, updates).run();
}

}  // namespace croton::compile
