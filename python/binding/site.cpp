#include <array>
#include <unordered_map>

#include "croton/base/hash.hpp"
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

namespace {
/// The site of a frame's line; of the package's own lines one that is not known.
Site site_of(PyObject* code, PyFrameObject* frame) {
    PyObject* name = reinterpret_cast<PyCodeObject*>(code)->co_filename;
    File& file = file_of(name);
    if (file.own) return {};
    int line = PyFrame_GetLineNumber(frame);
    return {file.name, static_cast<uint32_t>(line), line_text(file, name, line)};
}

#if PY_VERSION_HEX >= 0x030B0000
// Finding the line of an instruction takes a walk over the function's table of lines, and loops
// come to the same instructions again.
Site known_site(PyObject* code, PyFrameObject* frame) {
    struct Known {
        nb::object code;  // held, lest another one get its address
        int instruction = -1;
        Site site;
    };
    static auto& places = *new std::array<Known, 64>;
    int instruction = PyFrame_GetLasti(frame);
    auto key = reinterpret_cast<uintptr_t>(code) / 16 + static_cast<uintptr_t>(instruction) / 2;
    Known& known = places[mix(key) % places.size()];
    if (known.code.ptr() != code || known.instruction != instruction) {
        Site site = site_of(code, frame);
        known = {nb::borrow(code), instruction, site};
    }
    return known.site;
}
#else
Site known_site(PyObject* code, PyFrameObject* frame) { return site_of(code, frame); }
#endif
}  // namespace

Site python_site() {
    auto frame =
        nb::steal(reinterpret_cast<PyObject*>(PyThreadState_GetFrame(PyThreadState_Get())));
    while (frame.is_valid()) {
        auto raw = reinterpret_cast<PyFrameObject*>(frame.ptr());
        auto code = nb::steal(reinterpret_cast<PyObject*>(PyFrame_GetCode(raw)));
        if (Site site = known_site(code.ptr(), raw); site.known()) return site;
        frame = nb::steal(reinterpret_cast<PyObject*>(PyFrame_GetBack(raw)));
    }
    return {};
}

}  // namespace croton::python
