// Choices, graphs as ops, shaped gradients, random draws.
#include "croton/ops/control.hpp"

#include "croton/base/settings.hpp"
#include "croton/ops/random.hpp"
#include "python/binding/convert.hpp"

namespace croton::python {

namespace {
template <class Body>
nb::object here(Body body) {
    Site site = python_site();
    SiteScope scope(site);
    return to_python(body(site));
}

ShapeArg to_size(nb::handle value, Site site) {
    if (value.is_none()) return ShapeArg(std::vector<Arg>{});
    if (!is_sequence(value)) {
        Variable v = to_variable(value, site);
        return v.rank() == 0 ? ShapeArg(std::vector<Arg>{Arg(v, site)}) : ShapeArg(v);
    }
    std::vector<Arg> sizes;
    for (const auto& v : to_variables(value, site)) sizes.emplace_back(v, site);
    return ShapeArg(sizes);
}

DType float_or(nb::handle dtype) { return dtype.is_none() ? default_float() : to_dtype(dtype); }

void bind_choices(nb::module_& m) {
    m.def(
        "ifelse",
        [](nb::handle condition, nb::handle then_branch, nb::handle else_branch) -> nb::object {
            Site site = python_site();
            SiteScope scope(site);
            Arg c = to_arg(condition, site);
            if (is_sequence(then_branch) != is_sequence(else_branch))
                fail(ErrorKind::Type, "ifelse: both branches must be single values or both lists");
            if (!is_sequence(then_branch))
                return to_python(ifelse(c, to_arg(then_branch, site), to_arg(else_branch, site)));
            return to_python_list(
                ifelse(c, to_variables(then_branch, site), to_variables(else_branch, site)));
        },
        nb::arg("condition"), nb::arg("then_branch"), nb::arg("else_branch"));
    auto shaped = [&m](const char* name, Variable (*f)(Arg), const char* doc) {
        m.def(
            name, [f](nb::handle x) { return here([&](Site s) { return f(to_arg(x, s)); }); },
            nb::arg("x"), doc);
    };
    shaped("disconnected_grad", disconnected_grad, "x, through which no gradient flows.");
    shaped("zero_grad", zero_grad, "x, with a gradient of zeros.");
    shaped("consider_constant", consider_constant, "x; gradients do not look above it.");
    m.def(
        "grad_clip",
        [](nb::handle x, nb::handle low, nb::handle high) {
            return here(
                [&](Site s) { return grad_clip(to_arg(x, s), to_arg(low, s), to_arg(high, s)); });
        },
        nb::arg("x"), nb::arg("lower_bound"), nb::arg("upper_bound"),
        "x, with its gradient limited to these bounds.");
    m.def(
        "grad_scale",
        [](nb::handle x, nb::handle factor) {
            return here([&](Site s) { return grad_scale(to_arg(x, s), to_arg(factor, s)); });
        },
        nb::arg("x"), nb::arg("multiplier"), "x, with its gradient multiplied.");
    m.def(
        "assert_",
        [](nb::handle x, nb::handle condition, const std::string& message) {
            return here(
                [&](Site s) { return assert_(to_arg(x, s), to_arg(condition, s), message); });
        },
        nb::arg("x"), nb::arg("condition"), nb::arg("message") = "assertion failed",
        "x if the condition holds; an error with the message when running otherwise.");
    m.def(
        "print_",
        [](nb::handle x, const std::string& message) {
            return here([&](Site s) { return print_(to_arg(x, s), message); });
        },
        nb::arg("x"), nb::arg("message") = "",
        "x, which is written to standard output whenever it is computed.");
}

GradientOverride to_override(nb::handle function) {
    if (function.is_none()) return nullptr;
    // Held as long as graphs with the op live; they may die on any thread.
    auto held = std::shared_ptr<PyObject>(nb::borrow(function).release().ptr(), [](PyObject* p) {
        if (!Py_IsInitialized()) return;
        nb::gil_scoped_acquire gil;
        Py_DECREF(p);
    });
    return [held](const Variables& inputs, const Variables& outputs, const Variables& seeds) {
        nb::gil_scoped_acquire gil;
        nb::object result = nb::handle(held.get())(to_python_list(inputs), to_python_list(outputs),
                                                   to_python_list(seeds));
        Variables gradients;
        Site site = python_site();
        for (auto item : result)
            gradients.push_back(item.is_none() ? Variable() : to_variable(item, site));
        return gradients;
    };
}

void bind_callable(nb::module_& m) {
    nb::class_<Callable>(m, "GraphOp", "A graph under a name, applied to arguments like an op.")
        .def(
            "__init__",
            [](Callable* self, nb::handle inputs, nb::handle outputs, const std::string& name,
               nb::handle gradient) {
                Site site = python_site();
                new (self) Callable(to_variables(inputs, site), to_variables(outputs, site), name,
                                    to_override(gradient));
            },
            nb::arg("inputs"), nb::arg("outputs"), nb::arg("name") = "graph",
            nb::arg("gradient") = nb::none())
        .def("call", [](const Callable& graph, nb::args args) {
            Site site = python_site();
            SiteScope scope(site);
            Args inputs;
            for (auto item : args) inputs.push_back(to_arg(item, site));
            return to_python_list(graph.call(inputs));
        });
}

void bind_random(nb::module_& m) {
    nb::class_<RandomStream>(m, "RandomStream", "Random draws, each with a state of its own.")
        .def(nb::init<uint64_t>(), nb::arg("seed"))
        .def(
            "uniform",
            [](RandomStream& r, nb::handle size, nb::handle low, nb::handle high,
               nb::handle dtype) {
                return here([&](Site s) {
                    return r.uniform(to_size(size, s), to_arg(low, s), to_arg(high, s),
                                     float_or(dtype));
                });
            },
            nb::arg("size").none(), nb::arg("low"), nb::arg("high"), nb::arg("dtype").none())
        .def(
            "normal",
            [](RandomStream& r, nb::handle size, nb::handle avg, nb::handle std, nb::handle dtype) {
                return here([&](Site s) {
                    return r.normal(to_size(size, s), to_arg(avg, s), to_arg(std, s),
                                    float_or(dtype));
                });
            },
            nb::arg("size").none(), nb::arg("avg"), nb::arg("std"), nb::arg("dtype").none())
        .def(
            "integers",
            [](RandomStream& r, nb::handle size, nb::handle low, nb::handle high,
               nb::handle dtype) {
                return here([&](Site s) {
                    return r.integers(to_size(size, s), to_arg(low, s), to_arg(high, s),
                                      to_dtype(dtype));
                });
            },
            nb::arg("size").none(), nb::arg("low"), nb::arg("high"), nb::arg("dtype"))
        .def(
            "bernoulli",
            [](RandomStream& r, nb::handle size, nb::handle p) {
                return here([&](Site s) { return r.bernoulli(to_size(size, s), to_arg(p, s)); });
            },
            nb::arg("size").none(), nb::arg("p"))
        .def(
            "poisson",
            [](RandomStream& r, nb::handle size, nb::handle rate) {
                return here([&](Site s) { return r.poisson(to_size(size, s), to_arg(rate, s)); });
            },
            nb::arg("size").none(), nb::arg("rate"))
        .def(
            "binomial",
            [](RandomStream& r, nb::handle size, nb::handle n, nb::handle p) {
                return here([&](Site s) {
                    return r.binomial(to_size(size, s), to_arg(n, s), to_arg(p, s));
                });
            },
            nb::arg("size").none(), nb::arg("n"), nb::arg("p"))
        .def(
            "permutation",
            [](RandomStream& r, nb::handle n) {
                return here([&](Site s) { return r.permutation(to_arg(n, s)); });
            },
            nb::arg("n"))
        .def(
            "shuffled",
            [](RandomStream& r, nb::handle x) {
                return here([&](Site s) { return r.shuffled(to_variable(x, s)); });
            },
            nb::arg("x"))
        .def(
            "choice",
            [](RandomStream& r, nb::handle x, nb::handle count, bool replace) {
                return here(
                    [&](Site s) { return r.choice(to_variable(x, s), to_arg(count, s), replace); });
            },
            nb::arg("x"), nb::arg("count"), nb::arg("replace") = true)
        .def(
            "categorical",
            [](RandomStream& r, nb::handle p) {
                return here([&](Site s) { return r.categorical(to_variable(p, s)); });
            },
            nb::arg("p"))
        .def("seed", &RandomStream::seed, nb::arg("seed"))
        .def("states", [](const RandomStream& r) {
            nb::list result;
            for (const auto& state : r.states()) result.append(to_python(state));
            return result;
        });
}
}  // namespace

void bind_controls(nb::module_& m) {
    bind_choices(m);
    bind_callable(m);
    bind_random(m);
}

}  // namespace croton::python
