// Loops: bodies are Python functions that are called once, to be written down.
#include "croton/ops/scan.hpp"

#include "python/binding/convert.hpp"

namespace croton::python {

namespace {
// (values, taps) pairs; values None: an output that is collected only.
template <class Item>
std::vector<Item> to_tapped(nb::handle list, Site site) {
    std::vector<Item> result;
    for (auto pair : list) {
        nb::object values = pair[0], taps = pair[1];
        if (values.is_none())
            result.emplace_back(Item(Variable()));
        else
            result.emplace_back(to_variable(values, site), to_ints(taps, "taps"));
    }
    return result;
}

Variables joined(std::initializer_list<const Variables*> lists) {
    Variables all;
    for (const auto* list : lists) all.insert(all.end(), list->begin(), list->end());
    return all;
}

/// body(arguments) -> (outputs, updates, condition or None)
ScanBody to_body(nb::handle body) {
    return [body](const Step& step) {
        nb::object made =
            body(to_python_list(joined({&step.sequences, &step.states, &step.constants})));
        Site site = python_site();
        StepResult result(to_variables(made[0], site));
        for (auto& [target, value] : to_pairs(made[1], "updates of a scan's body")) {
            if (!is_variable(target))
                fail(ErrorKind::Type, "scan: updates are of shared variables, not of ",
                     nb::repr(target).c_str());
            result.updates.emplace_back(SharedVariable(nb::inst_ptr<Handle>(target)->variable),
                                        to_variable(value, site));
        }
        if (!made[2].is_none()) result.until = to_variable(made[2], site);
        return result;
    };
}

// The caller's line is the loop's; the body's nodes have lines of their own.
nb::object outputs_and_updates(const ScanResult& result) {
    nb::list updates;
    for (const auto& [variable, value] : result.updates)
        updates.append(nb::make_tuple(to_python(variable), to_python(value)));
    return nb::make_tuple(to_python_list(result.outputs), updates);
}

ScanOptions to_options(nb::handle sequences, nb::handle outputs_info, nb::handle non_sequences,
                       nb::handle n_steps, const std::string& name, Site site) {
    ScanOptions options;
    options.sequences = to_tapped<ScanSequence>(sequences, site);
    options.outputs_info = to_tapped<ScanOutput>(outputs_info, site);
    options.non_sequences = to_variables(non_sequences, site);
    if (!n_steps.is_none()) options.n_steps = to_variable(n_steps, site);
    options.name = name;
    return options;
}

void bind_scan(nb::module_& m) {
    m.def(
        "scan",
        [](nb::handle body, nb::handle sequences, nb::handle outputs_info, nb::handle non_sequences,
           nb::handle n_steps, int64_t truncate_gradient, bool go_backwards,
           const std::string& name, bool strict, int64_t checkpoint, int64_t checkpoint_bytes) {
            Site site = python_site();
            auto options = to_options(sequences, outputs_info, non_sequences, n_steps, name, site);
            options.truncate_gradient = truncate_gradient;
            options.go_backwards = go_backwards;
            options.strict = strict;
            options.checkpoint = checkpoint;
            options.checkpoint_bytes = checkpoint_bytes;
            SiteScope scope(site);
            return outputs_and_updates(scan(to_body(body), options));
        },
        nb::arg("body"), nb::arg("sequences"), nb::arg("outputs_info"), nb::arg("non_sequences"),
        nb::arg("n_steps").none(), nb::arg("truncate_gradient"), nb::arg("go_backwards"),
        nb::arg("name"), nb::arg("strict"), nb::arg("checkpoint"), nb::arg("checkpoint_bytes"));
    m.def(
        "scan_checkpoints",
        [](nb::handle body, nb::handle sequences, nb::handle outputs_info, nb::handle non_sequences,
           nb::handle n_steps, const std::string& name, int64_t save_every_n) {
            Site site = python_site();
            auto options = to_options(sequences, outputs_info, non_sequences, n_steps, name, site);
            SiteScope scope(site);
            return outputs_and_updates(scan_checkpoints(to_body(body), options, save_every_n));
        },
        nb::arg("body"), nb::arg("sequences"), nb::arg("outputs_info"), nb::arg("non_sequences"),
        nb::arg("n_steps").none(), nb::arg("name"), nb::arg("save_every_n"));
}

void bind_plain_loops(nb::module_& m) {
    m.def(
        "for_loop",
        [](nb::handle count, nb::handle initial, nb::handle body) {
            Site site = python_site();
            SiteScope scope(site);
            return to_python_list(for_loop(to_arg(count, site), to_variables(initial, site),
                                           [&](const Variable& i, const Variables& states) {
                                               Variables first{i};
                                               return to_variables(
                                                   body(to_python_list(joined({&first, &states}))),
                                                   python_site());
                                           }));
        },
        nb::arg("count"), nb::arg("initial"), nb::arg("body"));
    m.def(
        "while_loop",
        [](nb::handle condition, nb::handle body, nb::handle initial, nb::handle limit) {
            Site site = python_site();
            SiteScope scope(site);
            auto asked = [&](const Variables& states) {
                return to_variable(condition(to_python_list(states)), python_site());
            };
            auto round = [&](const Variables& states) {
                return to_variables(body(to_python_list(states)), python_site());
            };
            Variables begin = to_variables(initial, site);
            return to_python_list(limit.is_none()
                                      ? while_loop(asked, round, begin)
                                      : while_loop(asked, round, begin, to_arg(limit, site)));
        },
        nb::arg("condition"), nb::arg("body"), nb::arg("initial"), nb::arg("limit").none());
}
}  // namespace

void bind_scans(nb::module_& m) {
    bind_scan(m);
    bind_plain_loops(m);
}

}  // namespace croton::python
