#include <unordered_map>

#include "python/binding/convert.hpp"

namespace croton::python {

namespace {
struct File {
    const char* name;
    bool own;  // one of the package's
    std::unordered_map<int, const char*> lines;
};
std::string package_folder = "\n";

// Code objects of one file share the string of its name, so that its address finds the file again.
File& file_of(PyObject* name) {
    static auto& files = *new std::unordered_map<PyObject*, File>;
    auto found = files.find(name);
    if (found != files.end()) return found->second;
    std::string text = nb::cast<std::string>(nb::handle(name));
    Py_INCREF(name);  // for good, lest another string get the address
    return files.emplace(name, File{intern(text), text.starts_with(package_folder), {}})
        .first->second;
}

const char* line_text(File& file, PyObject* name, int line) {
    auto [place, added] = file.lines.emplace(line, "");
    if (added) {
        static PyObject* getline =
            nb::object(nb::module_::import_("linecache").attr("getline")).release().ptr();
        nb::str text = nb::str(nb::handle(getline)(nb::handle(name), line).attr("strip")());
        place->second = intern(text.c_str());
    }
    return place->second;
}
}  // namespace

void set_package_folder(std::string folder) { package_folder = std::move(folder); }

Site python_site() {
    auto frame =
        nb::steal(reinterpret_cast<PyObject*>(PyThreadState_GetFrame(PyThreadState_Get())));
    while (frame.is_valid()) {
        auto raw = reinterpret_cast<PyFrameObject*>(frame.ptr());
        auto code = nb::steal(reinterpret_cast<PyObject*>(PyFrame_GetCode(raw)));
        PyObject* name = reinterpret_cast<PyCodeObject*>(code.ptr())->co_filename;
        File& file = file_of(name);
        if (!file.own) {
            int line = PyFrame_GetLineNumber(raw);
            return {file.name, static_cast<uint32_t>(line), line_text(file, name, line)};
        }
        frame = nb::steal(reinterpret_cast<PyObject*>(PyFrame_GetBack(raw)));
    }
    return {};
}

}  // namespace croton::python
