// A call: arguments that fit, sizes that the types promise, shared variables locked, results left.
#include <algorithm>
#include <unordered_map>

#include "croton/api/destinations.hpp"
#include "croton/api/function_state.hpp"
#include "croton/compile/check.hpp"
#include "croton/graph/drawn.hpp"

namespace croton {

using namespace parts;

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
        const auto& dims = argument(i).type().dims;
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

// Known sizes, and equal ones for equal symbols: `find_size_checks` has listed them.
void Function::State::check_sizes(std::span<const Array> values) const {
    for (const auto& check : size_checks) {
        const Array& value = values[check.input];
        int64_t size = value.shape(check.axis);
        bool known = check.other < 0;
        auto other = static_cast<size_t>(known ? 0 : check.other);
        int64_t wanted = known ? check.size : values[other].shape(check.other_axis);
        if (size == wanted) continue;
        const Variable& v = argument(check.input);
        if (known)
            fail(ErrorKind::Shape, "input ", label(v, check.input), " has ", size,
                 " elements in axis ", check.axis, " (shape ", shape_text(value.shape()),
                 "); its type says ", wanted);
        Dim dim = v.type().dims[static_cast<size_t>(check.axis)];
        fail(ErrorKind::Shape, "size ", dim.text(), " is ", wanted, " in axis ", check.other_axis,
             " of ", described(argument(other)), " but ", size, " in axis ", check.axis, " of ",
             described(v));
    }
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

Array parts::fit_argument(const Array& value, const In& in, size_t position,
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
    for (const auto& update : updates) {
        auto& place = shared[update.target].storage();
        const Array& result = results[update.output - moved];
        const bool in_place = place.value.data() == result.data();
        if (!in_place || place.version != 0) place.version = new_version();
        place.value = result;
    }
    if (!input_updates.empty()) {
        std::lock_guard lock(mutex);
        for (const auto& update : input_updates)
            stored[update.target] = results[update.output - moved];
    }
    results.erase(results.begin() + static_cast<std::ptrdiff_t>(of.visible), results.end());
}

// Of shared variables, under their locks. Those that the call updates are others in each call;
// those whose memory a result may share are the caller's from now on.
void Function::State::find_versions(bool borrows, std::span<uint64_t> versions) const {
    for (size_t i = 0; i < shared.size(); ++i) {
        if (borrows) shared[i].storage().version = 0;
        versions[i] = shared[i].storage().version;
    }
    for (const auto& update : updates) versions[update.target] = 0;
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
                      const CallOptions* options) const {
    State& s = state();
    auto start = s.keep_profile ? Clock::now() : Clock::time_point();
    const auto* subset = options && options->outputs ? &*options->outputs : nullptr;
    Plan& plan = subset ? s.plan_for(*subset) : s.plan;
    Borrowed borrowed(*plan.idle);
    Workspace& w = *borrowed.workspace;
    std::unique_lock<std::mutex> stored(s.stored_mutex, std::defer_lock);
    if (!s.input_updates.empty()) stored.lock();
    s.arguments(arguments, w.values);
    Locks locks(s.storages);
    for (const auto& v : s.shared) w.values.push_back(v.storage().value);
    SmallVector<bool, 16> borrow(plan.visible, false);
    for (size_t i = 0; i < plan.visible; ++i) borrow[i] = s.borrow[subset ? (*subset)[i] : i];
    SmallVector<uint64_t, 16> versions(w.values.size(), 0);
    const bool borrows = std::find(borrow.begin(), borrow.end(), true) != borrow.end();
    s.find_versions(borrows, {versions.data() + s.inputs.size(), s.shared.size()});
    // A function without updates only needs the values of one moment.
    if (s.updates.empty()) locks.release();
    if (!s.trust) s.check_sizes(w.values);
    std::optional<Destinations> into;
    if (options && !options->into.empty()) into.emplace(options->into, plan, w.values);
    if (into && s.mode.check) into->wait();
    bool waits = into && into->waits();

    // A shared value that nobody else holds may be updated in its own memory.
    SmallVector<bool, 16> writable(w.values.size(), false);
    for (const auto& update : s.updates) {
        const Array& value = s.shared[update.target].storage().value;
        writable[s.inputs.size() + update.target] =
            value.owner() && value.owner().use_count() == 2 && !s.mode.check && !waits;
    }
    bool general = !plan.built.assumptions_hold(w.values);
    auto& frame = general ? w.general : w.frame;
    if (!frame)
        frame =
            std::make_unique<runtime::Frame>(general ? *plan.built.general() : *plan.built.program,
                                             general ? plan.general_packs : plan.packs);
    std::vector<runtime::StepTiming> times;
    frame->timings = s.keep_profile ? &times : nullptr;
    if (waits) std::fill(borrow.begin(), borrow.end(), false);
    std::span<const TensorRef> none;
    std::vector<Array> results =
        frame->run(w.values, {.write = {writable.data(), writable.size()},
                              .borrow = {borrow.data(), borrow.size()},
                              .borrow_from = s.inputs.size(),
                              .into = into ? into->refs() : none,
                              .versions = {versions.data(), versions.size()}});
    if (s.mode.check) compile::check_results(plan.request, w.values, results);
    if (into) into->deliver(results);
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
    return call(positional);
}

}  // namespace croton
