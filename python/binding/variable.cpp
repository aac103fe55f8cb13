// TensorVariable and its kin: handles of croton::Variable with Python's manners.
#include <unordered_map>

#include "croton/graph/listing.hpp"
#include "croton/graph/op.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/shape.hpp"
#include "python/binding/convert.hpp"

namespace croton::python {

namespace {
struct KeyHash {
    size_t operator()(const ValueKey& key) const { return key.flat_hash(); }
};
// Live objects by the variable they hold, which holds the key's node: one object a variable, so
// that `is` and dictionaries work.
std::unordered_map<ValueKey, PyObject*, KeyHash>& live() {
    static auto& map = *new std::unordered_map<ValueKey, PyObject*, KeyHash>;
    return map;
}

PyTypeObject *variable_type = nullptr, *shared_type = nullptr, *constant_type = nullptr;

template <class T>
nb::object make_object(PyTypeObject* type, const Variable& variable) {
    nb::object result = nb::inst_alloc(nb::handle(reinterpret_cast<PyObject*>(type)));
    new (nb::inst_ptr<T>(result)) T(variable, result.ptr());
    nb::inst_mark_ready(result);
    return result;
}
}  // namespace

Handle::~Handle() {
    auto found = live().find(variable);
    if (found != live().end() && found->second == self) live().erase(found);
}

nb::object to_python(const Variable& variable) {
    if (!variable) return nb::none();
    auto found = live().find(variable);
    if (found != live().end() && Py_REFCNT(found->second) > 0) return nb::borrow(found->second);
    nb::object result = variable.kind() == NodeKind::Shared
                            ? make_object<SharedHandle>(shared_type, variable)
                        : variable.kind() == NodeKind::Constant
                            ? make_object<ConstantHandle>(constant_type, variable)
                            : make_object<Handle>(variable_type, variable);
    live()[variable] = result.ptr();
    return result;
}

nb::list to_python_list(const Variables& variables) {
    nb::list result;
    for (const auto& v : variables) result.append(to_python(v));
    return result;
}

bool is_variable(nb::handle value) { return PyObject_TypeCheck(value.ptr(), variable_type); }

bool is_sequence(nb::handle value) {
    return PyList_Check(value.ptr()) || PyTuple_Check(value.ptr());
}

namespace {
bool holds_variables(nb::handle value) {
    if (is_variable(value)) return true;
    if (!is_sequence(value)) return false;
    for (auto item : value)
        if (holds_variables(item)) return true;
    return false;
}

Variable plain_integer(nb::handle value, Site site) {
    int overflow = 0;
    long long number = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
    if (!overflow) return weak_constant(Array::scalar(static_cast<int64_t>(number)), site);
    if (overflow > 0) {
        auto large = PyLong_AsUnsignedLongLong(value.ptr());
        if (!PyErr_Occurred())
            return weak_constant(Array::scalar(static_cast<uint64_t>(large)), site);
        PyErr_Clear();
    }
    fail(ErrorKind::Value, "the integer ", nb::str(value).c_str(),
         " does not fit 64 bits; write it as a float");
}

Variable stacked(nb::handle value, Site site) {
    Args parts;
    for (auto item : value) parts.push_back(to_arg(item, site));
    bool scalars = true;
    for (const auto& part : parts) scalars = scalars && part.variable().rank() == 0;
    return scalars ? make_vector(parts) : stack(parts, 0);
}
}  // namespace

Variable to_variable(nb::handle value, Site site) {
    PyObject* p = value.ptr();
    if (is_variable(value)) return nb::inst_ptr<Handle>(value)->variable;
    if (PyBool_Check(p)) return weak_constant(Array::scalar(p == Py_True), site);
    bool own_dtype = !PyLong_CheckExact(p) && !PyFloat_CheckExact(p) && !PyComplex_CheckExact(p) &&
                     nb::hasattr(value, "dtype");
    if (PyLong_Check(p) && !own_dtype) return plain_integer(value, site);
    if (PyFloat_Check(p) && !own_dtype)
        return weak_constant(Array::scalar(PyFloat_AsDouble(p)), site);
    if (PyComplex_Check(p) && !own_dtype) {
        Py_complex number = PyComplex_AsCComplex(p);
        return weak_constant(Array::scalar(std::complex<double>(number.real, number.imag)), site);
    }
    if (holds_variables(value)) return stacked(value, site);
    return constant(to_array(value, Keep::Copy), SiteScope::current_or(site));
}

Variables to_variables(nb::handle value, Site site) {
    Variables result;
    if (!is_sequence(value)) return {to_variable(value, site)};
    for (auto item : value) result.push_back(to_variable(item, site));
    return result;
}

Ints to_ints(nb::handle value, std::string_view what) {
    Ints result;
    auto add = [&](nb::handle item) {
        nb::object index = nb::steal(PyNumber_Index(item.ptr()));
        if (!index.is_valid()) {
            PyErr_Clear();
            fail(ErrorKind::Type, what, " takes integers, not ", nb::repr(item).c_str());
        }
        long long number = PyLong_AsLongLong(index.ptr());
        if (number == -1 && PyErr_Occurred()) {
            PyErr_Clear();
            fail(ErrorKind::Value, what, ": ", nb::str(index).c_str(), " does not fit 64 bits");
        }
        result.push_back(number);
    };
    if (PyIndex_Check(value.ptr()) && !is_numpy_array(value.ptr())) {
        add(value);
    } else {
        nb::object items = nb::steal(PySequence_Fast(value.ptr(), ""));
        if (!items.is_valid()) {
            PyErr_Clear();
            fail(ErrorKind::Type, what, " takes integers, not ", nb::repr(value).c_str());
        }
        for (auto item : items) add(item);
    }
    return result;
}

std::vector<std::pair<nb::object, nb::object>> to_pairs(nb::handle value, std::string_view what) {
    std::vector<std::pair<nb::object, nb::object>> result;
    if (value.is_none()) return result;
    nb::object items =
        nb::hasattr(value, "items") ? nb::object(value.attr("items")()) : nb::borrow(value);
    for (auto item : items) {
        if (!is_sequence(item) || nb::len(item) != 2)
            fail(ErrorKind::Type, what, " takes a dictionary or a list of pairs, not ",
                 nb::repr(item).c_str());
        result.emplace_back(nb::object(item[0]), nb::object(item[1]));
    }
    return result;
}

// --- indexing

namespace {
SliceEnd slice_end(nb::handle value, Site site) {
    if (value.is_none()) return {};
    return SliceEnd(to_arg(value, site));
}

IndexArg index_item(nb::handle item, Site site) {
    if (item.is_none()) return NewAxis{};
    if (item.ptr() == Py_Ellipsis) return Ellipsis{};
    if (PySlice_Check(item.ptr())) {
        auto s = reinterpret_cast<PySliceObject*>(item.ptr());
        return Slice(slice_end(s->start, site), slice_end(s->stop, site), slice_end(s->step, site));
    }
    if (PyBool_Check(item.ptr()))
        fail(ErrorKind::Unsupported,
             "a plain bool is no index; use None for a new axis or an array of bools for a mask");
    if (is_sequence(item) && nb::len(item) == 0)
        return IndexArg(Arg(constant(Array::empty(DType::Int64, {0}), site), site));
    return IndexArg(to_arg(item, site));
}
}  // namespace

Variable subscript(const Variable& x, nb::handle key, Site site) {
    Index index;
    if (PyTuple_Check(key.ptr()))
        for (auto item : key) index.push_back(index_item(item, site));
    else
        index.push_back(index_item(key, site));
    return at(Arg(x, site), index);
}

// --- the classes

namespace {
const Variable& of(const Handle& h) { return h.variable; }

std::string text_of(const Variable& v) {
    if (!v.name().empty()) return v.name();
    if (auto value = constant_value(v)) return value->text();
    return pp(v, {.max_length = 200});
}

// A method of an op: `reflected` exchanges the two arguments.
void def_operator(nb::class_<Handle>& c, const char* method, const char* op_name, bool reflected) {
    const OpRecord* op = find_op(op_name);
    if (!op) fail(ErrorKind::Internal, "there is no op ", op_name, " for ", method);
    c.def(
        method,
        [op, reflected](nb::handle self, nb::handle other) -> nb::object {
            if (PyUnicode_Check(other.ptr()) || other.is_none() || PyDict_Check(other.ptr()))
                return nb::borrow(Py_NotImplemented);
            Site site = python_site();
            Variable x = to_variable(self, site), y = to_variable(other, site);
            if (reflected) std::swap(x, y);
            return to_python(apply(*op, {x, y}, {}, site)[0]);
        },
        nb::arg("other"), op->doc.data());
}

void def_unary(nb::class_<Handle>& c, const char* method, const char* op_name) {
    const OpRecord* op = find_op(op_name);
    if (!op) fail(ErrorKind::Internal, "there is no op ", op_name, " for ", method);
    c.def(
        method,
        [op](const Handle& self) {
            return to_python(apply(*op, {of(self)}, {}, python_site())[0]);
        },
        op->doc.data());
}

void def_operators(nb::class_<Handle>& c) {
    struct Row {
        const char *method, *reflected, *op;
    };
    // Comparisons have no reflected form of their own: Python calls the mirrored one.
    static constexpr Row rows[] = {
        {"__add__", "__radd__", "add"},
        {"__sub__", "__rsub__", "sub"},
        {"__mul__", "__rmul__", "mul"},
        {"__truediv__", "__rtruediv__", "div"},
        {"__floordiv__", "__rfloordiv__", "floor_div"},
        {"__mod__", "__rmod__", "mod"},
        {"__and__", "__rand__", "bitwise_and"},
        {"__or__", "__ror__", "bitwise_or"},
        {"__xor__", "__rxor__", "bitwise_xor"},
        {"__lshift__", "__rlshift__", "left_shift"},
        {"__rshift__", "__rrshift__", "right_shift"},
        {"__matmul__", "__rmatmul__", "matmul"},
        {"__lt__", nullptr, "lt"},
        {"__le__", nullptr, "le"},
        {"__gt__", nullptr, "gt"},
        {"__ge__", nullptr, "ge"},
    };
    for (const auto& row : rows) {
        def_operator(c, row.method, row.op, false);
        if (row.reflected) def_operator(c, row.reflected, row.op, true);
    }
    static constexpr std::pair<const char*, const char*> unary[] = {
        {"__neg__", "neg"},     {"__abs__", "abs"},   {"__invert__", "invert"},
        {"__floor__", "floor"}, {"__ceil__", "ceil"}, {"__trunc__", "trunc"},
    };
    for (auto [method, op] : unary) def_unary(c, method, op);
}

bool static_length(const Variable& v) { return v.rank() > 0 && v.type().dims[0].known(); }

nb::object iterate(const Handle& self) {
    const Variable& v = of(self);
    if (v.rank() == 0) fail(ErrorKind::Type, "a scalar variable cannot be iterated over");
    if (!static_length(v))
        fail(ErrorKind::Type, "cannot iterate over a variable of type ", v.type().text(),
             ": its length is not known before a function runs");
    Site site = python_site();
    nb::list parts;
    for (int64_t i = 0; i < v.type().dims[0].size(); ++i)
        parts.append(to_python(
            at(Arg(v, site), {IndexArg(Arg(weak_constant(Array::scalar(i), site), site))})));
    return nb::iter(parts);
}

nb::object site_tuple(const Site& site) {
    if (!site.known()) return nb::none();
    return nb::make_tuple(site.file, site.line, site.code_text());
}

/// What Theano calls an Apply: the node that computes a variable.
struct NodeView {
    Variable output;
};

nb::object attribute_to_python(const AttrValue& value) {
    return std::visit(
        [&](const auto& v) -> nb::object {
            using T = std::decay_t<decltype(v)>;
            if constexpr (std::is_same_v<T, DType>)
                return nb::str(dtype_name(v).data());
            else if constexpr (std::is_same_v<T, Ints>) {
                nb::list items;
                for (int64_t i : v) items.append(i);
                return nb::tuple(items);
            } else if constexpr (std::is_same_v<T, std::shared_ptr<const Opaque>>)
                return v ? nb::object(nb::str(v->text().c_str())) : nb::none();
            else if constexpr (std::is_same_v<T, AttrWildcard>)
                return nb::str(v.name.c_str());
            else
                return nb::cast(v);
        },
        value);
}

void bind_node(nb::module_& m) {
    nb::class_<NodeView>(m, "Apply", "The application of an op that computes a variable.")
        .def_prop_ro(
            "op", [](const NodeView& n) { return std::string(n.output.op()->name); },
            "Name of the op.")
        .def_prop_ro("inputs",
                     [](const NodeView& n) { return to_python_list(n.output.node().inputs); })
        .def_prop_ro("outputs",
                     [](const NodeView& n) {
                         nb::list result;
                         for (uint32_t i = 0; i < n.output.node().types.size(); ++i)
                             result.append(to_python(Variable(n.output.node_pointer(), i)));
                         return result;
                     })
        .def_prop_ro(
            "attributes",
            [](const NodeView& n) {
                nb::dict result;
                const auto& specs = n.output.op()->attributes;
                for (size_t i = 0; i < specs.size(); ++i)
                    result[specs[i].name.c_str()] =
                        attribute_to_python(n.output.node().attrs->values[i]);
                return result;
            },
            "Attributes of the application by name.")
        .def_prop_ro("site", [](const NodeView& n) { return site_tuple(n.output.site()); })
        .def_prop_ro("nin", [](const NodeView& n) { return n.output.node().inputs.size(); })
        .def_prop_ro("nout", [](const NodeView& n) { return n.output.node().types.size(); })
        .def("__eq__",
             [](const NodeView& a, const NodeView& b) {
                 return a.output.node_pointer() == b.output.node_pointer();
             })
        .def("__hash__",
             [](const NodeView& a) {
                 return reinterpret_cast<intptr_t>(a.output.node_pointer()) >> 4;
             })
        .def("__repr__", [](const NodeView& n) {
            return cat(
                n.output.op()->name, "(",
                join(n.output.node().inputs, ", ", [](const Variable& v) { return text_of(v); }),
                ")");
        });
}

Dim to_dim(nb::handle value) {
    if (value.is_none()) return {};
    if (PyUnicode_Check(value.ptr())) return Dim::symbol(nb::cast<std::string>(value));
    if (PyBool_Check(value.ptr())) return value.ptr() == Py_True ? Dim(1) : Dim();
    int64_t size = to_ints(value, "shape")[0];
    if (size < 0) fail(ErrorKind::Value, "a size cannot be ", size, "; None stands for any size");
    return Dim(size);
}

TensorType make_type(nb::handle dtype, nb::handle dims) {
    TensorType type{to_dtype(dtype), {}};
    for (auto item : dims) type.dims.push_back(to_dim(item));
    return type;
}

nb::tuple sizes_tuple(const TensorType& type) {
    nb::list result;
    for (Dim dim : type.dims)
        if (dim.known())
            result.append(dim.size());
        else if (dim.symbolic())
            result.append(nb::str(dim.text().c_str()));
        else
            result.append(nb::none());
    return nb::tuple(result);
}

nb::tuple broadcastable(const TensorType& type) {
    nb::list result;
    for (Dim dim : type.dims) result.append(nb::bool_(dim.is_one()));
    return nb::tuple(result);
}

void bind_shared(nb::module_& m, nb::class_<Handle>& variable) {
    auto held = [](const SharedHandle& h) { return SharedVariable(h.variable); };
    auto shared = nb::class_<SharedHandle>(m, "TensorSharedVariable", variable, nb::dynamic_attr(),
                                           "A variable whose value lives between calls.");
    shared
        .def(
            "get_value",
            [held](const SharedHandle& h, bool borrow, bool) {
                SharedVariable v = held(h);
                Array value;
                {
                    nb::gil_scoped_release release;  // a running call may hold the storage
                    value = v.get_value(borrow);
                }
                return to_numpy(value);
            },
            nb::arg("borrow") = false, nb::arg("return_internal_type") = false,
            "The value as an array: a copy, or with borrow the value's own memory.")
        .def(
            "set_value",
            [held](const SharedHandle& h, nb::handle value, bool borrow) {
                SharedVariable v = held(h);
                Array array = to_array(value, borrow ? Keep::Own : Keep::Copy);
                if (array.dtype() != v.dtype() &&
                    (can_cast_safely(array.dtype(), v.dtype()) ||
                     (!is_numpy_array(value.ptr()) &&
                      dtype_family(array.dtype()) <= dtype_family(v.dtype()))))
                    array = array.cast(v.dtype());
                nb::gil_scoped_release release;
                borrow ? v.set_value(array, true) : v.give_value(array);
            },
            nb::arg("value"), nb::arg("borrow") = false,
            "Replaces the value; dtype and rank must stay. With borrow the array's memory is taken "
            "over instead of copied.")
        .def(
            "zero",
            [held](const SharedHandle& h, bool) {
                SharedVariable v = held(h);
                nb::gil_scoped_release release;
                v.give_value(Array::zeros(v.dtype(), v.value_shape()));
            },
            nb::arg("borrow") = false, "Sets every element to zero.")
        .def_prop_rw(
            "default_update",
            [held](const SharedHandle& h) { return to_python(held(h).default_update()); },
            [held](const SharedHandle& h, nb::handle value) {
                held(h).set_default_update(value.is_none() ? Variable()
                                                           : to_variable(value, python_site()));
            },
            nb::for_setter(nb::arg("value").none()),
            "Expression that every call of a function that uses the variable sets it to.");
    shared_type = reinterpret_cast<PyTypeObject*>(shared.ptr());
    auto constant = nb::class_<ConstantHandle>(m, "TensorConstant", variable, nb::dynamic_attr(),
                                               "A variable whose value is known.");
    constant.def_prop_ro("data", [](const ConstantHandle& h) {
        return to_numpy(*constant_value(h.variable), false);
    });
    constant.def_prop_ro("value", [](const ConstantHandle& h) {
        return to_numpy(*constant_value(h.variable), false);
    });
    constant.def_prop_ro(
        "weak", [](const ConstantHandle& h) { return h.variable.node().weak; },
        "Whether it was a plain number, which yields its dtype to arrays.");
    constant_type = reinterpret_cast<PyTypeObject*>(constant.ptr());
}
}  // namespace

void bind_types(nb::module_& m) {
    nb::class_<TensorType>(m, "TensorType", "Element type and sizes of a variable.")
        .def(
            "__init__",
            [](TensorType* t, nb::handle dtype, nb::handle shape) {
                new (t) TensorType(make_type(dtype, shape));
            },
            nb::arg("dtype"), nb::arg("broadcastable"),
            "One entry an axis: a known size, None (any size), the name of a symbolic size; or, as "
            "in "
            "Theano, True for size 1 and False for any.")
        .def_prop_ro("dtype",
                     [](const TensorType& t) { return nb::str(dtype_name(t.dtype).data()); })
        .def_prop_ro("ndim", [](const TensorType& t) { return t.rank(); })
        .def_prop_ro("shape", sizes_tuple)
        .def_prop_ro("broadcastable", broadcastable)
        .def(
            "__call__",
            [](const TensorType& t, nb::handle name) {
                return to_python(
                    input(t, name.is_none() ? "" : nb::cast<std::string>(name), python_site()));
            },
            nb::arg("name") = nb::none(), "A new input variable of this type.")
        .def(
            "clone",
            [](const TensorType& t, nb::handle dtype, nb::handle dims) {
                TensorType result = t;
                if (!dims.is_none()) result.dims = make_type(nb::str("bool"), dims).dims;
                if (!dtype.is_none()) result.dtype = to_dtype(dtype);
                return result;
            },
            nb::arg("dtype") = nb::none(), nb::arg("broadcastable") = nb::none())
        .def("__eq__",
             [](const TensorType& a, nb::handle b) {
                 return nb::isinstance<TensorType>(b) && a == nb::cast<const TensorType&>(b);
             })
        .def("__hash__", [](const TensorType& t) { return static_cast<intptr_t>(t.hash() >> 1); })
        .def("__repr__", [](const TensorType& t) { return t.text(); });
}

void bind_variables(nb::module_& m) {
    bind_node(m);
    auto c =
        nb::class_<Handle>(m, "TensorVariable", nb::dynamic_attr(), nb::is_weak_referenceable(),
                           "A value of a graph: an input, a constant, or what an op computes.");
    def_operators(c);
    c.def_prop_ro("type", [](const Handle& h) { return of(h).type(); })
        .def_prop_ro("dtype",
                     [](const Handle& h) { return nb::str(dtype_name(of(h).dtype()).data()); })
        .def_prop_ro("ndim", [](const Handle& h) { return of(h).rank(); })
        .def_prop_ro("broadcastable", [](const Handle& h) { return broadcastable(of(h).type()); })
        .def_prop_rw(
            "name",
            [](const Handle& h) -> nb::object {
                return of(h).name().empty() ? nb::none()
                                            : nb::object(nb::str(of(h).name().c_str()));
            },
            [](Handle& h, nb::handle name) {
                h.variable.named(name.is_none() ? "" : nb::cast<std::string>(name));
            },
            nb::for_setter(nb::arg("name").none()))
        .def_prop_ro(
            "owner",
            [](const Handle& h) -> nb::object {
                if (!of(h).op()) return nb::none();
                return nb::cast(NodeView{of(h)});
            },
            "The application that computes this, or None.")
        .def_prop_ro(
            "index", [](const Handle& h) { return of(h).index(); },
            "Which output of its owner this is.")
        .def_prop_ro(
            "site", [](const Handle& h) { return site_tuple(of(h).site()); },
            "(file, line, code) that made this variable, or None.")
        .def_prop_ro(
            "shape",
            [](const Handle& h) {
                Site site = python_site();
                SiteScope scope(site);
                return to_python(shape(Arg(of(h), site)));
            },
            "The sizes as an int64 vector.")
        .def_prop_ro(
            "size",
            [](const Handle& h) {
                SiteScope scope(python_site());
                return to_python(size(of(h)));
            },
            "The number of elements.")
        .def_prop_ro(
            "T",
            [](const Handle& h) {
                SiteScope scope(python_site());
                return to_python(transpose(of(h)));
            },
            "Axes reversed.")
        .def_prop_ro(
            "static_shape", [](const Handle& h) { return sizes_tuple(of(h).type()); },
            "Known sizes, names of symbolic ones, None for unknown ones.")
        .def(
            "__getitem__",
            [](const Handle& h, nb::handle key) {
                Site site = python_site();
                SiteScope scope(site);
                return to_python(subscript(of(h), key, site));
            },
            nb::arg("key"))
        .def("__setitem__",
             [](const Handle&, nb::handle, nb::handle) {
                 throw nb::type_error(
                     "variables cannot be assigned to; use T.set_subtensor(x[i], value) or "
                     "T.inc_subtensor(x[i], value), which give a new variable");
             })
        .def("__iter__", iterate)
        .def("__len__",
             [](const Handle& h) -> size_t {
                 if (static_length(of(h))) return static_cast<size_t>(of(h).type().dims[0].size());
                 throw nb::type_error(
                     "the length of this variable is not known before a function runs; use "
                     "x.shape[0]");
             })
        .def("__bool__",
             [](const Handle& h) {
                 if (is_bool(of(h).dtype()))
                     throw nb::type_error(
                         "a symbolic comparison is neither true nor false before a function runs: "
                         "use "
                         "T.where, ct.ifelse, T.and_ or T.or_, and write a < b < c as two "
                         "comparisons");
                 return true;
             })
        .def("__hash__", [](const Handle& h) { return reinterpret_cast<intptr_t>(h.self) >> 4; })
        .def("__str__", [](const Handle& h) { return text_of(of(h)); })
        .def("__repr__", [](const Handle& h) {
            return cat("<", text_of(of(h)), ": ", of(h).type().text(), ">");
        });
    variable_type = reinterpret_cast<PyTypeObject*>(c.ptr());
    bind_shared(m, c);

    m.def(
        "as_variable",
        [](nb::handle value) {
            Site site = python_site();
            SiteScope scope(site);
            return to_python(to_variable(value, site));
        },
        nb::arg("value"), "A variable of a number, an array, a list or a variable.");
    m.def(
        "constant_of",
        [](nb::handle value, nb::handle dtype) {
            Array array = to_array(value);
            if (!dtype.is_none()) array = array.cast(to_dtype(dtype));
            return to_python(constant(array, python_site()));
        },
        nb::arg("value"), nb::arg("dtype") = nb::none(),
        "A constant with a dtype of its own, also of a plain number.");
    m.def(
        "make_shared",
        [](nb::handle value, const std::string& name, bool borrow, nb::handle type) {
            Array array = to_array(value, Keep::Own);
            Site site = python_site();
            SharedVariable made =
                type.is_none() ? shared(array, name, site)
                               : shared_of_type(nb::cast<TensorType>(type), array, name, site);
            if (borrow) made.set_value(array, true);
            return to_python(made);
        },
        nb::arg("value"), nb::arg("name"), nb::arg("borrow"), nb::arg("type") = nb::none());
    m.def(
        "to_dtype_name",
        [](nb::handle value) { return nb::str(dtype_name(to_dtype(value)).data()); },
        nb::arg("dtype"), "Name of a dtype given in any way.");
    m.def("promote", [](nb::handle a, nb::handle b) {
        return nb::str(dtype_name(promote(to_dtype(a), to_dtype(b))).data());
    });
    m.def("can_cast_safely",
          [](nb::handle a, nb::handle b) { return can_cast_safely(to_dtype(a), to_dtype(b)); });
    m.def(
        "as_array", [](nb::handle value) { return to_numpy(to_array(value, Keep::Own)); },
        nb::arg("value"),
        "A numpy.ndarray of anything that holds numbers, sharing its memory where possible.");
}

}  // namespace croton::python
