#pragma once
// Values and variables between Python and C++. Everything here wants the GIL held.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <exception>
#include <optional>
#include <string>

#include "croton/graph/variable.hpp"
#include "croton/type/array.hpp"

// Lists of variables are lists in Python.
template <>
struct nanobind::detail::type_caster<croton::Variables>
    : nanobind::detail::list_caster<croton::Variables, croton::Variable> {};

namespace croton::python {

namespace nb = nanobind;

// --- arrays (array.cpp)

// NumPy is imported by the first of these that needs it.

/// Whether the object is a numpy.ndarray.
bool is_numpy_array(PyObject* object);
/// How long the memory of a Python object is needed.
enum class Keep {
    Borrow,  ///< the caller holds the object as long as he uses the Array
    Own,     ///< the Array keeps the object alive
    Copy,    ///< new memory
};
/// The values of an ndarray, a NumPy scalar, an object with __dlpack__, a number or nested lists of
/// numbers. Memory is shared where dtype, alignment and byte order allow it. Type error otherwise.
Array to_array(nb::handle value, Keep keep = Keep::Copy);
/// The memory of an ndarray, to be written to. Value error if it is read-only, Type error if its
/// dtype, alignment or byte order is none of Croton's. The caller holds the object meanwhile.
Array writable_view(nb::handle array);
/// A numpy.ndarray over the array's memory. bfloat16 becomes ml_dtypes.bfloat16 where that package
/// is loaded, else float32 (a copy).
nb::object to_numpy(const Array& array, bool writable = true);
/// From numpy.dtype, a scalar type, float, int, bool, complex or a name; "floatX" is the setting.
DType to_dtype(nb::handle value);

// --- sites (site.cpp)

/// The innermost line of Python outside of the package.
Site python_site();
/// Frames of files below this folder are the package's own.
void set_package_folder(std::string folder);

// --- errors (error.cpp)

void bind_errors(nb::module_& m);
/// Sets the Python exception that stands for a C++ one: for functions that Python calls directly.
void set_python_error(const std::exception_ptr& pointer);
/// Keeps the Python exception that is set on this thread, for when the Interrupted or Internal
/// error that stands for it comes out.
void stash_python_error();

// --- variables (variable.cpp)

/// What a TensorVariable object holds. One live object a variable.
struct Handle {
    Variable variable;
    PyObject* self;
    Handle(Variable v, PyObject* s) : variable(std::move(v)), self(s) {}
    Handle(const Handle&) = delete;
    ~Handle();
};
struct SharedHandle : Handle {
    using Handle::Handle;
};
struct ConstantHandle : Handle {
    using Handle::Handle;
};

/// None for a null variable.
nb::object to_python(const Variable& variable);
nb::list to_python_list(const Variables& variables);
bool is_variable(nb::handle value);
/// The variable itself, a weak constant of a Python number, or a constant. Lists that hold
/// variables are stacked. Type error naming the object otherwise.
Variable to_variable(nb::handle value, Site site);
inline Arg to_arg(nb::handle value, Site site) { return {to_variable(value, site), site}; }
/// A list or tuple of those, or one of them.
Variables to_variables(nb::handle value, Site site);
/// A list, tuple or single integer.
Ints to_ints(nb::handle value, std::string_view what);
bool is_sequence(nb::handle value);
/// (key, value) pairs from a mapping or a sequence of pairs; None: none.
std::vector<std::pair<nb::object, nb::object>> to_pairs(nb::handle value, std::string_view what);
/// x[key] as an index of the library.
Variable subscript(const Variable& x, nb::handle key, Site site);

// --- parts of the module

void bind_types(nb::module_& m);
void bind_variables(nb::module_& m);
void bind_ops(nb::module_& m);
void bind_functions(nb::module_& m);
void bind_gradients(nb::module_& m);
void bind_controls(nb::module_& m);
void bind_scans(nb::module_& m);
void bind_user_ops(nb::module_& m);
void bind_optimizers(nb::module_& m);
void bind_files(nb::module_& m);
void bind_display(nb::module_& m);

}  // namespace croton::python
