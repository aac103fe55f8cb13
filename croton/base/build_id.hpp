#pragma once
#include <string>

namespace croton {

/// What tells this build of the library from every other: the build identity that the linker left
/// in libcroton (a hash of its content), in hexadecimal digits. Part of the keys of everything that
/// is kept on disk, so that no build ever believes what another one wrote. Without such a note (a
/// linker that leaves none) a text that differs from process to process.
const std::string& build_id();

/// The same note of the loaded object that an address lies in; "" without one.
std::string build_id_of(const void* address);

/// The folder that libcroton was loaded from.
const std::string& library_folder();

}  // namespace croton
