#include "croton/backend/cpu/generator.hpp"

#include <dlfcn.h>

#include <atomic>

#include "croton/base/build_id.hpp"
#include "croton/base/error.hpp"

// Written by the build (cmake/generator.cmake): the library's file name, and the identity that the
// linker gave it.
extern const char croton_generator_name[];
extern const char croton_generator_id[];

namespace croton::cpu {

namespace {
std::atomic<bool> is_open{false};

[[noreturn]] void cannot_open(std::string_view what) {
    fail(ErrorKind::Compile, "Croton's code generator cannot be opened: ", what, "; the library ",
         croton_generator_name, " must lie in the folder of libcroton, installed with it");
}

const CodeGenerator& open_generator() {
    std::string path = cat(library_folder(), "/", croton_generator_name);
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) cannot_open(::dlerror());
    void* symbol = ::dlsym(library, "croton_code_generator");
    if (!symbol) cannot_open(::dlerror());
    // Both change together: frames, helpers and kernels are described by one, used by the other.
    if (build_id_of(symbol) != croton_generator_id)
        cannot_open(cat(path, " belongs to another build"));
    is_open = true;
    return *reinterpret_cast<decltype(&croton_code_generator)>(symbol)();
}
}  // namespace

const CodeGenerator& code_generator() {
    static const CodeGenerator& generator = open_generator();
    return generator;
}

bool code_generator_is_open() { return is_open; }

Object compile_object(std::span<const Source> sources, const Level& level) {
    return code_generator().compile(sources, level);
}

std::string ir_text(const Source& source, const Level& level) {
    return code_generator().ir_text(source, level);
}

std::shared_ptr<const Code> link_object(std::string object) {
    if (auto code = load_object(object)) return code;
    return code_generator().link(std::move(object));
}

}  // namespace croton::cpu
