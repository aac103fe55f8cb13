// From variables to a Function: what may be asked for, and building it.
#include "croton/api/function.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "croton/api/function_state.hpp"
#include "croton/base/settings.hpp"
#include "croton/graph/drawn.hpp"
#include "croton/graph/op.hpp"
#include "croton/graph/traverse.hpp"

namespace croton {

using namespace parts;

namespace parts {
double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string label(const Variable& v, size_t position) {
    std::string text = described(v);
    return v && v.name().empty() ? cat("number ", position, text.substr(text.find(" ("))) : text;
}

std::string input_names(const std::vector<In>& inputs) {
    return join(inputs, ", ", [](const In& in) { return "'" + in.name + "'"; });
}

bool certainly_different(const TensorType& a, const TensorType& b) {
    if (a.dtype != b.dtype || a.rank() != b.rank()) return true;
    for (size_t i = 0; i < a.dims.size(); ++i)
        if (a.dims[i].known() && b.dims[i].known() && !(a.dims[i] == b.dims[i])) return true;
    return false;
}

}  // namespace parts

namespace {
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
                  const std::vector<Node*>& order, const FunctionOptions& options) {
    std::string action =
        options.on_unused_input.empty() ? settings().on_unused_input : options.on_unused_input;
    if (action != "raise" && action != "warn" && action != "ignore")
        fail(ErrorKind::Value, "on_unused_input takes raise, warn or ignore, not '", action, "'");
    if (action == "ignore") return;
    ValueSet ours, used;
    for (const auto& in : inputs) ours.insert(in.variable);
    auto use = [&](const Variable& v) {
        if (ours.contains(v)) used.insert(v);
    };
    for (const auto& v : roots) use(v);
    for (const Node* node : order)
        for (const auto& v : node->inputs) use(v);
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
std::vector<SharedVariable> find_shared(const Variables& stops, const Variables& roots,
                                        const std::vector<Node*>& order, const Updates& updates) {
    ValueSet known(stops);
    std::vector<SharedVariable> result;
    auto found = [&](const Variable& v) {
        if (known.insert(v)) result.push_back(SharedVariable(v));
    };
    for (Node* node : order) {
        if (node->kind == NodeKind::Shared) found(Variable(node, 0));
        if (node->kind == NodeKind::Input && !known.contains({node, 0}))
            fail_missing(Variable(node, 0), roots, stops);
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
    Variables stops;
    for (const auto& in : inputs) stops.push_back(in.variable);
    auto order = toposort(roots, stops);
    check_unused(inputs, roots, order, options);
    state->shared = find_shared(stops, roots, order, updates);

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

Array eval(const Variable& expression, const std::vector<std::pair<Variable, Array>>& inputs) {
    std::vector<In> variables;
    std::vector<std::optional<Array>> values;
    for (const auto& [variable, value] : inputs) {
        variables.push_back(variable);
        values.push_back(value);
    }
    FunctionOptions options;
    options.on_unused_input = "ignore";
    return function(variables, expression, options).call(values).only();
}

}  // namespace croton
