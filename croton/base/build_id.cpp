#include "croton/base/build_id.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <chrono>
#include <cstring>

#include "croton/base/format.hpp"

namespace croton {

namespace {
std::string hexadecimal(const unsigned char* bytes, size_t count) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (size_t i = 0; i < count; ++i) text += {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
    return text;
}

// A segment of notes: name size, description size, type, then name and description, each padded to
// four bytes.
std::string id_among_notes(const unsigned char* at, size_t size) {
    auto padded = [](size_t n) { return (n + 3) & ~size_t{3}; };
    const unsigned char* end = at + size;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
        ElfW(Nhdr) note;
        std::memcpy(&note, at, sizeof note);
        const unsigned char* name = at + sizeof note;
        const unsigned char* description = name + padded(note.n_namesz);
        if (description + note.n_descsz > end) break;
        bool gnu = note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0;
        if (gnu && note.n_type == NT_GNU_BUILD_ID) return hexadecimal(description, note.n_descsz);
        at = description + padded(note.n_descsz);
    }
    return "";
}

struct Search {
    uintptr_t address;  ///< in the object that is looked for
    std::string id;
};

// Called for each loaded object until one holds the address.
int look(dl_phdr_info* object, size_t, void* data) {
    auto& search = *static_cast<Search*>(data);
    bool wanted = false;
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const auto& segment = object->dlpi_phdr[i];
        uintptr_t start = object->dlpi_addr + segment.p_vaddr;
        wanted |= segment.p_type == PT_LOAD && search.address >= start &&
                  search.address - start < segment.p_memsz;
    }
    if (!wanted) return 0;
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const auto& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_NOTE) continue;
        auto notes = reinterpret_cast<const unsigned char*>(object->dlpi_addr + segment.p_vaddr);
        auto found = id_among_notes(notes, segment.p_memsz);
        if (!found.empty()) search.id = found;
    }
    return 1;
}
}  // namespace

std::string build_id_of(const void* address) {
    Search search{reinterpret_cast<uintptr_t>(address), ""};
    dl_iterate_phdr(look, &search);
    return search.id;
}

const std::string& build_id() {
    static const std::string& id = *new std::string([] {
        auto found = build_id_of(reinterpret_cast<const void*>(&look));
        if (!found.empty()) return found;
        auto now = std::chrono::steady_clock::now().time_since_epoch().count();
        return cat("none ", getpid(), " ", now);
    }());
    return id;
}

const std::string& library_folder() {
    static const std::string& folder = *new std::string([] {
        Dl_info about;
        if (::dladdr(reinterpret_cast<const void*>(&look), &about) == 0) return std::string(".");
        std::string path = about.dli_fname;
        auto end = path.rfind('/');
        return end == std::string::npos ? std::string(".") : path.substr(0, end);
    }());
    return folder;
}

}  // namespace croton
