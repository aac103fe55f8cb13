#include "croton/runtime/program.hpp"

#include <algorithm>

namespace croton::runtime {

namespace {
template <class... Fs>
struct Overloaded : Fs... {
    using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

std::string ids_text(const std::vector<Id>& ids) {
    return join(ids, ", ", [](Id id) { return cat("%", id); });
}

std::string place_text(const Value& value) {
    switch (value.place) {
        case Place::Argument: return "argument";
        case Place::Constant:
            return value.constant.size() == 1 ? "= " + value.constant.text() : "constant";
        case Place::Slot:
            return value.source >= 0 ? cat("slot ", value.slot, " over %", value.source)
                                     : cat("slot ", value.slot);
        case Place::View: return cat("view of %", value.source);
        case Place::Fresh: return "fresh";
        case Place::Rows: return "rows";
    }
    return "?";
}
}  // namespace

namespace {
std::vector<Id> reads_of(const KernelStep& step) {
    std::vector<Id> ids(step.operands.begin(), step.operands.end() - step.outputs);
    ids.insert(ids.end(), step.shape_inputs.begin(), step.shape_inputs.end());
    return ids;
}

std::vector<Id> writes_of(const KernelStep& step) {
    return std::vector<Id>(step.operands.end() - step.outputs, step.operands.end());
}

// The step's own inputs, then those of the prologue.
std::vector<Id> reads_of(const ExternStep& step) {
    if (!step.prologue) return step.inputs;
    std::vector<Id> ids = step.inputs, others = reads_of(step.prologue->kernel);
    ids.erase(ids.begin() + step.prologue->input);
    ids.insert(ids.end(), others.begin(), others.end());
    return ids;
}

std::vector<Id> reads_of(const ContractStep& step) {
    std::vector<Id> ids = step.inputs;
    if (step.epilogue)
        for (Id id : reads_of(step.epilogue->kernel))
            if (id != step.output) ids.push_back(id);
    return ids;
}
}  // namespace

const KernelStep* Step::kernel() const {
    if (auto product = std::get_if<ContractStep>(&kind))
        return product->epilogue ? &product->epilogue->kernel : nullptr;
    if (auto call = std::get_if<ExternStep>(&kind))
        return call->prologue ? &call->prologue->kernel : nullptr;
    return std::get_if<KernelStep>(&kind);
}

std::vector<Id> Step::reads() const {
    return std::visit(Overloaded{
                          [](const KernelStep& s) { return reads_of(s); },
                          [](const ViewStep& s) { return s.inputs; },
                          [](const ExternStep& s) { return reads_of(s); },
                          [](const ContractStep& s) { return reads_of(s); },
                          [](const BranchStep& s) {
                              std::vector<Id> ids{s.condition};
                              ids.insert(ids.end(), s.then_inputs.begin(), s.then_inputs.end());
                              ids.insert(ids.end(), s.else_inputs.begin(), s.else_inputs.end());
                              return ids;
                          },
                          [](const LoopStep& s) { return s.inputs; },
                      },
                      kind);
}

std::vector<Id> Step::writes() const {
    return std::visit(Overloaded{
                          [](const KernelStep& s) { return writes_of(s); },
                          [](const ViewStep& s) { return std::vector<Id>{s.output}; },
                          [](const ExternStep& s) { return s.outputs; },
                          [](const ContractStep& s) {
                              return s.epilogue ? writes_of(s.epilogue->kernel)
                                                : std::vector<Id>{s.output};
                          },
                          [](const BranchStep& s) { return s.outputs; },
                          [](const LoopStep& s) { return s.outputs; },
                      },
                      kind);
}

std::vector<Id> Program::elements_read(const Step& step) const {
    if (auto call = std::get_if<ExternStep>(&step.kind); call && call->op->facts.by_sizes)
        return {};
    auto product = std::get_if<ContractStep>(&step.kind);
    auto call = std::get_if<ExternStep>(&step.kind);
    const KernelStep* k = step.kernel();
    if (!k) return step.reads();
    const auto loaded = kernel::loaded_operands(kernels[static_cast<size_t>(k->kernel)]);
    std::vector<Id> ids = product ? product->inputs : call ? call->inputs : std::vector<Id>();
    if (call) ids.erase(ids.begin() + call->prologue->input);
    for (size_t i = 0; i < loaded.size(); ++i)
        if (loaded[i] && !(product && k->operands[i] == product->output))
            ids.push_back(k->operands[i]);
    if (!k->shape_op || !k->shape_op->facts.by_sizes)
        ids.insert(ids.end(), k->shape_inputs.begin(), k->shape_inputs.end());
    return ids;
}

std::string Program::print() const {
    std::ostringstream out;
    out << "program " << (name.empty() ? "f" : name) << "(" << ids_text(inputs) << ")  " << slots
        << " slots\n";
    for (size_t i = 0; i < values.size(); ++i) {
        const Value& v = values[i];
        if (v.place != Place::Argument && v.place != Place::Constant) continue;
        out << "  %" << i << " : " << v.type.text() << "  " << place_text(v);
        if (!v.name.empty()) out << "  \"" << v.name << "\"";
        out << "\n";
    }
    for (const auto& step : steps) {
        out << "  " << ids_text(step.writes()) << " = " << step.label << "("
            << ids_text(step.reads()) << ")";
        if (auto k = step.kernel()) out << "  kernel " << k->kernel;
        for (Id id : step.writes()) {
            const Value& v = values[static_cast<size_t>(id)];
            out << "  [" << v.type.text() << " " << place_text(v) << "]";
        }
        if (step.site.known()) out << "  @ " << step.site.text();
        out << "\n";
        if (auto branch = std::get_if<BranchStep>(&step.kind))
            out << "    then " << branch->then_program->print() << "    else "
                << branch->else_program->print();
        if (auto loop = std::get_if<LoopStep>(&step.kind))
            out << "    " << loop->states << " states, " << loop->sequences << " sequences, body "
                << loop->body->print();
    }
    out << "  return " << ids_text(outputs) << "\n";
    return out.str();
}

void Program::verify() const {
    // Last step that reads each value's memory, views counted for what they show.
    std::vector<int> born(values.size(), -2), last(values.size(), -2);
    auto root = [&](Id id) {
        while (values[static_cast<size_t>(id)].place == Place::View)
            id = values[static_cast<size_t>(id)].source;
        return static_cast<size_t>(id);
    };
    for (size_t i = 0; i < values.size(); ++i)
        if (values[i].place == Place::Argument || values[i].place == Place::Constant) born[i] = -1;
    for (size_t n = 0; n < steps.size(); ++n) {
        int now = static_cast<int>(n);
        for (Id id : steps[n].reads()) {
            if (born[static_cast<size_t>(id)] == -2)
                fail(ErrorKind::Internal, "step ", n, " (", steps[n].label, ") reads %", id,
                     " too early");
        }
        for (Id id : elements_read(steps[n])) last[root(id)] = now;
        for (Id id : steps[n].writes()) {
            if (born[static_cast<size_t>(id)] != -2)
                fail(ErrorKind::Internal, "step ", n, " (", steps[n].label, ") writes %", id,
                     " again");
            born[static_cast<size_t>(id)] = now;
            last[root(id)] = std::max(last[root(id)], now);
        }
    }
    for (Id id : outputs) last[root(id)] = static_cast<int>(steps.size());
    for (size_t a = 0; a < values.size(); ++a) {
        if (values[a].place != Place::Slot) continue;
        if (values[a].slot < 0 || values[a].slot >= slots)
            fail(ErrorKind::Internal, "%", a, " has no slot");
    }
    // Values of a slot in order of birth must not overlap; taking over in place may touch.
    std::vector<std::vector<size_t>> owners(static_cast<size_t>(slots));
    for (size_t i = 0; i < values.size(); ++i)
        if (values[i].place == Place::Slot && born[i] >= 0)
            owners[static_cast<size_t>(values[i].slot)].push_back(i);
    for (auto& list : owners) {
        std::sort(list.begin(), list.end(), [&](size_t a, size_t b) { return born[a] < born[b]; });
        for (size_t i = 1; i < list.size(); ++i) {
            size_t a = list[i - 1], b = list[i];
            bool takes_over = values[b].source == static_cast<Id>(a) && last[a] == born[b];
            if (last[a] >= born[b] && !takes_over)
                fail(ErrorKind::Internal, "%", a, " and %", b, " live in slot ", values[a].slot,
                     " together");
        }
    }
}

}  // namespace croton::runtime
