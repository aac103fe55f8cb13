// The one table from error kinds to Python's exception classes.
#include "python/binding/convert.hpp"

namespace croton::python {

namespace {
struct Row {
    ErrorKind kind;
    const char* name;
    PyObject** builtin;
    const char* doc;
    PyObject* made = nullptr;
};
Row rows[] = {
    {ErrorKind::Type, "TensorTypeError", &PyExc_TypeError, "dtypes or ranks that do not fit"},
    {ErrorKind::Shape, "ShapeError", &PyExc_ValueError, "sizes that do not fit"},
    {ErrorKind::Index, "OutOfBoundsError", &PyExc_IndexError, "an index out of bounds"},
    {ErrorKind::Value, "ArgumentError", &PyExc_ValueError,
     "an argument whose value makes no sense"},
    {ErrorKind::Unsupported, "UnsupportedError", &PyExc_NotImplementedError,
     "understood, but not offered"},
    {ErrorKind::NotDifferentiable, "NotDifferentiableError", &PyExc_TypeError,
     "a gradient that does not exist"},
    {ErrorKind::Compile, "CompileError", &PyExc_RuntimeError, "the compiler failed"},
    {ErrorKind::Device, "DeviceError", &PyExc_RuntimeError, "a device or its driver failed"},
    {ErrorKind::Io, "FileError", &PyExc_OSError, "files: missing, truncated, full disk"},
    {ErrorKind::Usage, "UsageError", &PyExc_TypeError, "a function was called or made wrongly"},
    {ErrorKind::Internal, "InternalError", &PyExc_RuntimeError, "a mistake of Croton's own"},
};

// Finer classes, told by a phrase of the message.
struct Finer {
    const char* name;
    const char* parent;
    const char* phrase;
    const char* doc;
    PyObject** builtin = nullptr;  // a further base
    PyObject* made = nullptr;
};
Finer finer[] = {
    {"MissingFileError", "FileError", "No such file or directory",
     "a file or folder that is not there", &PyExc_FileNotFoundError},
    {"UnusedInputError", "UsageError", "is not used by any output",
     "an input of a function that no output needs"},
    {"MissingInputError", "UsageError", "is needed to compute the outputs",
     "a variable that outputs need and that is no input"},
    {"DisconnectedInputError", "ArgumentError", "does not depend on",
     "a gradient with respect to something that the cost does not depend on"},
    {"GradientError", "ArgumentError", "GradientError",
     "a symbolic and a numeric gradient that disagree"},
};

PyObject* base_class = nullptr;
thread_local PyObject* stashed = nullptr;

PyObject* class_of(const Error& error) {
    std::string_view text = error.what();
    for (const auto& row : finer)
        if (text.find(row.phrase) != std::string_view::npos) {
            for (const auto& parent : rows)
                if (parent.kind == error.kind() && std::string_view(parent.name) == row.parent)
                    return row.made;
        }
    for (const auto& row : rows)
        if (row.kind == error.kind()) return row.made;
    return base_class;
}

void translate(const std::exception_ptr& pointer, void*) {
    try {
        std::rethrow_exception(pointer);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::Interrupted) {
            PyObject* held = std::exchange(stashed, nullptr);
            if (held)
                PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(held)), held);
            else
                PyErr_SetNone(PyExc_KeyboardInterrupt);
            Py_XDECREF(held);
            return;
        }
        PyObject* held = std::exchange(stashed, nullptr);
        PyErr_SetString(class_of(error), error.what());
        if (held) {  // the user's exception is the cause
            PyObject *type, *value, *trace;
            PyErr_Fetch(&type, &value, &trace);
            PyErr_NormalizeException(&type, &value, &trace);
            PyException_SetCause(value, held);
            PyErr_Restore(type, value, trace);
        }
    }
}

PyObject* make_class(nb::module_& m, const char* name, const char* doc, PyObject* bases) {
    std::string full = cat("croton.", name);
    PyObject* made = PyErr_NewExceptionWithDoc(full.c_str(), doc, bases, nullptr);
    if (!made) throw nb::python_error();
    m.attr(name) = nb::borrow(made);
    return made;
}
}  // namespace

void stash_python_error() {
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    if (!type) return;
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace) PyException_SetTraceback(value, trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    Py_XDECREF(std::exchange(stashed, value));
}

void set_python_error(const std::exception_ptr& pointer) {
    try {
        translate(pointer, nullptr);
    } catch (nb::python_error& error) {
        error.restore();
    } catch (const std::bad_alloc&) {
        PyErr_NoMemory();
    } catch (const std::exception& error) {
        PyErr_SetString(PyExc_RuntimeError, error.what());
    }
}

void bind_errors(nb::module_& m) {
    base_class = make_class(m, "Error", "What Croton's errors have in common.", PyExc_Exception);
    for (auto& row : rows) {
        nb::object bases = nb::make_tuple(nb::borrow(base_class), nb::borrow(*row.builtin));
        row.made = make_class(m, row.name, row.doc, bases.ptr());
    }
    for (auto& row : finer) {
        nb::object parent = m.attr(row.parent);
        nb::object bases =
            row.builtin ? nb::make_tuple(parent, nb::borrow(*row.builtin)) : nb::make_tuple(parent);
        row.made = make_class(m, row.name, row.doc, bases.ptr());
    }
    nb::register_exception_translator(translate);
}

}  // namespace croton::python
