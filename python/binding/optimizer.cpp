// Optimisers: (updates, state) of each step.
#include "croton/api/optimizers.hpp"
#include "python/binding/convert.hpp"

namespace croton::python {

namespace {
using optimizers::Steps;

std::vector<SharedVariable> to_parameters(nb::handle value) {
    std::vector<SharedVariable> result;
    for (const auto& v : to_variables(value, {})) result.emplace_back(v);
    return result;
}

// Runs `make(site, loss, parameters)` with nodes made at the user's line.
template <class Make>
nb::object steps(nb::handle loss, nb::handle parameters, Make make) {
    Site site = python_site();
    SiteScope scope(site);
    Steps made = make(site, to_variable(loss, site), to_parameters(parameters));
    nb::list updates, state;
    for (const auto& [target, value] : made.updates)
        updates.append(nb::make_tuple(to_python(target), to_python(value)));
    for (const auto& v : made.state) state.append(to_python(v));
    return nb::make_tuple(updates, state);
}
}  // namespace

void bind_optimizers(nb::module_& m) {
    using nb::handle;
    m.def(
        "sgd",
        [](handle loss, handle parameters, handle rate) {
            return steps(loss, parameters, [&](Site s, const auto& l, const auto& p) {
                return optimizers::sgd(l, p, to_arg(rate, s));
            });
        },
        nb::arg("loss"), nb::arg("parameters"), nb::arg("rate"));
    m.def(
        "momentum",
        [](handle loss, handle parameters, handle rate, handle momentum, bool nesterov) {
            return steps(loss, parameters, [&](Site s, const auto& l, const auto& p) {
                return optimizers::momentum(l, p, to_arg(rate, s), to_arg(momentum, s), nesterov);
            });
        },
        nb::arg("loss"), nb::arg("parameters"), nb::arg("rate"), nb::arg("momentum"),
        nb::arg("nesterov"));
    m.def(
        "adagrad",
        [](handle loss, handle parameters, handle rate, handle epsilon) {
            return steps(loss, parameters, [&](Site s, const auto& l, const auto& p) {
                return optimizers::adagrad(l, p, to_arg(rate, s), to_arg(epsilon, s));
            });
        },
        nb::arg("loss"), nb::arg("parameters"), nb::arg("rate"), nb::arg("epsilon"));
    m.def(
        "rmsprop",
        [](handle loss, handle parameters, handle rate, handle decay, handle epsilon) {
            return steps(loss, parameters, [&](Site s, const auto& l, const auto& p) {
                return optimizers::rmsprop(l, p, to_arg(rate, s), to_arg(decay, s),
                                           to_arg(epsilon, s));
            });
        },
        nb::arg("loss"), nb::arg("parameters"), nb::arg("rate"), nb::arg("decay"),
        nb::arg("epsilon"));
    m.def(
        "adam",
        [](handle loss, handle parameters, handle rate, handle beta1, handle beta2,
           handle epsilon) {
            return steps(loss, parameters, [&](Site s, const auto& l, const auto& p) {
                return optimizers::adam(l, p, to_arg(rate, s), to_arg(beta1, s), to_arg(beta2, s),
                                        to_arg(epsilon, s));
            });
        },
        nb::arg("loss"), nb::arg("parameters"), nb::arg("rate"), nb::arg("beta1"), nb::arg("beta2"),
        nb::arg("epsilon"));
}

}  // namespace croton::python
