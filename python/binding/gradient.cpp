// Derivatives.
#include <nanobind/stl/function.h>

#include "croton/api/function.hpp"
#include "croton/grad/grad.hpp"
#include "croton/grad/verify.hpp"
#include "python/binding/convert.hpp"

namespace croton::python {

namespace {
Disconnected disconnected_named(const std::string& name) {
    if (name == "raise") return Disconnected::Raise;
    if (name == "warn") return Disconnected::Warn;
    if (name == "ignore") return Disconnected::Ignore;
    fail(ErrorKind::Value, "disconnected_inputs takes raise, warn or ignore, not '", name, "'");
}

GradOptions to_options(nb::handle consider_constant, const std::string& disconnected,
                       nb::handle known_grads, bool null_if_disconnected, Site site) {
    GradOptions options;
    if (!consider_constant.is_none())
        options.consider_constant = to_variables(consider_constant, site);
    for (auto& [variable, gradient] : to_pairs(known_grads, "known_grads"))
        options.known_grads.emplace(to_variable(variable, site), to_variable(gradient, site));
    options.disconnected = disconnected_named(disconnected);
    options.null_if_disconnected = null_if_disconnected;
    return options;
}

// The variables of a wrt, which must be variables already.
Variables to_wrt(nb::handle value) {
    Variables result;
    auto add = [&](nb::handle item) {
        if (!is_variable(item))
            fail(ErrorKind::Type, "a gradient is taken with respect to variables, not ",
                 nb::repr(item).c_str());
        result.push_back(nb::inst_ptr<Handle>(item)->variable);
    };
    if (is_variable(value))
        add(value);
    else if (nb::isinstance<nb::iterable>(value))
        for (auto item : value) add(item);
    else
        add(value);
    return result;
}

// Null where Python says None.
Variables to_seeds(nb::handle value, Site site) {
    Variables result;
    if (!is_sequence(value)) return {value.is_none() ? Variable() : to_variable(value, site)};
    for (auto item : value) result.push_back(item.is_none() ? Variable() : to_variable(item, site));
    return result;
}
}  // namespace

void bind_gradients(nb::module_& m) {
    m.def(
        "grad",
        [](nb::handle cost, nb::handle wrt, nb::handle consider_constant,
           const std::string& disconnected, nb::handle known_grads, bool null_if_disconnected) {
            Site site = python_site();
            SiteScope scope(site);
            Variable c = cost.is_none() ? Variable() : to_variable(cost, site);
            return to_python_list(grad(c, to_wrt(wrt),
                                       to_options(consider_constant, disconnected, known_grads,
                                                  null_if_disconnected, site)));
        },
        nb::arg("cost").none(), nb::arg("wrt"), nb::arg("consider_constant") = nb::none(),
        nb::arg("disconnected_inputs") = "raise", nb::arg("known_grads") = nb::none(),
        nb::arg("null_if_disconnected") = false);
    m.def(
        "vjp",
        [](nb::handle outputs, nb::handle wrt, nb::handle cotangents, nb::handle consider_constant,
           const std::string& disconnected) {
            Site site = python_site();
            SiteScope scope(site);
            return to_python_list(
                vjp(to_variables(outputs, site), to_wrt(wrt), to_seeds(cotangents, site),
                    to_options(consider_constant, disconnected, nb::none(), false, site)));
        },
        nb::arg("outputs"), nb::arg("wrt"), nb::arg("cotangents").none(),
        nb::arg("consider_constant") = nb::none(), nb::arg("disconnected_inputs") = "ignore");
    m.def(
        "jvp",
        [](nb::handle outputs, nb::handle wrt, nb::handle tangents) {
            Site site = python_site();
            SiteScope scope(site);
            return to_python_list(
                jvp(to_variables(outputs, site), to_wrt(wrt), to_seeds(tangents, site)));
        },
        nb::arg("outputs"), nb::arg("wrt"), nb::arg("tangents").none());
    m.def(
        "hvp",
        [](nb::handle cost, nb::handle wrt, nb::handle vectors) {
            Site site = python_site();
            SiteScope scope(site);
            return to_python_list(
                hvp(to_variable(cost, site), to_wrt(wrt), to_seeds(vectors, site)));
        },
        nb::arg("cost"), nb::arg("wrt"), nb::arg("vectors"));
    auto matrices = [&m](const char* name,
                         Variables (*f)(const Variable&, const Variables&, const GradOptions&)) {
        m.def(
            name,
            [f](nb::handle expression, nb::handle wrt, nb::handle consider_constant,
                const std::string& disconnected) {
                Site site = python_site();
                SiteScope scope(site);
                return to_python_list(
                    f(to_variable(expression, site), to_wrt(wrt),
                      to_options(consider_constant, disconnected, nb::none(), false, site)));
            },
            nb::arg("expression"), nb::arg("wrt"), nb::arg("consider_constant") = nb::none(),
            nb::arg("disconnected_inputs") = "raise");
    };
    matrices("jacobian", jacobian);
    matrices("hessian", hessian);
    m.def(
        "verify_grad",
        [](nb::handle function, nb::handle points, uint64_t seed, double step, double tolerance,
           int order, bool forward) {
            std::vector<Array> values;
            for (auto point : points) values.push_back(to_array(point));
            CheckedFunction checked = [&](const Variables& inputs) {
                nb::object result = function(*nb::tuple(to_python_list(inputs)));
                return to_variable(result, python_site());
            };
            Evaluator evaluate = [](const Variables& outputs,
                                    const std::vector<std::pair<Variable, Array>>& inputs) {
                std::vector<In> variables;
                std::vector<std::optional<Array>> arguments;
                for (const auto& [variable, value] : inputs) {
                    variables.push_back(variable);
                    arguments.push_back(value);
                }
                FunctionOptions options;
                options.on_unused_input = "ignore";
                nb::gil_scoped_release release;
                auto f = croton::function(variables, {outputs.begin(), outputs.end()}, options);
                return f.call(std::move(arguments)).values();
            };
            VerifyOptions options;
            options.seed = seed;
            options.step = step;
            options.tolerance = tolerance;
            options.order = order;
            options.forward = forward;
            auto result = verify_grad(checked, values, evaluate, options);
            return nb::make_tuple(result.worst, result.comparisons);
        },
        nb::arg("fun"), nb::arg("points"), nb::arg("seed") = 1, nb::arg("step") = 0.0,
        nb::arg("tolerance") = 0.0, nb::arg("order") = 1, nb::arg("forward") = true);
}

}  // namespace croton::python
