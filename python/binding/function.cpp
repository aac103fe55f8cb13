// Compiled functions: In, Out, Mode, function() and calls.
#include "croton/api/function.hpp"

#include <pthread.h>

#include <chrono>

#include "croton/base/settings.hpp"
#include "croton/debug/explain.hpp"
#include "croton/graph/drawn.hpp"
#include "croton/runtime/program.hpp"
#include "python/binding/convert.hpp"

namespace croton::python {

namespace {
// --- Ctrl-C

using Clock = std::chrono::steady_clock;
pthread_t main_thread;

// Asked at each step of a running program: looks for signals every few milliseconds, on the main
// thread, which alone gets them.
bool interrupted() {
    if (!pthread_equal(pthread_self(), main_thread)) return false;
    static thread_local Clock::time_point last = Clock::now();
    auto now = Clock::now();
    if (now - last < std::chrono::milliseconds(4)) return false;
    last = now;
    nb::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() == 0) return false;
    stash_python_error();
    return true;
}

// --- making

struct OutputForm {
    enum class Kind { None, One, List, Dict } kind = Kind::None;  // None gives an empty list
    std::vector<std::string> keys;
};

PyObject* vectorcall(PyObject* self, PyObject* const* args, size_t count, PyObject* names);

struct Callable {
    /// Where Python finds how to call the object; see serve_vectorcalls.
    vectorcallfunc call = vectorcall;
    Function function;
    OutputForm form;
};

Out to_output(nb::handle value, Site site) {
    if (nb::isinstance<Out>(value)) return nb::cast<const Out&>(value);
    return Out(to_variable(value, site));
}

std::vector<Out> to_outputs(nb::handle value, OutputForm& form, Site site) {
    std::vector<Out> result;
    if (value.is_none()) return result;
    if (PyDict_Check(value.ptr())) {
        form.kind = OutputForm::Kind::Dict;
        nb::object keys = nb::module_::import_("builtins").attr("sorted")(value);
        for (auto key : keys) {
            if (!PyUnicode_Check(key.ptr()))
                fail(ErrorKind::Usage, "keys of a dictionary of outputs must be strings, not ",
                     nb::repr(key).c_str());
            form.keys.push_back(nb::cast<std::string>(key));
            result.push_back(to_output(nb::object(value[key]), site));
        }
    } else if (is_sequence(value)) {
        form.kind = OutputForm::Kind::List;
        for (auto item : value) result.push_back(to_output(item, site));
    } else {
        form.kind = OutputForm::Kind::One;
        result.push_back(to_output(value, site));
    }
    return result;
}

std::vector<In> to_inputs(nb::handle value) {
    if (!is_sequence(value))
        fail(ErrorKind::Type, "inputs must be a list or a tuple of variables, not ",
             nb::repr(value).c_str(), is_variable(value) ? "; write [x]" : "");
    std::vector<In> result;
    for (auto item : value) {
        if (nb::isinstance<In>(item))
            result.push_back(nb::cast<const In&>(item));
        else if (is_variable(item))
            result.push_back(In(nb::inst_ptr<Handle>(item)->variable));
        else
            fail(ErrorKind::Type, "an input must be a variable or an In, not ",
                 nb::repr(item).c_str());
    }
    return result;
}

Mode to_mode(nb::handle value) {
    if (value.is_none()) return compile::default_mode();
    if (nb::isinstance<Mode>(value)) return nb::cast<const Mode&>(value);
    if (PyUnicode_Check(value.ptr())) return compile::mode_named(nb::cast<std::string>(value));
    fail(ErrorKind::Type, "mode takes the name of a mode or a Mode, not ", nb::repr(value).c_str());
}

Updates to_updates(nb::handle value, std::string_view what, Site site) {
    Updates result;
    for (auto& [target, expression] : to_pairs(value, what)) {
        if (!is_variable(target))
            fail(ErrorKind::Type, what, ": ", nb::repr(target).c_str(), " is no variable");
        result.emplace_back(nb::inst_ptr<Handle>(target)->variable, to_variable(expression, site));
    }
    return result;
}

Callable make_function(nb::handle inputs, nb::handle outputs, nb::handle mode, nb::handle updates,
                       nb::handle givens, nb::handle no_default_updates, const std::string& name,
                       nb::handle allow_input_downcast, bool profile,
                       const std::string& on_unused_input) {
    // No SiteScope here: compiling keeps the sites that nodes have.
    Site site = python_site();
    Callable result;
    auto ins = to_inputs(inputs);
    auto outs = to_outputs(outputs, result.form, site);
    FunctionOptions options;
    options.updates = to_updates(updates, "updates", site);
    options.givens = to_updates(givens, "givens", site);
    options.mode = to_mode(mode);
    options.name = name.empty() ? site.text() : name;
    options.on_unused_input = on_unused_input;
    if (!allow_input_downcast.is_none())
        options.allow_input_downcast = PyObject_IsTrue(allow_input_downcast.ptr()) == 1;
    options.profile = profile;
    if (is_sequence(no_default_updates))
        options.no_default_updates_of = to_variables(no_default_updates, site);
    else
        options.no_default_updates = PyObject_IsTrue(no_default_updates.ptr()) == 1;
    nb::gil_scoped_release release;
    result.function = function(ins, outs, options);
    return result;
}

// --- calling

// Lists and plain numbers take the input's dtype, as weak constants do, if no value is lost; floats
// may be rounded unless every bit is to be kept.
Array fit_plain(Array array, DType dtype, bool exact = false) {
    if (array.dtype() == dtype) return array;
    if (array.size() == 0) return array.cast(dtype);
    if (dtype_family(array.dtype()) > dtype_family(dtype)) return array;
    Array converted = array.cast(dtype);
    if (!exact && (is_floating(dtype) || is_complex(dtype))) return converted;
    return survives_cast(array, dtype) ? converted : array;
}

// The commonest arguments of all without a detour over NumPy.
std::optional<Array> plain_number(PyObject* value, DType dtype) {
    if (PyFloat_Check(value)) {  // numpy.float64 is one, too
        double number = PyFloat_AS_DOUBLE(value);
        if (dtype == DType::Float64) return Array::scalar(number);
        if (dtype == DType::Float32) return Array::scalar(static_cast<float>(number));
    } else if (PyLong_CheckExact(value) && dtype == DType::Int64) {
        int overflow = 0;
        int64_t number = PyLong_AsLongLongAndOverflow(value, &overflow);
        if (!overflow) return Array::scalar(number);
    }
    return {};
}

Array unnamed_argument(nb::handle value, const Function& f, size_t position) {
    if (is_numpy_array(value.ptr())) return to_array(value, Keep::Borrow);
    const In& in = f.input(position);
    DType dtype = in.variable.dtype();
    if (in.strict) {
        auto generic = nb::module_::import_("numpy").attr("generic");
        if (PyObject_IsInstance(value.ptr(), generic.ptr()) == 1) return to_array(value);
        fail(ErrorKind::Type, "it is strict: it takes a numpy.ndarray of ", dtype_name(dtype),
             ", not ", nb::repr(value.type()).c_str());
    }
    auto downcast = in.allow_downcast ? in.allow_downcast : f.allow_input_downcast();
    bool exact = downcast.has_value() && !*downcast;
    if (!exact)
        if (auto number = plain_number(value.ptr(), dtype)) return std::move(*number);
    bool plain = PyLong_Check(value.ptr()) || PyFloat_Check(value.ptr()) ||
                 PyComplex_Check(value.ptr()) || is_sequence(value);
    Array array = to_array(value, Keep::Borrow);
    return plain ? fit_plain(std::move(array), dtype, exact) : array;
}

Array argument(nb::handle value, const Function& f, size_t position) {
    try {
        return unnamed_argument(value, f, position);
    } catch (const Error& error) {
        throw Error(error.kind(),
                    cat("input ", described(f.input(position).variable), ": ", error.what()));
    }
}

std::optional<size_t> find_input(const Function& f, std::string_view name) {
    for (size_t i = 0; i < f.input_count(); ++i)
        if (f.input(i).name == name) return i;
    return {};
}

size_t input_named(const Function& f, const std::string& name) {
    if (auto place = find_input(f, name)) return *place;
    std::string known;
    for (size_t i = 0; i < f.input_count(); ++i)
        known += cat(i ? ", " : "", "'", f.input(i).name, "'");
    fail(ErrorKind::Usage, "function ", f.name(), " has no input '", name, "'; it has ",
         known.empty() ? "none" : known);
}

// The outputs that a caller chose by output_subset: numbers, or keys of a dictionary.
std::vector<size_t> chosen_outputs(const Callable& c, nb::handle subset) {
    if (!is_sequence(subset))
        fail(ErrorKind::Type, "output_subset takes a list of numbers or keys of outputs, not ",
             nb::repr(subset).c_str());
    std::vector<size_t> result;
    for (auto item : subset) {
        if (c.form.kind == OutputForm::Kind::Dict) {
            auto place =
                PyUnicode_Check(item.ptr())
                    ? std::find(c.form.keys.begin(), c.form.keys.end(), nb::cast<std::string>(item))
                    : c.form.keys.end();
            if (place == c.form.keys.end())
                fail(ErrorKind::Usage, "function ", c.function.name(), " has no output ",
                     nb::repr(item).c_str(), " for output_subset; it has ",
                     join(c.form.keys, ", ", [](const auto& key) { return "'" + key + "'"; }));
            result.push_back(static_cast<size_t>(place - c.form.keys.begin()));
            continue;
        }
        Py_ssize_t number = PyNumber_AsSsize_t(item.ptr(), nullptr);
        if (number == -1 && PyErr_Occurred()) throw nb::python_error();
        if (number < 0) number += static_cast<Py_ssize_t>(c.function.output_count());
        if (number < 0 || static_cast<size_t>(number) >= c.function.output_count())
            fail(ErrorKind::Usage, "function ", c.function.name(), " has no output ",
                 nb::repr(item).c_str(), " for output_subset; it has ", c.function.output_count());
        result.push_back(static_cast<size_t>(number));
    }
    return result;
}

// Memory of the caller's for results: NumPy arrays, in the order of what the call returns.
class Given {
  public:
    void take(const Callable& c, nb::handle out, const std::vector<size_t>* chosen) {
        if (c.form.kind == OutputForm::Kind::Dict && PyDict_Check(out.ptr()))
            return take_dict(c, out, chosen);
        if (!is_sequence(out)) return add(out);
        for (auto item : out) add(item);
    }
    std::vector<std::optional<Array>> into() const {
        std::vector<std::optional<Array>> result(objects_.size());
        for (size_t i = 0; i < objects_.size(); ++i)
            if (!objects_[i].is_none()) result[i] = memory_of(objects_[i]);
        return result;
    }
    /// What stands for result i: the caller's own object, if there is one.
    nb::object result(size_t i, const Array& value) const {
        bool given = i < objects_.size() && !objects_[i].is_none();
        return given ? objects_[i] : to_numpy(value);
    }

  private:
    void add(nb::handle object) { objects_.push_back(nb::borrow(object)); }
    void take_dict(const Callable& c, nb::handle out, const std::vector<size_t>* chosen) {
        const auto& keys = c.form.keys;
        objects_.assign(chosen ? chosen->size() : keys.size(), nb::none());
        for (auto [key, object] : nb::borrow<nb::dict>(out)) {
            bool known = false;
            for (size_t i = 0; i < objects_.size(); ++i) {
                nb::str name(keys[chosen ? (*chosen)[i] : i].c_str());
                if (!name.equal(key)) continue;
                objects_[i] = nb::borrow(object);
                known = true;
            }
            if (!known)
                fail(ErrorKind::Usage, "the call of ", c.function.name(), " has no result ",
                     nb::repr(key).c_str(), " for out; the outputs are ",
                     join(keys, ", ", [](const auto& key) { return "'" + key + "'"; }));
        }
    }
    static Array memory_of(nb::handle object) {
        if (!is_numpy_array(object.ptr()))
            fail(ErrorKind::Type, "out takes a numpy.ndarray, or a tuple of them with None where ",
                 "new memory is wanted, not ", nb::repr(object.type()).c_str());
        return writable_view(object);
    }
    std::vector<nb::object> objects_;
};

nb::object pack(const Callable& c, std::vector<Array>& values,
                const std::vector<size_t>* chosen = nullptr, const Given* out = nullptr) {
    auto result_of = [&](size_t i) {
        return out ? out->result(i, values[i]) : to_numpy(values[i]);
    };
    if (c.form.kind == OutputForm::Kind::Dict) {
        nb::dict result;
        for (size_t i = 0; i < values.size(); ++i)
            result[c.form.keys[chosen ? (*chosen)[i] : i].c_str()] = result_of(i);
        return result;
    }
    if (c.form.kind == OutputForm::Kind::One && !chosen) return result_of(0);
    nb::list result;
    for (size_t i = 0; i < values.size(); ++i) result.append(result_of(i));
    return result;
}

using Values = std::vector<std::optional<Array>>;

// Arguments by position.
Values arguments_of(const Function& f, PyObject* const* args, size_t count) {
    if (count > f.input_count())
        fail(ErrorKind::Usage, "function ", f.name(), " takes ", f.input_count(),
             " arguments, not ", count);
    Values values(f.input_count());
    for (size_t i = 0; i < count; ++i) values[i] = argument(args[i], f, i);
    return values;
}

// What stands behind them: a value for each of `names` (a tuple).
nb::object call_named(const Callable& c, Values values, PyObject* const* args, PyObject* names) {
    const Function& f = c.function;
    CallOptions options;
    nb::handle memory;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); ++i) {
        nb::handle value = args[i];
        std::string name = nb::cast<std::string>(nb::handle(PyTuple_GET_ITEM(names, i)));
        if (name == "output_subset") {
            if (!value.is_none()) options.outputs = chosen_outputs(c, value);
            continue;
        }
        if (name == "out" && !find_input(f, name)) {
            if (!value.is_none()) memory = value;
            continue;
        }
        size_t place = input_named(f, name);
        if (values[place])
            fail(ErrorKind::Usage, "function ", f.name(), ": input '", name, "' is given twice");
        values[place] = argument(value, f, place);
    }
    const auto* chosen = options.outputs ? &*options.outputs : nullptr;
    Given out;
    if (memory.is_valid()) out.take(c, memory, chosen);
    options.into = out.into();
    std::vector<Array> results;
    {
        nb::gil_scoped_release release;
        results = std::move(f.call(values, options).values());
    }
    return pack(c, results, chosen, &out);
}

nb::object call(const Callable& c, PyObject* const* args, size_t count, PyObject* names) {
    Values values = arguments_of(c.function, args, count);
    if (names) return call_named(c, std::move(values), args + count, names);
    std::vector<Array> results;
    {
        nb::gil_scoped_release release;
        results = std::move(c.function.call(values).values());
    }
    return pack(c, results);
}

PyObject* vectorcall(PyObject* self, PyObject* const* args, size_t count, PyObject* names) {
    try {
        return call(*nb::inst_ptr<Callable>(self), args,
                    static_cast<size_t>(PyVectorcall_NARGS(count)), names)
            .release()
            .ptr();
    } catch (...) {
        set_python_error(std::current_exception());
        return nullptr;
    }
}

// Makes calls of Function objects come to vectorcall() without a tuple and a dictionary made for
// each. nanobind has no word for that: the offset of the pointer, which stands first in what the
// object holds, is written into the type before there are objects of it.
void serve_vectorcalls(nb::handle type) {
    nb::object probe = nb::inst_alloc(type);
    auto heap = reinterpret_cast<PyTypeObject*>(type.ptr());
    auto place = reinterpret_cast<char*>(nb::inst_ptr<Callable>(probe));
    heap->tp_vectorcall_offset = place - reinterpret_cast<char*>(probe.ptr());
    heap->tp_call = PyVectorcall_Call;
    heap->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
    PyType_Modified(heap);
}

Array default_of(nb::handle value, const Variable& variable) {
    if (is_variable(value))
        fail(ErrorKind::Type, "In: value takes a number or an array, not the variable ",
             nb::str(value).c_str());
    return fit_plain(to_array(value), variable.dtype());
}

nb::object maybe(std::optional<bool> flag) {
    return flag ? nb::object(nb::bool_(*flag)) : nb::none();
}

// The input that f[key] means: by name, by variable, or by number.
size_t input_of(const Function& f, nb::handle key) {
    if (PyUnicode_Check(key.ptr())) return input_named(f, nb::cast<std::string>(key));
    if (is_variable(key)) {
        const Variable& variable = nb::inst_ptr<Handle>(key)->variable;
        for (size_t i = 0; i < f.input_count(); ++i)
            if (f.input(i).variable == variable) return i;
        fail(ErrorKind::Usage, "function ", f.name(), " has no input ", nb::str(key).c_str());
    }
    if (!PyLong_Check(key.ptr()))
        fail(ErrorKind::Type, "an input is named by a string, a variable or a number, not ",
             nb::repr(key).c_str());
    auto number = PyLong_AsSsize_t(key.ptr());
    PyErr_Clear();  // an overflow gives -1
    if (number < 0 || static_cast<size_t>(number) >= f.input_count())
        fail(ErrorKind::Usage, "function ", f.name(), " has ", f.input_count(),
             " inputs, none has number ", number);
    return static_cast<size_t>(number);
}

bool has_stored(const Function& f, nb::handle key) {
    try {
        return f.input(input_of(f, key)).value.has_value();
    } catch (const Error&) {
        return false;
    }
}

nb::object get_stored(const Function& f, nb::handle key) {
    auto value = f.stored(input_of(f, key));
    return value ? to_numpy(value->copy()) : nb::none();
}

void set_stored(const Function& f, nb::handle key, nb::handle value) {
    size_t i = input_of(f, key);
    Array array = default_of(value, f.input(i).variable);
    nb::gil_scoped_release release;  // a running call may hold the values
    f.set_stored(i, array);
}

void bind_arguments(nb::module_& m) {
    nb::class_<In>(m, "In", "An input of a function with its habits.")
        .def(
            "__init__",
            [](In* self, nb::handle variable, nb::handle name, nb::handle value, nb::handle update,
               nb::handle mutable_, bool strict, nb::handle allow_downcast, bool autoname,
               nb::handle implicit, nb::handle borrow, bool) {
                if (!is_variable(variable))
                    fail(ErrorKind::Type, "In takes a variable, not ", nb::repr(variable).c_str());
                In in(nb::inst_ptr<Handle>(variable)->variable);
                if (!autoname) in.name.clear();
                if (!name.is_none()) in.name = nb::cast<std::string>(name);
                if (!value.is_none()) in.value = default_of(value, in.variable);
                if (!update.is_none()) in.update = to_variable(update, python_site());
                in.implicit = !implicit.is_none() && PyObject_IsTrue(implicit.ptr()) == 1;
                in.mutable_ = !mutable_.is_none() && PyObject_IsTrue(mutable_.ptr()) == 1;
                in.strict = strict;
                if (!allow_downcast.is_none())
                    in.allow_downcast = PyObject_IsTrue(allow_downcast.ptr()) == 1;
                in.borrow = borrow.is_none() ? in.mutable_ : PyObject_IsTrue(borrow.ptr()) == 1;
                if (in.mutable_ && !in.borrow)
                    fail(ErrorKind::Usage,
                         "In: a mutable input is borrowed: borrow=False makes no "
                         "sense with mutable=True");
                new (self) In(std::move(in));
            },
            nb::arg("variable"), nb::arg("name") = nb::none(), nb::arg("value") = nb::none(),
            nb::arg("update") = nb::none(), nb::arg("mutable") = nb::none(),
            nb::arg("strict") = false, nb::arg("allow_downcast") = nb::none(),
            nb::arg("autoname") = true, nb::arg("implicit") = nb::none(),
            nb::arg("borrow") = nb::none(), nb::arg("shared") = false,
            "variable: what the argument stands for; name: its keyword (the variable's name, "
            "unless "
            "autoname is False); value: default; update: expression that the default becomes after "
            "each call (f[name] reads and sets it); mutable: the function may write into the "
            "caller's memory; strict: only a numpy.ndarray of exactly the variable's dtype; "
            "allow_downcast: True any cast, False lossless ones, None the function's choice; "
            "implicit: callers may not give it. shared has no effect.")
        .def_prop_ro("variable", [](const In& in) { return to_python(in.variable); })
        .def_ro("name", &In::name)
        .def_ro("strict", &In::strict)
        .def_ro("borrow", &In::borrow)
        .def_ro("mutable", &In::mutable_)
        .def_ro("implicit", &In::implicit)
        .def_prop_ro("allow_downcast", [](const In& in) { return maybe(in.allow_downcast); })
        .def_prop_ro("update", [](const In& in) { return to_python(in.update); })
        .def_prop_ro("value", [](const In& in) -> nb::object {
            return in.value ? to_numpy(*in.value) : nb::none();
        });
    nb::class_<Out>(m, "Out", "An output; with borrow it may share memory with a shared variable.")
        .def(
            "__init__",
            [](Out* self, nb::handle variable, bool borrow) {
                new (self) Out(to_variable(variable, python_site()), borrow);
            },
            nb::arg("variable"), nb::arg("borrow") = false)
        .def_prop_ro("variable", [](const Out& out) { return to_python(out.variable); })
        .def_ro("borrow", &Out::borrow);
    nb::class_<Mode>(m, "Mode", "How a function is compiled.")
        .def(
            "__init__", [](Mode* self, nb::handle base) { new (self) Mode(to_mode(base)); },
            nb::arg("base") = nb::none(),
            "A copy of the named mode: 'quick', 'fast', 'check' (or FAST_COMPILE, FAST_RUN, "
            "DebugMode); None: the setting.")
        .def_rw("name", &Mode::name)
        .def_rw("rewrite", &Mode::rewrite)
        .def_rw("fuse", &Mode::fuse)
        .def_rw("check", &Mode::check)
        .def_rw("backend", &Mode::backend)
        .def_rw("rule_limit", &Mode::rule_limit)
        .def_ro("excluded", &Mode::excluded)
        .def(
            "excluding",
            [](const Mode& mode, nb::args names) {
                std::vector<std::string> list;
                for (auto name : names) list.push_back(nb::cast<std::string>(name));
                return mode.excluding(list);
            },
            nb::arg("names"), "The same mode without these rules or steps.")
        .def("limited", &Mode::limited, nb::arg("limit"),
             "The same mode, which stops rewriting after so many steps.")
        .def("__repr__", [](const Mode& mode) { return cat("Mode('", mode.name, "')"); });
}

void bind_profile(nb::module_& m) {
    nb::class_<Profile>(m, "Profile", "Time and memory of a function's calls.")
        .def_ro("function", &Profile::function)
        .def_ro("calls", &Profile::calls)
        .def_ro("call_seconds", &Profile::call_seconds)
        .def_ro("compile_seconds", &Profile::compile_seconds)
        .def_ro("held_bytes", &Profile::held_bytes)
        .def_prop_ro(
            "rows",
            [](const Profile& p) {
                nb::list result;
                for (const auto& row : p.rows) {
                    nb::dict item;
                    item["what"] = row.what;
                    item["line"] = row.site.text();
                    item["code"] = row.site.code_text();
                    item["calls"] = row.calls;
                    item["seconds"] = row.seconds;
                    item["bytes"] = row.bytes;
                    result.append(item);
                }
                return result;
            },
            "One dictionary a step of the program.")
        .def("__str__", &Profile::text)
        .def("text", &Profile::text)
        .def("summary", [](const Profile& p) { nb::print(p.text().c_str()); });
}

nb::object profile_of(const Callable& c) {
    if (!c.function.profiled()) return nb::none();
    return nb::cast(c.function.profile());
}
}  // namespace

void bind_functions(nb::module_& m) {
    main_thread = pthread_self();
    runtime::interrupt_requested = interrupted;
    bind_arguments(m);
    bind_profile(m);
    auto function_class =
        nb::class_<Callable>(m, "Function", nb::dynamic_attr(), "A compiled function.");
    function_class
        .def(
            "__call__",
            [](nb::handle self, nb::args args, nb::kwargs kwargs) {
                return nb::steal(PyObject_Call(self.ptr(), args.ptr(), kwargs.ptr()));
            },
            "Runs the function: arguments by position or by name. output_subset: a list of the "
            "outputs wanted, by number (by key if the outputs are a dictionary); updates happen "
            "all the same. out: a numpy.ndarray that the result is left in and that is returned "
            "(a list or tuple of them for several results, None where new memory is wanted; a "
            "dictionary if the outputs are one), with the result's dtype and shape and any "
            "strides. It may share memory with arguments. After an error its elements may be "
            "anything. An input named 'out' goes before.")
        .def(
            "__getitem__",
            [](const Callable& c, nb::handle key) { return get_stored(c.function, key); },
            nb::arg("input"),
            "What an input (its name, variable or number) has when no argument is given: its "
            "default, or what updates made of it; None if it has no default.")
        .def(
            "__setitem__",
            [](const Callable& c, nb::handle key, nb::handle value) {
                set_stored(c.function, key, value);
            },
            nb::arg("input"), nb::arg("value"), "Sets an input's default.")
        .def(
            "__contains__",
            [](const Callable& c, nb::handle key) { return has_stored(c.function, key); },
            nb::arg("input"), "Whether there is an input of that name with a default.")
        .def_prop_ro(
            "value", [](nb::handle self) { return nb::borrow(self); },
            "The defaults of inputs by name: f.value['x'] is f['x'].")
        .def_prop_ro("name", [](const Callable& c) { return c.function.name(); })
        .def_prop_rw(
            "trust_input", [](const Callable& c) { return c.function.trusts_input(); },
            [](Callable& c, bool trust) { c.function.trust_input(trust); },
            "True skips all checks and conversions of arguments.")
        .def(
            "copy",
            [](const Callable& c, bool, nb::handle swap, bool delete_updates, nb::handle name,
               nb::handle profile) {
                Callable result;
                result.form = c.form;
                result.function =
                    c.function.copy(to_updates(swap, "swap", python_site()), delete_updates,
                                    name.is_none() ? "" : nb::cast<std::string>(name));
                if (!profile.is_none())
                    result.function.keep_profile(PyObject_IsTrue(profile.ptr()) == 1);
                return result;
            },
            nb::arg("share_memory") = false, nb::arg("swap") = nb::none(),
            nb::arg("delete_updates") = false, nb::arg("name") = nb::none(),
            nb::arg("profile") = nb::none(),
            "The same code over other shared variables: swap maps old ones to new ones. Defaults "
            "of inputs, and what updates made of them, are copied; profile: whether the copy keeps "
            "time and memory (None: as the function does). "
            "share_memory has no effect: working memory is never shared by two calls at once.")
        .def(
            "__copy__",
            [](const Callable& c) { return Callable{vectorcall, c.function.copy(), c.form}; },
            "The same as copy().")
        .def(
            "free", [](const Callable& c) { c.function.free(); },
            "Gives working memory back to the system.")
        .def(
            "get_shared",
            [](const Callable& c) { return to_python_list(c.function.shared_variables()); },
            "Shared variables that the function reads or updates.")
        .def_prop_ro("profile", profile_of, "The Profile, or None if it is not profiled.")
        .def_prop_ro("mode", [](const Callable& c) { return c.function.mode(); })
        .def(
            "explain", [](const Callable& c) { return explain(c.function); },
            "What became of the function: rewriting steps, program, kernels.")
        .def_prop_ro(
            "program", [](const Callable& c) { return c.function.program().print(); },
            "Text of the compiled program.")
        .def(
            "kernels",
            [](const Callable& c, bool listing) { return kernels_text(c.function, listing); },
            nb::arg("listing") = false,
            "Text of the kernels, with listing also of the code the back end made.")
        .def_prop_ro("inputs",
                     [](const Callable& c) {
                         nb::list result;
                         for (size_t i = 0; i < c.function.input_count(); ++i)
                             result.append(nb::cast(c.function.input(i)));
                         return result;
                     })
        .def_prop_ro("outputs",
                     [](const Callable& c) {
                         nb::list result;
                         for (size_t i = 0; i < c.function.output_count(); ++i)
                             result.append(to_python(c.function.output(i)));
                         return result;
                     })
        .def("__repr__",
             [](const Callable& c) { return cat("<Function ", c.function.name(), ">"); });
    serve_vectorcalls(function_class);
    m.def("make_function", make_function, nb::arg("inputs"), nb::arg("outputs").none(),
          nb::arg("mode").none(), nb::arg("updates").none(), nb::arg("givens").none(),
          nb::arg("no_default_updates"), nb::arg("name"), nb::arg("allow_input_downcast").none(),
          nb::arg("profile"), nb::arg("on_unused_input"));
    m.def("mode_named", [](const std::string& name) { return compile::mode_named(name); });
    m.def("set_setting",
          [](const std::string& name, const std::string& value) { set_setting(name, value); });
    m.def("get_setting", [](const std::string& name) { return get_setting(name); });
    m.def("setting_infos", [] {
        nb::list result;
        for (const auto& info : setting_infos())
            result.append(nb::make_tuple(info.name, info.doc, info.default_value, info.choices));
        return result;
    });
}

}  // namespace croton::python
