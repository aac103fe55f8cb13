#include "croton/api/function.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <unordered_map>
#include <unordered_set>

#include "croton/base/settings.hpp"
#include "croton/compile/check.hpp"
#include "croton/graph/drawn.hpp"
#include "croton/graph/op.hpp"
#include "croton/graph/traverse.hpp"

namespace croton {

using Clock = std::chrono::steady_clock;

namespace {
// What becomes of a program's output after a call.
struct StateUpdate {
    size_t target;  ///< place among the function's shared variables, or among its inputs
    size_t output;  ///< place among the program's outputs
};

// What a call works with and leaves to the next one.
struct Workspace {
    std::unique_ptr<runtime::Frame> frame, general;  ///< of the specialised, of the general program
    std::vector<Array> values;                       ///< arguments and shared variables
};

// Workspaces without a caller. The last one left is taken without a lock.
class Workspaces {
  public:
    ~Workspaces() { delete next_.load(); }
    std::unique_ptr<Workspace> take() {
        if (auto* next = next_.exchange(nullptr)) return std::unique_ptr<Workspace>(next);
        std::lock_guard lock(mutex_);
        if (others_.empty()) return std::make_unique<Workspace>();
        auto workspace = std::move(others_.back());
        others_.pop_back();
        return workspace;
    }
    void give(std::unique_ptr<Workspace> workspace) {
        Workspace* nothing = nullptr;
        if (next_.compare_exchange_strong(nothing, workspace.get())) {
            (void)workspace.release();
            return;
        }
        std::lock_guard lock(mutex_);
        others_.push_back(std::move(workspace));
    }
    void clear() {
        delete next_.exchange(nullptr);
        std::lock_guard lock(mutex_);
        others_.clear();
    }

  private:
    std::atomic<Workspace*> next_ = nullptr;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Workspace>> others_;
};

// A program with its working memory: the function's own, or one for fewer outputs.
struct Plan {
    compile::BuildRequest request;
    compile::Built built;
    size_t visible = 0;  ///< outputs that calls return; updates follow
    std::unique_ptr<Workspaces> idle = std::make_unique<Workspaces>();
};

// What a type promises of a size: it is that of another axis, or (other < 0) this number.
struct SizeCheck {
    size_t input;
    int axis;
    int other, other_axis;
    int64_t size;
};

// All of some storages, locked in the order of their addresses.
class Locks {
  public:
    explicit Locks(std::span<SharedStorage* const> storages) : storages_(storages) {
        for (auto* storage : storages_) storage->mutex.lock();
    }
    ~Locks() { release(); }
    Locks(const Locks&) = delete;
    void release() {
        for (auto* storage : storages_) storage->mutex.unlock();
        storages_ = {};
    }

  private:
    std::span<SharedStorage* const> storages_;
};

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}
}  // namespace

struct Function::State {
    std::string name;
    std::vector<In> inputs;
    std::vector<Out> outputs;
    std::vector<SharedVariable> shared;
    std::vector<SharedStorage*> storages;  ///< of `shared`, each once, by address
    std::vector<SizeCheck> size_checks;
    std::vector<StateUpdate> updates;        ///< of shared variables; outputs as in `plan`
    std::vector<StateUpdate> input_updates;  ///< of stored values of inputs
    std::unique_ptr<bool[]> borrow;          ///< one an output of `plan`
    Mode mode;
    std::optional<bool> allow_downcast;
    bool trust = false;
    bool keep_profile = false;
    double compile_seconds = 0;

    /// Held during calls that update stored values. Taken before the shared variables' locks.
    std::mutex stored_mutex;

    std::once_flag traced;
    compile::Trace trace;  ///< with its events, once someone has asked

    std::mutex mutex;                          // guards what follows
    std::vector<std::optional<Array>> stored;  // one an input: what it has without an argument
    Plan plan;
    std::map<std::vector<size_t>, Plan> partial;  // by chosen outputs
    std::vector<runtime::StepTiming> timings;
    int64_t calls = 0, held_bytes = 0;
    double call_seconds = 0;

    void find_storages();
    void find_size_checks();
    bool sizes_hold(std::span<const Array> values) const;
    void add_to_profile(const runtime::Frame& frame, bool general, double seconds,
                        const std::vector<runtime::StepTiming>& times);
    Plan& plan_for(const std::vector<size_t>& chosen);
    void arguments(std::span<const std::optional<Array>> given, std::vector<Array>& values);
    void finish(const Plan& of, std::vector<Array>& results);
};

void Function::State::add_to_profile(const runtime::Frame& frame, bool general, double seconds,
                                     const std::vector<runtime::StepTiming>& times) {
    std::lock_guard lock(mutex);
    ++calls;
    call_seconds += seconds;
    held_bytes = std::max(held_bytes, frame.held_bytes());
    if (!general) timings.resize(times.size());
    for (size_t i = 0; i < times.size() && !general; ++i) {
        timings[i].calls += times[i].calls;
        timings[i].seconds += times[i].seconds;
        timings[i].bytes = times[i].bytes;
    }
}

// Two functions never wait for each other if both lock in the order of addresses.
void Function::State::find_storages() {
    storages.clear();
    for (const auto& v : shared) storages.push_back(&v.storage());
    std::sort(storages.begin(), storages.end());
    storages.erase(std::unique(storages.begin(), storages.end()), storages.end());
}

// Known sizes, and equal ones for equal symbols.
void Function::State::find_size_checks() {
    size_checks.clear();
    std::unordered_map<int64_t, std::pair<size_t, int>> symbols;
    for (size_t i = 0; i < inputs.size() + shared.size(); ++i) {
        const auto& dims =
            (i < inputs.size() ? inputs[i].variable : shared[i - inputs.size()]).type().dims;
        for (int axis = 0; axis < static_cast<int>(dims.size()); ++axis) {
            Dim dim = dims[static_cast<size_t>(axis)];
            if (dim.known()) size_checks.push_back({i, axis, -1, 0, dim.size()});
            if (!dim.symbolic()) continue;
            auto [first, is_new] = symbols.emplace(dim.code(), std::pair(i, axis));
            auto [other, other_axis] = first->second;
            if (!is_new) size_checks.push_back({i, axis, static_cast<int>(other), other_axis, 0});
        }
    }
}

bool Function::State::sizes_hold(std::span<const Array> values) const {
    for (const auto& check : size_checks) {
        int64_t wanted = check.other < 0
                             ? check.size
                             : values[static_cast<size_t>(check.other)].shape(check.other_axis);
        if (values[check.input].shape(check.axis) != wanted) return false;
    }
    return true;
}

// The same updates with fewer outputs in front of them.
Plan& Function::State::plan_for(const std::vector<size_t>& chosen) {
    {
        std::lock_guard lock(mutex);
        if (auto found = partial.find(chosen); found != partial.end()) return found->second;
    }
    for (size_t i : chosen)
        if (i >= outputs.size())
            fail(ErrorKind::Usage, "function ", name, " has no output ", i,
                 " for output_subset; it has ", outputs.size());
    compile::BuildRequest request = plan.request;
    Variables wanted;
    for (size_t i : chosen) wanted.push_back(plan.request.outputs[i]);
    auto first = plan.request.outputs.begin() + static_cast<std::ptrdiff_t>(outputs.size());
    wanted.insert(wanted.end(), first, plan.request.outputs.end());
    request.outputs = std::move(wanted);
    int moved = static_cast<int>(chosen.size()) - static_cast<int>(outputs.size());
    for (auto& update : request.updates) update.first += moved;
    Plan result;
    result.built = compile::build(request);
    result.request = std::move(request);
    result.visible = chosen.size();
    std::lock_guard lock(mutex);
    return partial.emplace(chosen, std::move(result)).first->second;
}

const Array& Results::only() const {
    if (values_.size() != 1)
        fail(ErrorKind::Usage, "the function has ", values_.size(),
             " outputs; pick one by its number");
    return values_[0];
}

// --- building
// -------------------------------------------------------------------------------------

namespace {
// An input in a message: name or number, type and the line that made it.
std::string label(const Variable& v, size_t position) {
    std::string text = described(v);
    return v && v.name().empty() ? cat("number ", position, text.substr(text.find(" ("))) : text;
}

Array fit_argument(const Array& value, const In& in, size_t position, std::optional<bool> downcast);

std::string input_names(const std::vector<In>& inputs) {
    return join(inputs, ", ", [](const In& in) { return "'" + in.name + "'"; });
}

void check_inputs(const std::vector<In>& inputs) {
    ValueSet seen;
    std::unordered_set<std::string> names;
    for (size_t i = 0; i < inputs.size(); ++i) {
        const auto& v = inputs[i].variable;
        if (!v) fail(ErrorKind::Usage, "input ", i, " of the function is nothing");
        if (v.kind() == NodeKind::Shared)
            fail(ErrorKind::Usage, "input ", label(v, i),
                 " is a shared variable; functions find those by themselves (use givens to replace "
                 "one)");
        if (v.kind() == NodeKind::Constant)
            fail(ErrorKind::Usage, "input ", label(v, i), " of the function is a constant");
        if (!seen.insert(v)) fail(ErrorKind::Usage, "input ", label(v, i), " is given twice");
        if ((inputs[i].update || inputs[i].implicit) && !inputs[i].value)
            fail(ErrorKind::Usage, "input ", label(v, i), " has ",
                 inputs[i].update ? "an update" : "no argument", " but no value to start from");
        if (!inputs[i].name.empty() && !names.insert(inputs[i].name).second) {
            auto first = std::find_if(inputs.begin(), inputs.end(),
                                      [&](const In& in) { return in.name == inputs[i].name; });
            fail(ErrorKind::Usage, "two inputs have the name '", inputs[i].name,
                 "': ", described(first->variable), " and ", described(v));
        }
    }
}

bool certainly_different(const TensorType& a, const TensorType& b) {
    if (a.dtype != b.dtype || a.rank() != b.rank()) return true;
    for (size_t i = 0; i < a.dims.size(); ++i)
        if (a.dims[i].known() && b.dims[i].known() && !(a.dims[i] == b.dims[i])) return true;
    return false;
}

// The expression with the dtype of `target` if that loses nothing, else a Type error.
Variable fitted(const Variable& value, const Variable& target, std::string_view role) {
    if (!target) fail(ErrorKind::Usage, "the ", role, " is for a variable that is nothing");
    if (!value) fail(ErrorKind::Usage, "the ", role, " of ", described(target), " is nothing");
    Variable result = value;
    if (auto number = constant_value(value);
        number && number->dtype() != target.dtype() &&
        (value.node().weak || can_cast_safely(number->dtype(), target.dtype())))
        result = constant(number->cast(target.dtype()), value.site());
    if (certainly_different(result.type(), target.type()))
        fail(ErrorKind::Type, "the ", role, " of ", described(target), " is ", described(result),
             ": the types do not fit",
             result.dtype() != target.dtype() ? "; cast it explicitly if that is meant" : "");
    return result;
}

void add_default_updates(Updates& updates, const Variables& outputs,
                         const FunctionOptions& options) {
    if (options.no_default_updates) return;
    std::unordered_set<Variable, VariableHash> settled(options.no_default_updates_of.begin(),
                                                       options.no_default_updates_of.end());
    for (const auto& [target, value] : updates) settled.insert(target);
    while (true) {
        Variables roots = outputs;
        for (const auto& [target, value] : updates) roots.push_back(value);
        bool added = false;
        for (const auto& leaf : leaves(roots)) {
            if (leaf.kind() != NodeKind::Shared || !settled.insert(leaf).second) continue;
            if (Variable next = SharedVariable(leaf).default_update()) {
                updates.emplace_back(leaf, next);
                added = true;
            }
        }
        if (!added) return;
    }
}

void check_unused(const std::vector<In>& inputs, const Variables& roots,
                  const FunctionOptions& options) {
    std::string action =
        options.on_unused_input.empty() ? settings().on_unused_input : options.on_unused_input;
    if (action != "raise" && action != "warn" && action != "ignore")
        fail(ErrorKind::Value, "on_unused_input takes raise, warn or ignore, not '", action, "'");
    if (action == "ignore") return;
    Variables stops;
    ValueSet used(roots);
    for (const auto& in : inputs) stops.push_back(in.variable);
    for (Node* node : toposort(roots, stops))
        for (const auto& v : node->inputs) used.insert(v);
    for (size_t i = 0; i < inputs.size(); ++i) {
        if (used.contains(inputs[i].variable)) continue;
        std::string text =
            cat("input ", label(inputs[i].variable, i),
                " is not used by any output; leave it out or pass on_unused_input='ignore'");
        if (action == "raise") fail(ErrorKind::Usage, text);
        std::fprintf(stderr, "croton: warning: %s\n", text.c_str());
    }
}

// The first place that needs the leaf.
[[noreturn]] void fail_missing(const Variable& leaf, const Variables& roots,
                               const Variables& stops) {
    std::string user;
    for (Node* node : toposort(roots, stops))
        if (user.empty() &&
            std::find(node->inputs.begin(), node->inputs.end(), leaf) != node->inputs.end())
            user = cat("; it is used in ", node->op->name, " at ", node->site.text(), "    ",
                       node->site.code_text());
    fail(ErrorKind::Usage, "input ", described(leaf),
         " is needed to compute the outputs but is not among the inputs of the function, "
         "and no value is given for it",
         user);
}

// Leaves that the graph needs beyond the inputs: shared variables are found, others are missing.
std::vector<SharedVariable> find_shared(const std::vector<In>& inputs, const Variables& roots,
                                        const Updates& updates) {
    Variables stops;
    for (const auto& in : inputs) stops.push_back(in.variable);
    ValueSet known(stops);
    std::vector<SharedVariable> result;
    auto found = [&](const Variable& v) {
        if (known.insert(v)) result.push_back(SharedVariable(v));
    };
    for (Node* node : toposort(roots, stops)) {
        Variable leaf(node, 0);
        if (node->kind == NodeKind::Shared) found(leaf);
        if (node->kind == NodeKind::Input && !known.contains(leaf))
            fail_missing(leaf, roots, stops);
    }
    for (const auto& [target, value] : updates) found(target);
    return result;
}
}  // namespace

Function function(const std::vector<In>& inputs, const std::vector<Out>& outputs,
                  const FunctionOptions& options) {
    auto start = Clock::now();
    check_inputs(inputs);
    auto state = std::make_shared<Function::State>();
    state->name = options.name.empty() ? "f" : options.name;
    state->inputs = inputs;
    for (size_t i = 0; i < inputs.size(); ++i)
        state->stored.push_back(inputs[i].value ? fit_argument(*inputs[i].value, inputs[i], i,
                                                               options.allow_input_downcast)
                                                : std::optional<Array>());
    state->outputs = outputs;
    state->mode = options.mode ? *options.mode : compile::default_mode();
    state->allow_downcast = options.allow_input_downcast;
    state->keep_profile = options.profile || settings().profile;

    Variables results;
    for (const auto& out : outputs) {
        if (!out.variable)
            fail(ErrorKind::Usage, "output ", results.size(), " of the function is nothing");
        results.push_back(out.variable);
    }
    Updates updates;
    for (const auto& [target, value] : options.updates) {
        if (!target || target.kind() != NodeKind::Shared)
            fail(ErrorKind::Type, "the update of ", described(target),
                 ": only shared variables can be updated");
        for (const auto& [other, unused] : updates)
            if (other == target) fail(ErrorKind::Usage, described(target), " is updated twice");
        updates.emplace_back(target, fitted(value, target, "update"));
    }
    for (const auto& in : inputs)
        if (in.update) results.push_back(in.update);
    add_default_updates(updates, results, options);
    results.resize(outputs.size());

    Variables roots = results;
    for (const auto& [target, value] : updates) roots.push_back(value);
    for (const auto& in : inputs)
        if (in.update) roots.push_back(fitted(in.update, in.variable, "update"));
    if (!options.givens.empty()) {
        Substitution replacements;
        for (const auto& [target, value] : options.givens)
            if (!replacements.emplace(target, fitted(value, target, "replacement (givens)")).second)
                fail(ErrorKind::Usage, "givens replace ", described(target), " twice");
        roots = substitute(roots, replacements);
    }
    check_unused(inputs, roots, options);
    state->shared = find_shared(inputs, roots, updates);

    std::vector<size_t> stateful;
    for (size_t i = 0; i < inputs.size(); ++i)
        if (inputs[i].update) stateful.push_back(i);

    compile::BuildRequest request;
    for (const auto& in : inputs) request.inputs.push_back(in.variable);
    for (const auto& s : state->shared) request.inputs.push_back(s);
    request.outputs = roots;
    request.name = state->name;
    request.mode = state->mode;
    for (size_t i = 0; i < updates.size(); ++i) {
        auto place = std::find(state->shared.begin(), state->shared.end(), updates[i].first);
        auto shared = static_cast<size_t>(place - state->shared.begin());
        state->updates.push_back({shared, results.size() + i});
        request.updates.emplace_back(static_cast<int>(results.size() + i),
                                     static_cast<int>(inputs.size() + shared));
    }
    for (size_t i = 0; i < stateful.size(); ++i)
        state->input_updates.push_back({stateful[i], results.size() + updates.size() + i});
    state->borrow = std::make_unique<bool[]>(request.outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) state->borrow[i] = outputs[i].borrow;
    state->plan.built = compile::build(request);
    state->plan.request = std::move(request);
    state->plan.visible = outputs.size();
    state->find_storages();
    state->find_size_checks();
    state->compile_seconds = seconds_since(start);
    return Function(state);
}

bool survives_cast(const Array& array, DType dtype) {
    Array there = array.cast(dtype);
    auto negative = [](const Array& a) {
        auto values = a.to_vector<int64_t>();
        return std::any_of(values.begin(), values.end(), [](int64_t v) { return v < 0; });
    };
    // There and back again may wrap twice: signs tell.
    if (is_integer(array.dtype()) && is_integer(dtype)) {
        bool from = is_signed_integer(array.dtype()), to = is_signed_integer(dtype);
        if (from != to && negative(from ? array : there)) return false;
    }
    return there.cast(array.dtype()).identical(array.contiguous_copy());
}

// --- calling
// --------------------------------------------------------------------------------------

namespace {
Array fit_argument(const Array& value, const In& in, size_t position,
                   std::optional<bool> downcast) {
    const auto& type = in.variable.type();
    if (value.rank() != type.rank())
        fail(ErrorKind::Type, "input ", label(in.variable, position), " takes an array of rank ",
             type.rank(), ", not one of rank ", value.rank(), " and shape ",
             shape_text(value.shape()));
    Array result = value;
    if (value.dtype() != type.dtype) {
        if (in.allow_downcast) downcast = in.allow_downcast;
        bool allowed = downcast.value_or(false) || can_cast_safely(value.dtype(), type.dtype);
        if (!allowed && value.rank() == 0 && !downcast &&
            dtype_family(value.dtype()) <= dtype_family(type.dtype))
            allowed = is_floating(type.dtype) || survives_cast(value, type.dtype);
        if (in.strict || !allowed)
            fail(ErrorKind::Type, "input ", label(in.variable, position), " takes ",
                 dtype_name(type.dtype), ", not ", dtype_name(value.dtype()),
                 in.strict ? " (it is strict)"
                           : "; convert the array, or pass allow_input_downcast=True");
        result = value.cast(type.dtype);
    }
    return result;
}

// Sizes that the types promise: known ones, and equal ones for equal symbols.
void check_sizes(const std::vector<In>& inputs, const std::vector<SharedVariable>& shared,
                 const std::vector<Array>& values) {
    struct Seen {
        int64_t code, size;
        size_t input;
        int axis;
    };
    auto variable_of = [&](size_t i) -> const Variable& {
        return i < inputs.size() ? inputs[i].variable : shared[i - inputs.size()];
    };
    std::vector<Seen> symbols;
    for (size_t i = 0; i < values.size(); ++i) {
        const Variable& v = variable_of(i);
        for (int axis = 0; axis < v.rank(); ++axis) {
            Dim dim = v.type().dims[static_cast<size_t>(axis)];
            int64_t size = values[i].shape(axis);
            if (dim.unknown()) continue;
            if (dim.known()) {
                if (dim.size() != size)
                    fail(ErrorKind::Shape, "input ", label(v, i), " has ", size,
                         " elements in axis ", axis, " (shape ", shape_text(values[i].shape()),
                         "); its type says ", dim.size());
                continue;
            }
            auto same = std::find_if(symbols.begin(), symbols.end(),
                                     [&](const Seen& s) { return s.code == dim.code(); });
            if (same == symbols.end())
                symbols.push_back({dim.code(), size, i, axis});
            else if (same->size != size)
                fail(ErrorKind::Shape, "size ", dim.text(), " is ", same->size, " in axis ",
                     same->axis, " of ", described(variable_of(same->input)), " but ", size,
                     " in axis ", axis, " of ", described(v));
        }
    }
}

}  // namespace

void Function::State::arguments(std::span<const std::optional<Array>> given,
                                std::vector<Array>& values) {
    if (given.size() > inputs.size())
        fail(ErrorKind::Usage, "function ", name, " takes ", inputs.size(), " arguments, not ",
             given.size(), ": ", input_names(inputs));
    for (size_t i = 0; i < inputs.size(); ++i) {
        const In& in = inputs[i];
        if (i < given.size() && given[i]) {
            if (in.implicit)
                fail(ErrorKind::Usage, "function ", name, ": input ", label(in.variable, i),
                     " is implicit: it takes no argument");
            const auto& type = in.variable.type();
            if (trust || (given[i]->dtype() == type.dtype && given[i]->rank() == type.rank()))
                values.push_back(*given[i]);
            else
                values.push_back(fit_argument(*given[i], in, i, allow_downcast));
            continue;
        }
        if (!in.value)
            fail(ErrorKind::Usage, "function ", name, ": input ", label(in.variable, i),
                 " is missing");
        std::lock_guard lock(mutex);
        values.push_back(*stored[i]);
    }
}

// What calls leave behind: new values of shared variables and of inputs.
void Function::State::finish(const Plan& of, std::vector<Array>& results) {
    size_t moved = outputs.size() - of.visible;  // how much earlier updates stand (modulo 2^64)
    for (const auto& update : updates)
        shared[update.target].storage().value = results[update.output - moved];
    if (!input_updates.empty()) {
        std::lock_guard lock(mutex);
        for (const auto& update : input_updates)
            stored[update.target] = results[update.output - moved];
    }
    results.erase(results.begin() + static_cast<std::ptrdiff_t>(of.visible), results.end());
}

namespace {
// The workspace goes back to the others however the call ends, without what it was called with.
struct Borrowed {
    explicit Borrowed(Workspaces& from) : from(from), workspace(from.take()) {}
    ~Borrowed() {
        workspace->values.clear();
        from.give(std::move(workspace));
    }
    Borrowed(const Borrowed&) = delete;
    Workspaces& from;
    std::unique_ptr<Workspace> workspace;
};
}  // namespace

Results Function::run(std::span<const std::optional<Array>> arguments,
                      const std::vector<size_t>* subset) const {
    State& s = state();
    auto start = s.keep_profile ? Clock::now() : Clock::time_point();
    Plan& plan = subset ? s.plan_for(*subset) : s.plan;
    Borrowed borrowed(*plan.idle);
    Workspace& w = *borrowed.workspace;
    std::unique_lock<std::mutex> stored(s.stored_mutex, std::defer_lock);
    if (!s.input_updates.empty()) stored.lock();
    s.arguments(arguments, w.values);
    Locks locks(s.storages);
    for (const auto& v : s.shared) w.values.push_back(v.storage().value);
    // A function without updates only needs the values of one moment.
    if (s.updates.empty()) locks.release();
    if (!s.trust && !s.sizes_hold(w.values)) check_sizes(s.inputs, s.shared, w.values);

    // A shared value that nobody else holds may be updated in its own memory.
    SmallVector<bool, 16> writable(w.values.size(), false);
    for (const auto& update : s.updates) {
        const Array& value = s.shared[update.target].storage().value;
        writable[s.inputs.size() + update.target] =
            value.owner() && value.owner().use_count() == 2 && !s.mode.check;
    }
    bool general = !plan.built.assumptions_hold(w.values);
    auto& frame = general ? w.general : w.frame;
    if (!frame)
        frame =
            std::make_unique<runtime::Frame>(general ? *plan.built.general() : *plan.built.program);
    std::vector<runtime::StepTiming> times;
    frame->timings = s.keep_profile ? &times : nullptr;
    SmallVector<bool, 16> borrow(plan.visible, false);
    for (size_t i = 0; i < plan.visible; ++i) borrow[i] = s.borrow[subset ? (*subset)[i] : i];
    std::vector<Array> results = frame->run(
        w.values,
        {{writable.data(), writable.size()}, {borrow.data(), borrow.size()}, s.inputs.size()});
    if (s.mode.check) compile::check_results(plan.request, w.values, results);
    s.finish(plan, results);
    if (s.keep_profile && &plan == &s.plan)
        s.add_to_profile(*frame, general, seconds_since(start), times);
    return Results(std::move(results));
}

Results Function::call_named(std::vector<std::optional<Array>> positional,
                             const std::map<std::string, Array>& named) const {
    const State& s = state();
    positional.resize(std::max(positional.size(), s.inputs.size()));
    for (const auto& [name, value] : named) {
        auto place = std::find_if(s.inputs.begin(), s.inputs.end(),
                                  [&](const In& in) { return in.name == name; });
        if (place == s.inputs.end())
            fail(ErrorKind::Usage, "function ", s.name, " has no input '", name, "'; it has ",
                 input_names(s.inputs));
        auto& slot = positional[static_cast<size_t>(place - s.inputs.begin())];
        if (slot)
            fail(ErrorKind::Usage, "function ", s.name, ": input '", name, "' is given twice");
        slot = value;
    }
    return call(std::move(positional));
}

// --- looking
// --------------------------------------------------------------------------------------

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

void Function::free() const {
    std::lock_guard lock(state().mutex);
    state().plan.idle->clear();
    for (auto& [chosen, plan] : state().partial) plan.idle->clear();
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

Array eval(const Variable& expression, const std::vector<std::pair<Variable, Array>>& inputs) {
    std::vector<In> variables;
    std::vector<std::optional<Array>> values;
    for (const auto& [variable, value] : inputs) {
        variables.push_back(variable);
        values.push_back(value);
    }
    FunctionOptions options;
    options.on_unused_input = "ignore";
    return function(variables, expression, options).call(std::move(values)).only();
}

}  // namespace croton
