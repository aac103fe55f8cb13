#include "croton/backend/cpu/positions.hpp"

#include <algorithm>

#include "croton/backend/cpu/plan.hpp"

namespace croton::cpu {

using kernel::Instruction;
using kernel::OpCode;

namespace {
// Longer computations are done once, in vectors.
constexpr int most_instructions = 40;

int own_cost(OpCode op) { return kernel::is_function(op) ? most_instructions : 1; }
}  // namespace

// The kernel axis along which the launcher lets lanes run, nearly always.
static int usual_lane_axis(const kernel::Kernel& kernel, size_t section, bool lanes) {
    auto kind = kernel.sections[section].kind;
    bool outer = lanes || kind == kernel::SectionKind::Outer || kind == kernel::SectionKind::Loop;
    return (outer ? kernel.outer : kernel.rank) - 1;
}

Positions::Positions(const kernel::Kernel& kernel, size_t section, bool lanes)
    : forms_(static_cast<size_t>(kernel.values), Form::Unknown),
      costs_(static_cast<size_t>(kernel.values), 0),
      definitions_(static_cast<size_t>(kernel.values)),
      spare_(static_cast<size_t>(kernel.values), false) {
    int lane_axis = usual_lane_axis(kernel, section, lanes);
    // What earlier sections computed is known here only if it is computed anew.
    for (size_t s = 0; s <= section; ++s)
        for (const auto& i : kernel.sections[s].body) {
            if (i.result < 0 || (s < section && !is_rematerialised(i.op))) continue;
            auto id = static_cast<size_t>(i.result);
            definitions_[id] = &i;
            costs_[id] = own_cost(i.op);
            for (auto argument : i.arguments) costs_[id] += costs_[static_cast<size_t>(argument)];
            costs_[id] = std::min(costs_[id], most_instructions);
            forms_[id] = form_of(kernel, i, lane_axis);
        }
    find_spares(kernel, section);
}

Positions::Form Positions::form_of(const kernel::Kernel& kernel, const Instruction& i,
                                   int lane_axis) const {
    auto all_fixed = [&] {
        return std::all_of(i.arguments.begin(), i.arguments.end(),
                           [&](auto argument) { return fixed(argument); });
    };
    switch (i.op) {
        case OpCode::index_: return i.axis == lane_axis ? Form::Stepping : Form::Fixed;
        case OpCode::load_: {
            uint64_t axes = kernel.operands[static_cast<size_t>(i.operand)].broadcast_axes;
            bool stands = lane_axis >= 0 && lane_axis < 64 && (axes >> lane_axis & 1) != 0;
            return stands ? Form::Fixed : Form::Unknown;
        }
        case OpCode::add_:
        case OpCode::sub_: {
            if (all_fixed()) return Form::Fixed;
            bool steps = i.dtype == DType::Int64 && form(i.arguments[0]) != Form::Unknown &&
                         form(i.arguments[1]) != Form::Unknown;
            return steps ? Form::Stepping : Form::Unknown;
        }
        case OpCode::select_: return form_of_choice(i);
        case OpCode::store_: return Form::Unknown;
        default: return all_fixed() ? Form::Fixed : Form::Unknown;
    }
}

// All lanes choose alike, one of two values that step (or do not).
Positions::Form Positions::form_of_choice(const Instruction& i) const {
    Form yes = form(i.arguments[1]), no = form(i.arguments[2]);
    if (!fixed(i.arguments[0]) || yes == Form::Unknown || no == Form::Unknown) return Form::Unknown;
    return yes == Form::Fixed && no == Form::Fixed ? Form::Fixed : Form::Stepping;
}

Reach Positions::reach(const Instruction& load) const {
    bool steps = false;
    for (auto argument : load.arguments) {
        bool dear = costs_[static_cast<size_t>(argument)] >= most_instructions;
        if (form(argument) == Form::Unknown || dear) return Reach::Scattered;
        steps |= form(argument) == Form::Stepping;
    }
    return steps ? Reach::Neighbours : Reach::Same;
}

// Everything that a load's positions are computed from.
template <class Visit>
void Positions::visit_sources(const Instruction& load, Visit visit) const {
    std::vector<kernel::ValueId> stack(load.arguments.begin(), load.arguments.end());
    std::vector<bool> seen(forms_.size(), false);
    while (!stack.empty()) {
        auto id = static_cast<size_t>(stack.back());
        stack.pop_back();
        if (seen[id]) continue;
        seen[id] = true;
        const Instruction& i = *definitions_[id];
        stack.insert(stack.end(), i.arguments.begin(), i.arguments.end());
        visit(i);
    }
}

std::vector<const Instruction*> Positions::fixed_sources(const Instruction& load) const {
    std::vector<const Instruction*> found;
    visit_sources(load, [&](const Instruction& i) {
        bool source = i.op == OpCode::index_ || i.op == OpCode::load_;
        if (source && fixed(i.result)) found.push_back(&i);
    });
    return found;
}

bool Positions::far_rows(const Instruction& i) const {
    if (i.op != OpCode::load_at_ || spare(i.result) || reach(i) != Reach::Neighbours) return false;
    bool told_by_table = false;
    visit_sources(i, [&](const Instruction& source) {
        told_by_table |= source.op == OpCode::load_at_ && !source.arguments.empty();
    });
    return told_by_table;
}

// Backwards from what is stored, folded, kept, or read by loads whose lanes lie anywhere.
void Positions::find_spares(const kernel::Kernel& kernel, size_t section) {
    const auto& here = kernel.sections[section];
    std::vector<bool> wanted(forms_.size(), here.kind == kernel::SectionKind::Outer);
    for (const auto& a : here.accumulators) wanted[static_cast<size_t>(a.value)] = true;
    for (const auto& a : here.across) wanted[static_cast<size_t>(a.value)] = true;
    for (const auto& c : here.carried) wanted[static_cast<size_t>(c.next)] = true;
    auto kept = kernel::kept_values(kernel);
    for (size_t id = 0; id < kept.size(); ++id) wanted[id] = wanted[id] || kept[id];
    // A load that nothing comes of may still be out of bounds.
    std::vector<bool> used = wanted;
    for (size_t n = here.body.size(); n-- > 0;) {
        const Instruction& i = here.body[n];
        bool matters = i.result < 0 || used[static_cast<size_t>(i.result)];
        if (!matters && i.op != OpCode::load_at_) continue;
        if (!matters) wanted[static_cast<size_t>(i.result)] = true;
        for (auto argument : i.arguments) used[static_cast<size_t>(argument)] = true;
    }
    for (size_t n = here.body.size(); n-- > 0;) {
        const Instruction& i = here.body[n];
        if (i.result >= 0)
            spare_[static_cast<size_t>(i.result)] = !wanted[static_cast<size_t>(i.result)];
        if (i.result >= 0 && !wanted[static_cast<size_t>(i.result)]) continue;
        if (i.op == OpCode::load_at_ && reach(i) != Reach::Scattered) continue;
        for (auto argument : i.arguments) wanted[static_cast<size_t>(argument)] = true;
    }
}

}  // namespace croton::cpu
