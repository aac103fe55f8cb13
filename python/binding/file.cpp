// Files and the memory of other libraries.
#include "croton/interop/batches.hpp"
#include "croton/interop/dlpack.hpp"
#include "croton/interop/idx.hpp"
#include "croton/interop/npy.hpp"
#include "croton/interop/safetensors.hpp"
#include "python/binding/convert.hpp"

namespace croton::python {

namespace {
using Arrays = std::map<std::string, Array>;

std::filesystem::path to_path(nb::handle value) {
    nb::object text = nb::steal(PyOS_FSPath(value.ptr()));
    if (!text.is_valid()) throw nb::python_error();
    return nb::cast<std::string>(text);
}

Arrays to_arrays(nb::handle value) {
    Arrays result;
    for (auto& [name, array] : to_pairs(value, "arrays")) {
        std::string key = nb::cast<std::string>(name);
        if (is_variable(array) && nb::hasattr(array, "get_value"))
            array = array.attr("get_value")();
        if (!result.emplace(key, to_array(array, Keep::Own)).second)
            fail(ErrorKind::Value, "two arrays have the name '", key, "'");
    }
    return result;
}

nb::dict to_dict(const Arrays& arrays) {
    nb::dict result;
    for (const auto& [name, array] : arrays) result[name.c_str()] = to_numpy(array);
    return result;
}

// Runs without the GIL; `body` must not touch Python.
template <class Body>
auto unlocked(Body body) {
    nb::gil_scoped_release release;
    return body();
}

nb::object to_capsule(nb::handle value) {
    Array array = to_array(value, Keep::Own);
    auto tensor = dlpack::to_dlpack(array);
    PyObject* capsule = PyCapsule_New(tensor, "dltensor", [](PyObject* self) {
        if (!PyCapsule_IsValid(self, "dltensor")) return;  // taken: the taker frees it
        auto t = static_cast<dlpack::ManagedTensor*>(PyCapsule_GetPointer(self, "dltensor"));
        t->deleter(t);
    });
    if (!capsule) throw nb::python_error();
    return nb::steal(capsule);
}

void bind_batches(nb::module_& m) {
    nb::class_<Batches>(m, "Batches", "Rows of several arrays in a shuffled order, batch by batch.")
        .def(
            "__init__",
            [](Batches* self, nb::handle arrays, int64_t size, bool drop_last) {
                std::vector<Array> list;
                for (auto item : arrays) list.push_back(to_array(item, Keep::Own));
                new (self) Batches(std::move(list), size, drop_last);
            },
            nb::arg("arrays"), nb::arg("size"), nb::arg("drop_last") = false)
        .def("shuffle", &Batches::shuffle, nb::arg("seed"), "Orders the rows anew.")
        .def("__len__", [](const Batches& b) { return static_cast<size_t>(b.count()); })
        .def(
            "__getitem__",
            [](const Batches& b, int64_t i) {
                if (i < 0 || i >= b.count()) throw nb::index_error();
                nb::list parts;
                for (const Array& part : unlocked([&] { return b.get(i); }))
                    parts.append(to_numpy(part));
                return nb::tuple(parts);
            },
            nb::arg("i"), "Batch i of each array, in new memory.");
    m.def(
        "permutation",
        [](int64_t count, uint64_t seed) {
            auto order = permutation(count, seed);
            auto size = static_cast<int64_t>(order.size());
            return to_numpy(Array::of(order, {size}));
        },
        nb::arg("count"), nb::arg("seed"),
        "A random order of 0..count-1 that depends on the seed alone.");
}
}  // namespace

void bind_files(nb::module_& m) {
    m.def(
        "load_npy",
        [](nb::handle path) {
            auto p = to_path(path);
            return to_numpy(unlocked([&] { return load_npy(p); }));
        },
        nb::arg("path"), "Reads one .npy file.");
    m.def(
        "save_npy",
        [](nb::handle path, nb::handle array) {
            auto p = to_path(path);
            Array a = to_array(array, Keep::Own);
            unlocked([&] { save_npy(p, a); });
        },
        nb::arg("path"), nb::arg("array"), "Writes one .npy file, whole or not at all.");
    m.def(
        "load_npz",
        [](nb::handle path) {
            auto p = to_path(path);
            return to_dict(unlocked([&] { return load_npz(p); }));
        },
        nb::arg("path"), "Reads every array of an .npz archive as a dictionary.");
    m.def(
        "save_npz",
        [](nb::handle path, nb::handle arrays, bool compress) {
            auto p = to_path(path);
            Arrays a = to_arrays(arrays);
            unlocked([&] { save_npz(p, a, compress); });
        },
        nb::arg("path"), nb::arg("arrays"), nb::arg("compress") = false,
        "Writes a dictionary of arrays (or shared variables) as an .npz archive.");
    m.def(
        "load_safetensors",
        [](nb::handle path) {
            auto p = to_path(path);
            return to_dict(unlocked([&] { return load_safetensors(p); }).arrays);
        },
        nb::arg("path"), "Reads every array of a safetensors file as a dictionary.");
    m.def(
        "safetensors_metadata",
        [](nb::handle path) {
            auto p = to_path(path);
            nb::dict result;
            for (const auto& [key, value] : unlocked([&] { return load_safetensors(p); }).metadata)
                result[key.c_str()] = value;
            return result;
        },
        nb::arg("path"), "The metadata of a safetensors file.");
    m.def(
        "save_safetensors",
        [](nb::handle path, nb::handle arrays, nb::handle metadata) {
            auto p = to_path(path);
            Arrays a = to_arrays(arrays);
            std::map<std::string, std::string> notes;
            for (auto& [key, value] : to_pairs(metadata, "metadata"))
                notes[nb::cast<std::string>(key)] = nb::cast<std::string>(value);
            unlocked([&] { save_safetensors(p, a, notes); });
        },
        nb::arg("path"), nb::arg("arrays"), nb::arg("metadata") = nb::none(),
        "Writes a dictionary of arrays (or shared variables) as a safetensors file.");
    m.def(
        "read_idx",
        [](nb::handle path) {
            auto p = to_path(path);
            return to_numpy(unlocked([&] { return read_idx(p); }));
        },
        nb::arg("path"), "Reads an IDX file, plain or gzip.");
    m.def(
        "fashion_mnist",
        [](const std::string& split, nb::handle folder) {
            std::filesystem::path p;
            if (!folder.is_none()) p = to_path(folder);
            auto [images, labels] = unlocked([&] { return fashion_mnist(split, p); });
            return nb::make_tuple(to_numpy(images), to_numpy(labels));
        },
        nb::arg("split"), nb::arg("folder") = nb::none(),
        "(images, labels) of Fashion-MNIST: split 'train' or 'test'.");
    m.def(
        "fashion_mnist_classes", [] { return fashion_mnist_classes(); },
        "The ten names of the labels.");
    m.def("to_dlpack", to_capsule, nb::arg("array"),
          "A DLPack capsule over the memory of an array.");
    bind_batches(m);
}

}  // namespace croton::python
