// NumPy arrays by hand: the few entries of NumPy's table of functions and the heads of its two
// structures, whose layout its ABI fixes for versions 1 and 2 alike. That spares the conversion of
// arguments and results the detour over the buffer protocol, and the build NumPy's headers.
#include <cstring>

#include "croton/base/settings.hpp"
#include "croton/interop/dlpack.hpp"
#include "python/binding/convert.hpp"

namespace croton::python {

namespace {
struct ArrayHead {
    PyObject_HEAD char* data;
    int rank;
    Py_ssize_t* shape;
    Py_ssize_t* strides;
    PyObject* base;
    PyObject* descr;
    int flags;
};
struct DescrHead {
    PyObject_HEAD PyTypeObject* scalar;
    char kind, type, byte_order, former_flags;
    int number;
};
constexpr int aligned_flag = 0x100, writable_flag = 0x400;

struct Numpy {
    PyTypeObject* array_type = nullptr;
    PyObject* (*descr_from_number)(int) = nullptr;
    PyObject* (*new_from_descr)(PyTypeObject*, PyObject*, int, const Py_ssize_t*, const Py_ssize_t*,
                                void*, int, PyObject*) = nullptr;
    int (*set_base)(PyObject*, PyObject*) = nullptr;
    PyObject *asarray = nullptr, *dtype = nullptr;
};

Numpy load_numpy() {
    nb::module_ module = nb::module_::import_("numpy");
    int major = std::atoi(nb::cast<std::string>(module.attr("__version__")).c_str());
    nb::module_ inner = nb::module_::import_(major < 2 ? "numpy.core._multiarray_umath"
                                                       : "numpy._core._multiarray_umath");
    auto table = static_cast<void**>(
        PyCapsule_GetPointer(nb::object(inner.attr("_ARRAY_API")).ptr(), nullptr));
    if (!table) throw nb::python_error();
    Numpy numpy;
    numpy.array_type = static_cast<PyTypeObject*>(table[2]);
    std::memcpy(&numpy.descr_from_number, &table[45], sizeof table[0]);
    std::memcpy(&numpy.new_from_descr, &table[94], sizeof table[0]);
    std::memcpy(&numpy.set_base, &table[282], sizeof table[0]);
    numpy.asarray = nb::object(module.attr("asarray")).release().ptr();
    numpy.dtype = nb::object(module.attr("dtype")).release().ptr();
    return numpy;
}

Numpy known;  // of the process; empty until it is first needed

// Importing NumPy takes several times as long as importing Croton: it waits for the first array.
// (No static of this function: importing lets other threads run, which may come here, too.)
const Numpy& numpy() {
    if (!known.array_type) known = load_numpy();
    return known;
}

// NumPy's type numbers, as `long` has 64 bits here.
std::optional<DType> dtype_of_number(int number) {
    switch (number) {
        case 0: return DType::Bool;
        case 1: return DType::Int8;
        case 2: return DType::UInt8;
        case 3: return DType::Int16;
        case 4: return DType::UInt16;
        case 5: return DType::Int32;
        case 6: return DType::UInt32;
        case 7:
        case 9: return DType::Int64;
        case 8:
        case 10: return DType::UInt64;
        case 11: return DType::Float32;
        case 12: return DType::Float64;
        case 14: return DType::Complex64;
        case 15: return DType::Complex128;
        case 23: return DType::Float16;
        default: return {};
    }
}

int number_of_dtype(DType dtype) {
    switch (dtype) {
        case DType::Bool: return 0;
        case DType::Int8: return 1;
        case DType::UInt8: return 2;
        case DType::Int16: return 3;
        case DType::UInt16:
        case DType::BFloat16: return 4;
        case DType::Int32: return 5;
        case DType::UInt32: return 6;
        case DType::Int64: return 7;
        case DType::UInt64: return 8;
        case DType::Float32: return 11;
        case DType::Float64: return 12;
        case DType::Complex64: return 14;
        case DType::Complex128: return 15;
        case DType::Float16: return 23;
    }
    return -1;
}

std::shared_ptr<const void> owner_of(nb::handle object) {
    Py_INCREF(object.ptr());
    return {object.ptr(), [](const void* pointer) {
                if (!Py_IsInitialized()) return;
                nb::gil_scoped_acquire gil;
                Py_DECREF(static_cast<PyObject*>(const_cast<void*>(pointer)));
            }};
}

Array view_numpy(PyObject* object, DType dtype, Keep keep) {
    auto head = reinterpret_cast<ArrayHead*>(object);
    auto rank = static_cast<size_t>(head->rank);
    Sizes shape(rank, 0), strides(rank, 0);
    for (size_t i = 0; i < rank; ++i) {
        shape[i] = head->shape[i];
        strides[i] = head->strides[i];
    }
    Array view = Array::view(dtype, std::move(shape), std::move(strides), head->data,
                             keep == Keep::Own ? owner_of(object) : nullptr);
    return keep == Keep::Copy ? view.copy() : view;
}

[[noreturn]] void fail_not_an_array(nb::handle value) {
    fail(ErrorKind::Type, "cannot make an array of numbers of ", nb::repr(value).c_str(), " (type ",
         nb::repr(value.type()).c_str(), ")");
}

Array from_numpy(nb::handle value, Keep keep) {
    auto head = reinterpret_cast<ArrayHead*>(value.ptr());
    auto descr = reinterpret_cast<DescrHead*>(head->descr);
    auto dtype = dtype_of_number(descr->number);
    if (dtype && descr->byte_order != '>' && (head->flags & aligned_flag))
        return view_numpy(value.ptr(), *dtype, keep);
    std::string name = nb::cast<std::string>(value.attr("dtype").attr("name"));
    if (!dtype && name == "bfloat16") {
        nb::object bits = value.attr("view")("uint16");
        return view_numpy(bits.ptr(), DType::BFloat16, keep == Keep::Borrow ? Keep::Own : keep);
    }
    if (!dtype)
        fail(ErrorKind::Type,
             "an array of numbers is wanted (or a Variable); there is no dtype for NumPy's ", name,
             name == "object"
                 ? " (nested lists of different lengths, or objects that are no numbers)"
                 : "");
    nb::object plain = value.attr("astype")(dtype_name(*dtype).data());
    return view_numpy(plain.ptr(), *dtype, Keep::Own);
}

Array from_capsule(nb::handle value) {
    nb::object capsule = value.attr("__dlpack__")();
    if (PyCapsule_IsValid(capsule.ptr(), "dltensor_versioned")) {
        auto tensor = static_cast<dlpack::ManagedTensorVersioned*>(
            PyCapsule_GetPointer(capsule.ptr(), "dltensor_versioned"));
        Array result = dlpack::from_dlpack(tensor);
        PyCapsule_SetName(capsule.ptr(), "used_dltensor_versioned");
        return result;
    }
    if (!PyCapsule_IsValid(capsule.ptr(), "dltensor")) fail_not_an_array(value);
    auto tensor =
        static_cast<dlpack::ManagedTensor*>(PyCapsule_GetPointer(capsule.ptr(), "dltensor"));
    Array result = dlpack::from_dlpack(tensor);
    PyCapsule_SetName(capsule.ptr(), "used_dltensor");
    return result;
}
}  // namespace

bool is_numpy_array(PyObject* object) {
    if (!known.array_type) {  // without NumPy there are no arrays of it
        nb::object loaded = nb::steal(PyImport_GetModule(nb::str("numpy").ptr()));
        PyErr_Clear();
        if (!loaded.is_valid()) return false;
    }
    return PyObject_TypeCheck(object, numpy().array_type);
}

Array to_array(nb::handle value, Keep keep) {
    if (is_numpy_array(value.ptr())) return from_numpy(value, keep);
    if (is_variable(value))
        fail(ErrorKind::Type, "a number or an array is wanted, not the variable ",
             nb::str(value).c_str(), "; values of variables are computed by functions or .eval()");
    if (!PyLong_Check(value.ptr()) && !PyFloat_Check(value.ptr()) &&
        nb::hasattr(value, "__dlpack__")) {
        Array shared = from_capsule(value);
        return keep == Keep::Copy ? shared.copy() : shared;
    }
    nb::object made = nb::steal(PyObject_CallOneArg(numpy().asarray, value.ptr()));
    if (!made.is_valid()) {
        std::string reason = nb::python_error().what();
        fail(ErrorKind::Type, "cannot make an array of ", nb::repr(value).c_str(), ": ", reason);
    }
    return from_numpy(made, keep == Keep::Borrow ? Keep::Own : keep);
}

Array writable_view(nb::handle array) {
    auto head = reinterpret_cast<ArrayHead*>(array.ptr());
    auto descr = reinterpret_cast<DescrHead*>(head->descr);
    if (!(head->flags & writable_flag))
        fail(ErrorKind::Value, "a result cannot be left in an array that is read-only");
    auto dtype = dtype_of_number(descr->number);
    if (!dtype && nb::cast<std::string>(array.attr("dtype").attr("name")) == "bfloat16") {
        nb::object bits = array.attr("view")("uint16");  // over the same memory
        return view_numpy(bits.ptr(), DType::BFloat16, Keep::Borrow);
    }
    if (!dtype || descr->byte_order == '>' || !(head->flags & aligned_flag))
        fail(ErrorKind::Type, "a result cannot be left in an array of ",
             nb::repr(array.attr("dtype")).c_str(),
             dtype ? " that is not aligned or has another byte order" : "");
    return view_numpy(array.ptr(), *dtype, Keep::Borrow);
}

nb::object to_numpy(const Array& array, bool writable) {
    if (array.dtype() == DType::BFloat16) {
        nb::object loaded = nb::module_::import_("sys").attr("modules").attr("get")("ml_dtypes");
        if (loaded.is_none()) return to_numpy(array.cast(DType::Float32), writable);
    }
    Py_ssize_t shape[64], strides[64];
    auto rank = static_cast<size_t>(array.rank());
    if (rank > 32) fail(ErrorKind::Unsupported, "NumPy has no arrays of rank ", rank);
    for (size_t i = 0; i < rank; ++i) {
        shape[i] = array.shape()[i];
        strides[i] = array.strides()[i];
    }
    PyObject* descr = numpy().descr_from_number(number_of_dtype(array.dtype()));
    int flags = aligned_flag | (writable ? writable_flag : 0);
    nb::object result =
        nb::steal(numpy().new_from_descr(numpy().array_type, descr, static_cast<int>(rank), shape,
                                         strides, array.data(), flags, nullptr));
    if (!result.is_valid()) throw nb::python_error();
    auto owner = new std::shared_ptr<const void>(array.owner());
    PyObject* capsule = PyCapsule_New(owner, nullptr, [](PyObject* self) {
        delete static_cast<std::shared_ptr<const void>*>(PyCapsule_GetPointer(self, nullptr));
    });
    if (!capsule || numpy().set_base(result.ptr(), capsule) < 0) throw nb::python_error();
    if (array.dtype() == DType::BFloat16)
        return result.attr("view")(nb::module_::import_("ml_dtypes").attr("bfloat16"));
    return result;
}

DType to_dtype(nb::handle value) {
    if (PyUnicode_Check(value.ptr())) {
        std::string name = nb::cast<std::string>(value);
        if (name == "floatX") name = settings().float_x;
        if (auto dtype = dtype_from_name(name)) return *dtype;
    }
    nb::object made = nb::steal(PyObject_CallOneArg(numpy().dtype, value.ptr()));
    if (!made.is_valid()) {
        PyErr_Clear();
        fail(ErrorKind::Type, "there is no dtype ", nb::repr(value).c_str(),
             "; the dtypes are bool, int8 to int64, uint8 to uint64, float16, bfloat16, float32, "
             "float64, complex64, complex128 and floatX");
    }
    std::string name = nb::cast<std::string>(made.attr("name"));
    if (auto dtype = dtype_from_name(name)) return *dtype;
    fail(ErrorKind::Type, "there is no dtype for NumPy's ", name);
}

}  // namespace croton::python
