// What a Function tells of itself, its copies, its profile.
#include <algorithm>
#include <cstdio>
#include <sstream>

#include "croton/api/function_state.hpp"
#include "croton/graph/drawn.hpp"
#include "croton/runtime/products/products.hpp"

namespace croton {

using namespace parts;

Function::State& Function::state() const {
    if (!state_)
        fail(ErrorKind::Usage, "this Function is nothing: make it with function(inputs, outputs)");
    return *state_;
}

const std::string& Function::name() const { return state().name; }
size_t Function::input_count() const { return state().inputs.size(); }
const In& Function::input(size_t i) const {
    if (i >= input_count())
        fail(ErrorKind::Index, "function ", name(), " has no input ", i, "; it has ",
             input_count());
    return state().inputs[i];
}
size_t Function::output_count() const { return state().outputs.size(); }
const Variable& Function::output(size_t i) const {
    if (i >= output_count())
        fail(ErrorKind::Index, "function ", name(), " has no output ", i, "; it has ",
             output_count());
    return state().outputs[i].variable;
}
void Function::trust_input(bool trust) { state().trust = trust; }
bool Function::trusts_input() const { return state().trust; }
const runtime::Program& Function::program() const { return *state().plan.built.program; }
const compile::Trace& Function::trace() const {
    State& s = state();
    std::call_once(s.traced, [&] {
        s.trace = *s.plan.built.trace;
        s.trace.events = compile::rewriting_events(s.plan.request, s.plan.built);
    });
    return s.trace;
}
std::optional<bool> Function::allow_input_downcast() const { return state().allow_downcast; }

std::optional<Array> Function::stored(size_t i) const {
    std::lock_guard lock(state().mutex);
    input(i);  // an error if there is none
    return state().stored[i];
}

void Function::set_stored(size_t i, const Array& value) const {
    State& s = state();
    const In& in = input(i);
    if (!in.value)
        fail(ErrorKind::Usage, "function ", s.name, ": input ", label(in.variable, i),
             " has no default that could be set; give it as an argument");
    Array fitting = fit_argument(value, in, i, s.allow_downcast).copy();
    std::lock_guard whole_calls(s.stored_mutex);
    std::lock_guard lock(s.mutex);
    s.stored[i] = std::move(fitting);
}
const Mode& Function::mode() const { return state().mode; }
bool Function::profiled() const { return state().keep_profile; }
void Function::keep_profile(bool keep) const { state().keep_profile = keep; }

Variables Function::shared_variables() const {
    return {state().shared.begin(), state().shared.end()};
}

void parts::Plan::free() const {
    idle->clear();
    packs->forget();
    general_packs->forget();
}

void Function::free() const {
    std::lock_guard lock(state().mutex);
    runtime::release_scratch();
    state().plan.free();
    for (auto& [chosen, plan] : state().partial) plan.free();
}

Function Function::copy(const Updates& swap, bool delete_updates, std::string name) const {
    auto twin = std::make_shared<State>();
    twin->name = name.empty() ? state().name : std::move(name);
    {
        std::lock_guard lock(state().mutex);
        twin->stored = state().stored;
    }
    twin->inputs = state().inputs;
    twin->outputs = state().outputs;
    twin->shared = state().shared;
    if (!delete_updates) {
        twin->updates = state().updates;
        twin->input_updates = state().input_updates;
    }
    twin->plan.request = state().plan.request;
    twin->plan.built = state().plan.built;
    twin->plan.visible = state().plan.visible;
    twin->borrow = std::make_unique<bool[]>(twin->plan.request.outputs.size());
    std::copy_n(state().borrow.get(), twin->plan.request.outputs.size(), twin->borrow.get());
    twin->mode = state().mode;
    twin->allow_downcast = state().allow_downcast;
    twin->trust = state().trust;
    twin->keep_profile = state().keep_profile;
    twin->compile_seconds = state().compile_seconds;
    for (const auto& [from, to] : swap) {
        auto place = std::find(twin->shared.begin(), twin->shared.end(), from);
        if (place == twin->shared.end())
            fail(ErrorKind::Usage, "function ", twin->name, " does not use the shared variable ",
                 described(from), "; it uses ",
                 join(twin->shared, ", ", [](const auto& v) { return described(v); }));
        if (certainly_different(to.type(), from.type()))
            fail(ErrorKind::Type, described(from), " cannot be swapped for ", described(to),
                 ": the types differ");
        *place = SharedVariable(to);
    }
    twin->find_storages();
    twin->find_size_checks();
    return Function(twin);
}

Profile Function::profile() const {
    State& s = state();
    if (!s.keep_profile)
        fail(ErrorKind::Usage, "function ", s.name, " was compiled without profile=True");
    std::lock_guard lock(s.mutex);
    Profile result{s.name, s.calls, s.call_seconds, s.compile_seconds, {}, s.held_bytes};
    for (size_t i = 0; i < s.timings.size(); ++i) {
        const auto& step = s.plan.built.program->steps[i];
        result.rows.push_back(
            {step.label, step.site, s.timings[i].calls, s.timings[i].seconds, s.timings[i].bytes});
    }
    return result;
}

std::string Profile::text() const {
    std::ostringstream out;
    auto milliseconds = [](double seconds) {
        char text[32];
        std::snprintf(text, sizeof text, "%10.3f", seconds * 1e3);
        return std::string(text);
    };
    double inside = 0;
    for (const auto& row : rows) inside += row.seconds;
    out << "function " << function << ": " << calls << " calls, " << milliseconds(call_seconds)
        << " ms in calls, " << milliseconds(inside) << " ms in steps, compiled in "
        << milliseconds(compile_seconds) << " ms, " << held_bytes << " bytes of working memory\n";
    out << "       ms    share      calls          bytes  step\n";
    auto sorted = rows;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Row& a, const Row& b) { return a.seconds > b.seconds; });
    for (const auto& row : sorted) {
        char text[96];
        std::snprintf(text, sizeof text, "%s  %5.1f %%  %9lld  %13lld  ",
                      milliseconds(row.seconds).c_str(),
                      inside > 0 ? 100 * row.seconds / inside : 0.0,
                      static_cast<long long>(row.calls), static_cast<long long>(row.bytes));
        out << text << row.what;
        if (row.site.known()) out << "    " << row.site.text() << "  " << row.site.code_text();
        out << "\n";
    }
    return out.str();
}

}  // namespace croton
