#include "croton/backend/cpu/plan.hpp"

#include <algorithm>
#include <utility>

#include "croton/backend/cpu/positions.hpp"
#include "croton/base/error.hpp"

namespace croton::cpu {

using kernel::Kernel;
using kernel::OpCode;
using kernel::OperandKind;
using kernel::SectionKind;

namespace {
void add_once(std::vector<int>& list, int item) {
    if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

class Planner {
  public:
    explicit Planner(const Kernel& kernel)
        : kernel_(kernel), dtypes_(kernel::value_dtypes(kernel)) {}

    Plan make() {
        plan_.rank = kernel_.rank;
        plan_.outer = kernel_.outer;
        plan_.extents = reads_extents() ? kernel_.rank : 0;
        plan_.words = extents_word + plan_.extents;
        plan_.operand_streams.assign(kernel_.operands.size(), -1);
        plan_.tables.resize(kernel_.operands.size());
        plan_.index_streams.assign(static_cast<size_t>(kernel_.rank), -1);
        plan_.value_slots.assign(static_cast<size_t>(kernel_.values), -1);
        plan_.sections.resize(kernel_.sections.size());
        add_operands();
        add_numbers();
        add_kept();
        add_running();
        plan_.inputs_and_outputs = static_cast<int>(plan_.streams.size());
        add_slots();
        for (size_t s = 0; s < kernel_.sections.size(); ++s) list_uses(s);
        choose_width();
        return std::move(plan_);
    }

  private:
    int add_stream(StreamKind kind, int number, DType dtype, int item) {
        plan_.streams.push_back({kind, number, dtype, item, plan_.words});
        plan_.words += 3;
        return static_cast<int>(plan_.streams.size()) - 1;
    }

    bool reads_extents() const {
        for (const auto& section : kernel_.sections)
            for (const auto& i : section.body)
                if (i.op == OpCode::extent_) return true;
        return false;
    }

    void add_operands() {
        uint64_t all = kernel_.rank >= 64 ? ~uint64_t{0} : (uint64_t{1} << kernel_.rank) - 1;
        for (size_t i = 0; i < kernel_.operands.size(); ++i) {
            const auto& operand = kernel_.operands[i];
            int number = static_cast<int>(i), item = dtype_size(operand.dtype);
            if (operand.kind == OperandKind::Table) {
                plan_.tables[i] = {plan_.words, operand.rank};
                plan_.words += 1 + 2 * operand.rank;
                plan_.has_tables = true;
                continue;
            }
            bool in = operand.kind == OperandKind::In;
            plan_.operand_streams[i] =
                add_stream(in ? StreamKind::In : StreamKind::Out, number, operand.dtype, item);
            plan_.streams.back().uniform = in && (operand.broadcast_axes & all) == all;
        }
    }

    void add_numbers() {
        for (const auto& section : kernel_.sections) {
            for (const auto& i : section.body) {
                if (i.op != OpCode::index_) continue;
                int& stream = plan_.index_streams[static_cast<size_t>(i.axis)];
                if (stream < 0) stream = add_stream(StreamKind::Index, i.axis, DType::Int64, 1);
            }
            for (const auto& a : section.accumulators)
                if (is_arg(a.combine) && plan_.position_stream < 0)
                    plan_.position_stream = add_stream(StreamKind::Position, 0, DType::Int64, 1);
        }
    }

    void add_kept() {
        auto kept = kernel::kept_values(kernel_);
        plan_.kept_streams.assign(kept.size(), -1);
        for (const auto& section : kernel_.sections)
            for (const auto& i : section.body) {
                if (i.result < 0 || is_rematerialised(i.op)) continue;
                auto id = static_cast<size_t>(i.result);
                if (!kept[id]) continue;
                int item = dtype_size(i.dtype);
                plan_.kept_bytes += item;
                plan_.kept_streams[id] = add_stream(StreamKind::Kept, 0, i.dtype, item);
            }
    }

    void add_running() {
        for (size_t s = 0; s < kernel_.sections.size(); ++s) {
            const auto& across = kernel_.sections[s].across;
            size_t before = plan_.running.size();
            std::vector<size_t> numbers;  // of the running value of each
            for (size_t n = 0; n < across.size(); ++n) {
                const auto& a = across[n];
                auto equal = std::find_if(across.begin(), across.end(), [&](const auto& other) {
                    return other.combine == a.combine && other.value == a.value;
                });
                auto first = static_cast<size_t>(equal - across.begin());
                numbers.push_back(first < n ? numbers[first] : before++);
                if (first == n) add_running_value(a, s);
                plan_.sections[s].across.push_back(first < n ? -1 : plan_.running.back().stream);
                int target = plan_.operand_streams[static_cast<size_t>(a.operand)];
                plan_.streams[static_cast<size_t>(target)].at_end = true;
                plan_.running[numbers[n]].targets.push_back(target);
            }
        }
    }

    void add_running_value(const kernel::Across& a, size_t section) {
        DType state = state_dtype(a.combine, dtypes_[static_cast<size_t>(a.value)]);
        int stream = add_stream(StreamKind::Running, 0, state, dtype_size(state));
        bool row = kernel_.sections[section].kind != SectionKind::Outer;
        plan_.running.push_back({stream, {}, a.combine, row});
    }

    int add_slot(DType dtype) {
        int item = dtype_size(dtype);
        plan_.slot_bytes += item;
        return add_stream(StreamKind::Slot, 0, dtype, item);
    }

    // A slot for each value of an Outer section that a later section uses, and two or one for each
    // accumulator.
    void add_slots() {
        std::vector<int> home(static_cast<size_t>(kernel_.values), -1);  // defining Outer section
        auto use = [&](kernel::ValueId id, size_t section) {
            auto v = static_cast<size_t>(id);
            if (home[v] < 0 || home[v] == static_cast<int>(section)) return;
            if (plan_.value_slots[v] < 0) {
                plan_.value_slots[v] = add_slot(dtypes_[v]);
                plan_.sections[static_cast<size_t>(home[v])].writes.push_back(plan_.value_slots[v]);
            }
        };
        for (size_t s = 0; s < kernel_.sections.size(); ++s) {
            const auto& section = kernel_.sections[s];
            for (const auto& i : section.body) {
                for (auto argument : i.arguments) use(argument, s);
                if (section.kind == SectionKind::Outer && i.result >= 0 && !is_rematerialised(i.op))
                    home[static_cast<size_t>(i.result)] = static_cast<int>(s);
            }
            for (const auto& c : section.carried) {
                use(c.initial, s);
                use(c.next, s);
                int slot = add_slot(c.dtype);
                plan_.value_slots[static_cast<size_t>(c.result)] = slot;
                plan_.sections[s].accumulators.push_back({slot, -1, c.dtype});
            }
            for (const auto& a : section.accumulators) {
                use(a.value, s);
                AccumulatorPlan made;
                made.state = state_dtype(a.combine, dtypes_[static_cast<size_t>(a.value)]);
                made.slot = add_slot(made.state);
                if (is_arg(a.combine)) made.position_slot = add_slot(DType::Int64);
                plan_.value_slots[static_cast<size_t>(a.result)] =
                    is_arg(a.combine) ? made.position_slot : made.slot;
                plan_.sections[s].accumulators.push_back(made);
            }
            for (const auto& a : section.across) use(a.value, s);
        }
    }

    // What a section touches; rematerialised values of earlier sections count where they are used.
    void list_uses(size_t s) {
        const auto& section = kernel_.sections[s];
        auto& uses = plan_.sections[s];
        uses.kind = section.kind;
        auto read = [&](kernel::ValueId id) {
            int slot = plan_.value_slots[static_cast<size_t>(id)];
            bool own = std::find(uses.writes.begin(), uses.writes.end(), slot) != uses.writes.end();
            if (slot >= 0 && !own) add_once(uses.reads, slot);
            int kept = plan_.kept_streams[static_cast<size_t>(id)];
            bool here = std::find(uses.outs.begin(), uses.outs.end(), kept) != uses.outs.end();
            if (kept >= 0 && !here) add_once(uses.ins, kept);
            if (int axis = index_axis(id); axis >= 0)
                add_once(uses.numbers, plan_.index_streams[static_cast<size_t>(axis)]);
        };
        for (const auto& i : section.body) {
            if (i.op == OpCode::load_)
                add_once(uses.ins, plan_.operand_streams[static_cast<size_t>(i.operand)]);
            if (i.op == OpCode::store_)
                add_once(uses.outs, plan_.operand_streams[static_cast<size_t>(i.operand)]);
            if (i.op == OpCode::index_)
                add_once(uses.numbers, plan_.index_streams[static_cast<size_t>(i.axis)]);
            for (auto argument : i.arguments) read(argument);
            if (i.result < 0) continue;
            if (int kept = plan_.kept_streams[static_cast<size_t>(i.result)]; kept >= 0)
                add_once(uses.outs, kept);
        }
        for (const auto& c : section.carried) {
            read(c.initial);
            read(c.next);
        }
        for (const auto& a : section.accumulators) {
            read(a.value);
            if (is_arg(a.combine)) add_once(uses.numbers, plan_.position_stream);
        }
        for (const auto& a : section.across) read(a.value);
        for (int stream : uses.across)
            if (stream >= 0) uses.outs.push_back(stream);
    }

    int index_axis(kernel::ValueId id) {
        if (index_of_.empty()) {
            index_of_.assign(static_cast<size_t>(kernel_.values), -1);
            for (const auto& section : kernel_.sections)
                for (const auto& i : section.body)
                    if (i.op == OpCode::index_) index_of_[static_cast<size_t>(i.result)] = i.axis;
        }
        return index_of_[static_cast<size_t>(id)];
    }

    void choose_width() {
        int narrow = 0, wide = 0;
        for (size_t s = 0; s < kernel_.sections.size(); ++s) {
            Positions positions(kernel_, s, false);
            for (const auto& i : kernel_.sections[s].body) {
                if (is_complex(i.dtype)) plan_.scalar = true;
                if (is_rematerialised(i.op) || is_bool(i.dtype)) continue;
                if (i.result >= 0 && positions.spare(i.result)) continue;
                ++(dtype_size(i.dtype) <= 4 ? narrow : wide);
            }
        }
        plan_.lane_bytes = narrow >= wide ? 4 : 8;
    }

    const Kernel& kernel_;
    std::vector<DType> dtypes_;
    std::vector<int> index_of_;
    Plan plan_;
};
}  // namespace

bool is_rematerialised(OpCode op) {
    return op == OpCode::constant_ || op == OpCode::index_ || op == OpCode::extent_ ||
           op == OpCode::size_;
}

DType state_dtype(kernel::Combine combine, DType value) {
    if (combine != kernel::Combine::Sum && combine != kernel::Combine::Prod) return value;
    if (value == DType::Float32) return DType::Float64;
    if (value == DType::Complex64) return DType::Complex128;
    return value;
}

bool has_lanes_form(const Kernel& kernel, size_t section) {
    auto kind = kernel.sections[section].kind;
    return (kind == SectionKind::Reduce || kind == SectionKind::Loop) && kernel.outer > 0;
}

Plan make_plan(const Kernel& kernel) { return Planner(kernel).make(); }

bool has_two_forms(const Plan& plan) {
    auto has = [&](SectionKind kind) {
        return std::any_of(plan.sections.begin(), plan.sections.end(),
                           [&](const SectionPlan& section) { return section.kind == kind; });
    };
    return plan.outer > 0 && has(SectionKind::Reduce) && !has(SectionKind::Loop);
}

namespace {
// A section costs LLVM something however short it is; the maths of functions is inlined.
int64_t section_length(const Kernel& kernel, const Plan& plan, size_t section) {
    int64_t length = 0;
    for (const auto& i : kernel.sections[section].body)
        length += kernel::is_function(i.op) ? 20 : 1;
    bool once = plan.form == Form::Rows && kernel.sections[section].kind == SectionKind::Outer;
    bool twice = plan.form == Form::Whole && has_lanes_form(kernel, section);
    return once ? length : (length + 10) * (twice ? 2 : 1);
}
}  // namespace

int64_t code_length(const Kernel& kernel, const Plan& plan) {
    int64_t length = 0;
    for (size_t s = plan.first_section; s < kernel.sections.size() && s <= plan.last_section; ++s)
        length += section_length(kernel, plan, s);
    return length;
}

std::vector<Plan> parts_of_form(const Kernel& kernel, const Plan& plan, Form form) {
    constexpr int64_t worth_a_part = 40, most_parts = 4;
    Plan whole = plan_of_form(plan, form);
    int64_t length = code_length(kernel, whole), done = 0;
    int64_t count = std::clamp<int64_t>(length / worth_a_part, 1, most_parts);
    std::vector<Plan> parts;
    size_t first = 0;
    for (size_t s = 0; s < kernel.sections.size(); ++s) {
        done += section_length(kernel, whole, s);
        auto ended = static_cast<int64_t>(parts.size()) + 1;
        bool last = s + 1 == kernel.sections.size();
        if (!last && (ended == count || done * count < ended * length)) continue;
        parts.push_back(whole);
        parts.back().first_section = std::exchange(first, s + 1);
        parts.back().last_section = s;
    }
    if (parts.size() == 1) parts[0] = whole;
    return parts;
}

Plan plan_of_form(const Plan& plan, Form form) {
    Plan result = plan;
    result.form = form;
    return result;
}

}  // namespace croton::cpu
