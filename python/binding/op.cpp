// The op functions: one generic call over the catalogue's records, and the friendly functions of
// the C++ headers that are more than one record.
#include <nanobind/stl/pair.h>

#include "croton/graph/traverse.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "python/binding/convert.hpp"

namespace croton::python {

namespace {
// --- records

const OpRecord& record_named(const std::string& name) {
    if (const OpRecord* op = find_op(name)) return *op;
    fail(ErrorKind::Usage, "there is no op named '", name, "'");
}

std::string_view accepts_name(Accepts accepts) {
    static constexpr std::string_view names[] = {"any",      "numeric", "real", "continuous",
                                                 "floating", "integer", "bool"};
    return names[static_cast<size_t>(accepts)];
}

nb::object default_to_python(const AttrSpec& spec) {
    return std::visit(
        [&](const auto& v) -> nb::object {
            using T = std::decay_t<decltype(v)>;
            if constexpr (std::is_same_v<T, Ints>) {
                if (v == Ints{Axes::all_axes}) return nb::none();
                nb::list items;
                for (int64_t i : v) items.append(i);
                return nb::tuple(items);
            } else if constexpr (std::is_same_v<T, DType>)
                return nb::str(dtype_name(v).data());
            else if constexpr (std::is_same_v<T, std::shared_ptr<const Opaque>> ||
                               std::is_same_v<T, AttrWildcard>)
                return nb::none();
            else
                return nb::cast(v);
        },
        spec.default_value);
}

const char* kind_of(const AttrValue& value) {
    static constexpr const char* kinds[] = {"bool",  "int",  "float",  "str",
                                            "dtype", "axes", "object", "object"};
    return kinds[value.index()];
}

nb::dict describe(const OpRecord& op, std::string_view family) {
    nb::dict result;
    result["name"] = std::string(op.name);
    result["family"] = std::string(family);
    result["doc"] = std::string(op.doc);
    result["elementwise"] = op.elementwise();
    result["differentiable"] = !op.facts.not_differentiable;
    nb::list arguments, attributes;
    for (const auto& a : op.arguments)
        arguments.append(
            nb::make_tuple(std::string(a.name), std::string(accepts_name(a.accepts)), a.variadic));
    for (const auto& a : op.attributes)
        attributes.append(nb::make_tuple(a.name, kind_of(a.default_value), default_to_python(a),
                                         a.required, a.doc));
    result["arguments"] = arguments;
    result["attributes"] = attributes;
    return result;
}

nb::list catalogue_list() {
    nb::list result;
    for (const auto& [family, records] : catalogue())
        for (const OpRecord* op : records) result.append(describe(*op, family));
    return result;
}

AttrValue to_attribute(nb::handle value, const AttrSpec& spec, const OpRecord& op) {
    auto wrong = [&](const char* wanted) {
        fail(ErrorKind::Type, op.name, ": '", spec.name, "' takes ", wanted, ", not ",
             nb::repr(value).c_str());
    };
    switch (spec.default_value.index()) {
        case 0: {
            int truth = PyObject_IsTrue(value.ptr());
            if (truth < 0) throw nb::python_error();
            return truth == 1;
        }
        case 1: return to_ints(value, spec.name).at(0);
        case 2: {
            double number = PyFloat_AsDouble(value.ptr());
            if (number == -1 && PyErr_Occurred()) {
                PyErr_Clear();
                wrong("a number");
            }
            return number;
        }
        case 3:
            if (!PyUnicode_Check(value.ptr())) wrong("a string");
            return nb::cast<std::string>(value);
        case 4: return to_dtype(value);
        case 5:
            if (value.is_none()) return Ints{Axes::all_axes};
            return to_ints(value, spec.name);
        default: break;
    }
    fail(ErrorKind::Unsupported, op.name, ": '", spec.name, "' cannot be given from Python");
}

// Positional and keyword arguments of a call, sorted into the record's inputs and attributes.
struct Bound {
    Variables inputs;
    NamedAttrs attrs;
};

Bound bind_arguments(const OpRecord& op, nb::handle args, nb::handle kwargs, Site site) {
    Bound bound;
    std::vector<nb::object> places(op.arguments.size());
    std::vector<nb::object> rest;
    size_t given = nb::len(args), next = 0;
    for (size_t i = 0; i < op.arguments.size() && next < given; ++i) {
        places[i] = args[next++];
        // f(a, b, c) as well as f([a, b, c])
        if (op.arguments[i].variadic && !is_sequence(places[i]))
            while (next < given && op.attributes.empty()) rest.push_back(args[next++]);
    }
    std::vector<nb::object> values(op.attributes.size());
    for (size_t i = 0; i < op.attributes.size() && next < given; ++i) values[i] = args[next++];
    if (next < given)
        fail(ErrorKind::Usage, op.name, " takes at most ",
             op.arguments.size() + op.attributes.size(), " arguments, not ", given);
    auto place_of = [&](const std::string& name) -> nb::object& {
        for (size_t i = 0; i < places.size(); ++i)
            if (op.arguments[i].name == name) return places[i];
        for (size_t i = 0; i < values.size(); ++i)
            if (op.attributes[i].name == name ||
                (op.attributes[i].name == "axes" && name == "axis"))
                return values[i];
        fail(ErrorKind::Usage, op.name, " has no argument '", name, "'; it has ",
             join(op.arguments, ", ", [](const Argument& a) { return a.name; }),
             op.attributes.empty() ? "" : ", ",
             join(op.attributes, ", ", [](const AttrSpec& a) { return a.name; }));
    };
    if (kwargs.is_valid())
        for (auto [key, value] : nb::borrow<nb::dict>(kwargs)) {
            nb::object& place = place_of(nb::cast<std::string>(key));
            if (place.is_valid())
                fail(ErrorKind::Usage, op.name, ": argument '", nb::str(key).c_str(),
                     "' is given twice");
            place = nb::borrow(value);
        }
    for (size_t i = 0; i < places.size(); ++i) {
        if (!places[i].is_valid()) {
            if (op.arguments[i].variadic) continue;
            fail(ErrorKind::Usage, op.name, ": argument '", op.arguments[i].name, "' is missing");
        }
        if (op.arguments[i].variadic)
            for (auto& v : to_variables(places[i], site)) bound.inputs.push_back(v);
        else
            bound.inputs.push_back(to_variable(places[i], site));
    }
    for (const auto& item : rest) bound.inputs.push_back(to_variable(item, site));
    for (size_t i = 0; i < values.size(); ++i) {
        const auto& spec = op.attributes[i];
        if (values[i].is_valid())
            bound.attrs.emplace_back(spec.name, to_attribute(values[i], spec, op));
        else if (spec.required)
            fail(ErrorKind::Usage, op.name, ": argument '", spec.name, "' is missing");
    }
    return bound;
}

nb::object results_of(const Variables& results) {
    if (results.size() == 1) return to_python(results[0]);
    return to_python_list(results);
}

nb::object apply_record(const std::string& name, nb::tuple args, nb::dict kwargs) {
    const OpRecord& op = record_named(name);
    Site site = python_site();
    SiteScope scope(site);
    Bound bound = bind_arguments(op, args, kwargs, site);
    return results_of(apply(op, std::move(bound.inputs), std::move(bound.attrs), site));
}

// --- friendly functions

// Runs `body(site)` with nodes made at the user's line.
template <class Body>
nb::object here(Body body) {
    Site site = python_site();
    SiteScope scope(site);
    return to_python(body(site));
}

std::vector<Arg> to_args(nb::handle value, Site site) {
    std::vector<Arg> result;
    for (const auto& v : to_variables(value, site)) result.emplace_back(v, site);
    return result;
}

// Sizes: a number, a list of numbers and scalar variables, or an integer vector of known length.
ShapeArg to_shape(nb::handle value, Site site, int rank = -1) {
    if (is_sequence(value)) return ShapeArg(to_args(value, site));
    Variable v = to_variable(value, site);
    if (v.rank() == 0) return ShapeArg(std::vector<Arg>{Arg(v, site)});
    return rank >= 0 ? ShapeArg(v, rank) : ShapeArg(v);
}

Ints axes_or_none(nb::handle value) { return value.is_none() ? Ints{} : to_ints(value, "axes"); }

void bind_shapes(nb::module_& m) {
    m.def(
        "shape", [](nb::handle x) { return here([&](Site s) { return shape(to_arg(x, s)); }); },
        nb::arg("x"), "The sizes as an int64 vector.");
    m.def(
        "reshape",
        [](nb::handle x, nb::handle sizes, int ndim) {
            return here([&](Site s) { return reshape(to_arg(x, s), to_shape(sizes, s, ndim)); });
        },
        nb::arg("x"), nb::arg("newshape"), nb::arg("ndim") = -1,
        "The same elements in C order with these sizes, of which one may be -1.");
    m.def(
        "flatten",
        [](nb::handle x, int ndim) {
            return here([&](Site s) { return flatten(to_variable(x, s), ndim); });
        },
        nb::arg("x"), nb::arg("ndim") = 1,
        "One axis; or the first ndim - 1 axes as they are and the rest as one.");
    m.def(
        "transpose",
        [](nb::handle x, nb::handle axes) {
            return here([&](Site s) { return transpose(to_variable(x, s), axes_or_none(axes)); });
        },
        nb::arg("x"), nb::arg("axes") = nb::none(), "Axes reversed, or in the given order.");
    m.def(
        "matrix_transpose",
        [](nb::handle x) {
            return here([&](Site s) { return matrix_transpose(to_variable(x, s)); });
        },
        nb::arg("x"), "The last two axes exchanged.");
    m.def(
        "swapaxes",
        [](nb::handle x, int64_t a, int64_t b) {
            return here([&](Site s) { return swapaxes(to_variable(x, s), a, b); });
        },
        nb::arg("x"), nb::arg("axis1"), nb::arg("axis2"), "Two axes exchanged.");
    m.def(
        "moveaxis",
        [](nb::handle x, int64_t from, int64_t to) {
            return here([&](Site s) { return moveaxis(to_variable(x, s), from, to); });
        },
        nb::arg("x"), nb::arg("source"), nb::arg("destination"), "One axis moved elsewhere.");
    m.def(
        "expand_dims",
        [](nb::handle x, nb::handle axis) {
            return here(
                [&](Site s) { return expand_dims(to_variable(x, s), to_ints(axis, "axis")); });
        },
        nb::arg("x"), nb::arg("axis"), "Axes of size 1 at these places of the result.");
    m.def(
        "squeeze",
        [](nb::handle x, nb::handle axis) {
            return here([&](Site s) {
                Variable v = to_variable(x, s);
                return axis.is_none() ? squeeze(v) : squeeze(v, to_ints(axis, "axis"));
            });
        },
        nb::arg("x"), nb::arg("axis") = nb::none(),
        "Without axes of size 1: the given ones, or all that are known to have it.");
    m.def(
        "shape_padleft",
        [](nb::handle x, int n) {
            return here([&](Site s) { return shape_padleft(to_variable(x, s), n); });
        },
        nb::arg("t"), nb::arg("n_ones") = 1, "Axes of size 1 in front.");
    m.def(
        "shape_padright",
        [](nb::handle x, int n) {
            return here([&](Site s) { return shape_padright(to_variable(x, s), n); });
        },
        nb::arg("t"), nb::arg("n_ones") = 1, "Axes of size 1 behind.");
    m.def(
        "broadcast_to",
        [](nb::handle x, nb::handle sizes) {
            return here([&](Site s) { return broadcast_to(to_arg(x, s), to_shape(sizes, s)); });
        },
        nb::arg("x"), nb::arg("shape"), "Axes of size 1 repeated to these sizes, without copying.");
    m.def(
        "specify_shape",
        [](nb::handle x, nb::handle sizes) {
            return here([&](Site s) { return specify_shape(to_arg(x, s), to_shape(sizes, s)); });
        },
        nb::arg("x"), nb::arg("shape"),
        "x itself, promised to have these sizes (-1: any); checked when running.");
    m.def(
        "dimshuffle",
        [](nb::handle x, nb::args order) {
            return here([&](Site s) {
                nb::object items = order;
                if (nb::len(order) == 1 && is_sequence(order[0])) items = order[0];
                Variable v = to_variable(x, s);
                Ints axes;
                for (auto item : items)
                    if (PyUnicode_Check(item.ptr()))
                        axes.push_back(new_axis);
                    else
                        axes.push_back(
                            normalize_axis(to_ints(item, "dimshuffle")[0], v.rank(), "dimshuffle"));
                return dimshuffle(Arg(v, s), axes);
            });
        },
        nb::arg("x"), nb::arg("pattern"),
        "Axes in a new order; 'x' is a new axis of size 1. Axes left out must have size 1.");
}

void bind_joins(nb::module_& m) {
    m.def(
        "concatenate",
        [](nb::handle parts, int64_t axis) {
            return here([&](Site s) { return concatenate(to_args(parts, s), axis); });
        },
        nb::arg("tensor_list"), nb::arg("axis") = 0, "Arrays joined along an axis they have.");
    m.def(
        "stack",
        [](nb::handle parts, int64_t axis) {
            return here([&](Site s) { return stack(to_args(parts, s), axis); });
        },
        nb::arg("tensors"), nb::arg("axis") = 0, "Arrays of one shape joined along a new axis.");
    m.def(
        "split",
        [](nb::handle x, nb::handle sizes, int count, int64_t axis) {
            Site site = python_site();
            SiteScope scope(site);
            Variable v = to_variable(x, site);
            if (is_sequence(sizes)) return to_python_list(split(v, to_args(sizes, site), axis));
            return to_python_list(split(v, to_variable(sizes, site), count, axis));
        },
        nb::arg("x"), nb::arg("splits_size"), nb::arg("n_splits") = -1, nb::arg("axis") = 0,
        "Pieces of the given sizes along an axis, as a list.");
    m.def(
        "tile",
        [](nb::handle x, nb::handle reps) {
            return here([&](Site s) { return tile(to_variable(x, s), to_args(reps, s)); });
        },
        nb::arg("x"), nb::arg("reps"),
        "The array laid beside itself so many times along each axis.");
    m.def(
        "repeat",
        [](nb::handle x, nb::handle repeats, nb::handle axis) {
            return here([&](Site s) {
                Variable v = to_variable(x, s);
                if (axis.is_none()) v = ravel(v);
                return repeat(v, to_arg(repeats, s), axis.is_none() ? 0 : to_ints(axis, "axis")[0]);
            });
        },
        nb::arg("x"), nb::arg("repeats"), nb::arg("axis") = nb::none(),
        "Each element (row, ...) so many times along the axis; of the flattened array without "
        "one.");
    m.def(
        "roll",
        [](nb::handle x, nb::handle shift, nb::handle axis) {
            return here([&](Site s) {
                Variable v = to_variable(x, s);
                if (!axis.is_none())
                    return roll(Arg(v, s), to_arg(shift, s), to_ints(axis, "axis")[0]);
                Variable moved = roll(Arg(ravel(v), s), to_arg(shift, s), int64_t{0});
                return reshape(Arg(moved, s), ShapeArg(shape(Arg(v, s)), v.rank()));
            });
        },
        nb::arg("x"), nb::arg("shift"), nb::arg("axis") = nb::none(),
        "Elements moved along an axis; what leaves at one end enters at the other.");
    m.def(
        "flip",
        [](nb::handle x, nb::handle axis) {
            return here([&](Site s) {
                Variable v = to_variable(x, s);
                Ints axes;
                if (axis.is_none())
                    for (int i = 0; i < v.rank(); ++i) axes.push_back(i);
                else
                    axes = to_ints(axis, "axis");
                return flip(v, axes);
            });
        },
        nb::arg("x"), nb::arg("axis") = nb::none(), "Axes in reverse order of elements.");
}

void bind_makers(nb::module_& m) {
    m.def(
        "full",
        [](nb::handle sizes, nb::handle value, nb::handle dtype) {
            return here([&](Site s) {
                if (dtype.is_none()) return full(to_shape(sizes, s), to_arg(value, s));
                return full(to_shape(sizes, s), to_arg(value, s), to_dtype(dtype));
            });
        },
        nb::arg("shape"), nb::arg("fill_value"), nb::arg("dtype") = nb::none(),
        "An array with every element the same.");
    m.def(
        "zeros",
        [](nb::handle sizes, nb::handle dtype) {
            return here([&](Site s) {
                return zeros(to_shape(sizes, s),
                             dtype.is_none() ? default_float() : to_dtype(dtype));
            });
        },
        nb::arg("shape"), nb::arg("dtype") = nb::none(), "Zeros, of floatX by default.");
    m.def(
        "ones",
        [](nb::handle sizes, nb::handle dtype) {
            return here([&](Site s) {
                return ones(to_shape(sizes, s),
                            dtype.is_none() ? default_float() : to_dtype(dtype));
            });
        },
        nb::arg("shape"), nb::arg("dtype") = nb::none(), "Ones, of floatX by default.");
    auto like = [&m](const char* name, int64_t value, const char* doc) {
        m.def(
            name,
            [value](nb::handle x, nb::handle dtype) {
                return here([&](Site s) {
                    Variable v = to_variable(x, s);
                    Variable filled = full_like(Arg(v, s), number_at(value, s));
                    return dtype.is_none() ? filled : cast(Arg(filled, s), to_dtype(dtype));
                });
            },
            nb::arg("model"), nb::arg("dtype") = nb::none(), doc);
    };
    like("zeros_like", 0, "Zeros with the sizes (and dtype) of another array.");
    like("ones_like", 1, "Ones with the sizes (and dtype) of another array.");
    m.def(
        "arange",
        [](nb::handle start, nb::handle stop, nb::handle step, nb::handle dtype) {
            return here([&](Site s) {
                Arg one = number_at(1, s), zero = number_at(0, s);
                Variable result = arange(stop.is_none() ? zero : to_arg(start, s),
                                         to_arg(stop.is_none() ? start : stop, s),
                                         step.is_none() ? one : to_arg(step, s));
                return dtype.is_none() ? result : cast(Arg(result, s), to_dtype(dtype));
            });
        },
        nb::arg("start"), nb::arg("stop") = nb::none(), nb::arg("step") = nb::none(),
        nb::arg("dtype") = nb::none(), "start, start + step, ... up to but without stop.");
    m.def(
        "linspace",
        [](nb::handle start, nb::handle stop, nb::handle count) {
            return here([&](Site s) {
                return linspace(to_arg(start, s), to_arg(stop, s), to_arg(count, s));
            });
        },
        nb::arg("start"), nb::arg("stop"), nb::arg("num") = 50,
        "So many numbers from start to stop, both included.");
    auto matrix = [&m](const char* name, auto make, const char* doc) {
        m.def(
            name,
            [make](nb::handle n, nb::handle columns, nb::handle k, nb::handle dtype) {
                return here([&](Site s) {
                    return make(to_arg(n, s), to_arg(columns.is_none() ? n : columns, s),
                                to_arg(k, s), dtype.is_none() ? default_float() : to_dtype(dtype));
                });
            },
            nb::arg("n"), nb::arg("m") = nb::none(), nb::arg("k") = 0,
            nb::arg("dtype") = nb::none(), doc);
    };
    matrix(
        "eye", [](Arg n, Arg m, Arg k, DType d) { return eye(n, m, k, d); },
        "Ones on a diagonal, k above the main one.");
    matrix(
        "tri", [](Arg n, Arg m, Arg k, DType d) { return tri(n, m, k, d); },
        "Ones at and below a diagonal.");
    m.def(
        "diag",
        [](nb::handle x, int64_t k) {
            return here([&](Site s) { return diag(to_variable(x, s), k); });
        },
        nb::arg("v"), nb::arg("k") = 0,
        "Of a vector the square matrix with that diagonal, of a matrix its diagonal.");
}

void bind_products(nb::module_& m) {
    m.def(
        "tensordot",
        [](nb::handle a, nb::handle b, nb::handle axes) {
            return here([&](Site s) {
                Variable x = to_variable(a, s), y = to_variable(b, s);
                if (!is_sequence(axes))
                    return tensordot(x, y, static_cast<int>(to_ints(axes, "axes")[0]));
                return tensordot(Arg(x, s), Arg(y, s), to_ints(axes[0], "axes"),
                                 to_ints(axes[1], "axes"));
            });
        },
        nb::arg("a"), nb::arg("b"), nb::arg("axes") = 2,
        "Sums over pairs of axes: a count, or one list of axes for each array.");
    m.def(
        "trace",
        [](nb::handle x, int64_t offset) {
            return here([&](Site s) { return trace(to_variable(x, s), offset); });
        },
        nb::arg("x"), nb::arg("offset") = 0, "Sum of a diagonal of the first two axes.");
}

void bind_indices(nb::module_& m) {
    m.def(
        "set_subtensor",
        [](nb::handle x, nb::handle y) {
            return here([&](Site s) { return set_subtensor(to_variable(x, s), to_arg(y, s)); });
        },
        nb::arg("x"), nb::arg("y"),
        "A copy of the array that x[...] was taken from, with that part replaced by y.");
    m.def(
        "inc_subtensor",
        [](nb::handle x, nb::handle y) {
            return here([&](Site s) { return inc_subtensor(to_variable(x, s), to_arg(y, s)); });
        },
        nb::arg("x"), nb::arg("y"),
        "A copy of the array that x[...] was taken from, with y added to that part; repeated "
        "indices add up.");
    m.def(
        "take",
        [](nb::handle a, nb::handle indices, nb::handle axis, const std::string& mode) {
            return here([&](Site s) {
                Variable x = to_variable(a, s);
                if (axis.is_none()) x = ravel(x);
                return take(Arg(x, s), to_arg(indices, s),
                            axis.is_none() ? 0 : to_ints(axis, "axis")[0], mode);
            });
        },
        nb::arg("a"), nb::arg("indices"), nb::arg("axis") = nb::none(), nb::arg("mode") = "raise",
        "Elements (rows, ...) at integer positions along an axis, or of the flattened array.");
}

void bind_graphs(nb::module_& m) {
    m.def(
        "substitute",
        [](nb::handle outputs, nb::handle replacements) {
            Site site = python_site();
            Substitution map;
            for (auto& [from, to] : to_pairs(replacements, "replace"))
                map.emplace(to_variable(from, site), to_variable(to, site));
            return to_python_list(substitute(to_variables(outputs, site), map));
        },
        nb::arg("outputs"), nb::arg("replacements"),
        "The outputs with each key replaced by its value.");
    m.def(
        "leaves",
        [](nb::handle outputs) { return to_python_list(leaves(to_variables(outputs, {}))); },
        nb::arg("outputs"), "Inputs, shared variables and constants that the outputs need.");
    m.def(
        "sorted_nodes",
        [](nb::handle outputs) {
            nb::list result;
            for (Node* node : toposort(to_variables(outputs, {})))
                if (node->kind == NodeKind::Apply) result.append(to_python(Variable(node, 0)));
            return result;
        },
        nb::arg("outputs"),
        "First output of every node that the outputs need, inputs before users.");
}
}  // namespace

void bind_ops(nb::module_& m) {
    m.def("catalogue", catalogue_list, "A description of every op record.");
    m.def("apply", apply_record, nb::arg("name"), nb::arg("args"), nb::arg("kwargs"),
          "Applies the op of that name.");
    bind_shapes(m);
    bind_joins(m);
    bind_makers(m);
    bind_products(m);
    bind_indices(m);
    bind_graphs(m);
}

}  // namespace croton::python
