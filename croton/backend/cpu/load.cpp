// A linker for the objects that compile_object makes: one run of sections, each relocation the
// distance from a place in it to another. All of it is a page or two of memory that is first
// written, then run: never both.
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <span>

#include "croton/backend/cpu/helpers.hpp"
#include "croton/backend/cpu/jit.hpp"
#include "croton/base/error.hpp"

namespace croton::cpu {

#if defined(__x86_64__)
namespace {
/// Pages of code; unmapped with it.
class Pages final : public Code {
  public:
    Pages(char* start, size_t size) : start_(start), size_(size) {}
    ~Pages() override { ::munmap(start_, size_); }
    SectionFunction function(const std::string& symbol) const override {
        auto found = functions_.find(symbol);
        if (found == functions_.end())
            fail(ErrorKind::Compile, "cannot find compiled code: ", symbol);
        return reinterpret_cast<SectionFunction>(start_ + found->second);
    }
    void add(std::string name, size_t place) { functions_.emplace(std::move(name), place); }
    bool seal() const { return ::mprotect(start_, size_, PROT_READ | PROT_EXEC) == 0; }

  private:
    char* start_;
    size_t size_;
    std::map<std::string, size_t> functions_;
};

constexpr size_t stub_size = 16;  ///< of a jump to a helper, which may be too far for a call

/// One object. Every step says whether it understood all it saw; what it reads, it has checked to
/// lie inside of the bytes.
class Loader {
  public:
    explicit Loader(std::string_view bytes) : bytes_(bytes) {}

    std::shared_ptr<const Code> load() {
        if (!read_sections() || !read_symbols() || !place_sections() || !map()) return nullptr;
        copy_sections();
        if (!relocate_all() || !code_->seal()) return nullptr;
        return code_;
    }

  private:
    /// `count` records at `offset`, copied out: nothing in the bytes needs to be aligned.
    template <class T>
    std::optional<std::vector<T>> records(uint64_t offset, uint64_t count) const {
        if (offset > bytes_.size() || count > (bytes_.size() - offset) / sizeof(T)) return {};
        std::vector<T> result(count);
        if (count > 0) std::memcpy(result.data(), bytes_.data() + offset, count * sizeof(T));
        return result;
    }

    bool read_sections() {
        auto header = records<Elf64_Ehdr>(0, 1);
        if (!header) return false;
        const Elf64_Ehdr& h = header->front();
        bool ours = std::memcmp(h.e_ident, ELFMAG, SELFMAG) == 0 &&
                    h.e_ident[EI_CLASS] == ELFCLASS64 && h.e_type == ET_REL &&
                    h.e_machine == EM_X86_64 && h.e_shentsize == sizeof(Elf64_Shdr);
        auto sections = ours ? records<Elf64_Shdr>(h.e_shoff, h.e_shnum) : std::nullopt;
        if (!sections) return false;
        sections_ = std::move(*sections);
        return std::all_of(sections_.begin(), sections_.end(), [&](const Elf64_Shdr& s) {
            return s.sh_type == SHT_NOBITS ||
                   (s.sh_offset <= bytes_.size() && s.sh_size <= bytes_.size() - s.sh_offset);
        });
    }

    bool read_symbols() {
        auto table = std::find_if(sections_.begin(), sections_.end(),
                                  [](const auto& s) { return s.sh_type == SHT_SYMTAB; });
        if (table == sections_.end() || table->sh_link >= sections_.size()) return false;
        auto symbols = records<Elf64_Sym>(table->sh_offset, table->sh_size / sizeof(Elf64_Sym));
        const Elf64_Shdr& names = sections_[table->sh_link];
        names_ = bytes_.substr(names.sh_offset, names.sh_size);
        if (!symbols || names_.empty() || names_.back() != '\0') return false;
        symbols_ = std::move(*symbols);
        return std::all_of(symbols_.begin(), symbols_.end(),
                           [&](const Elf64_Sym& s) { return s.st_name < names_.size(); });
    }

    std::string_view name_of(const Elf64_Sym& symbol) const {
        return names_.data() + symbol.st_name;
    }

    static bool in_memory(const Elf64_Shdr& s) { return (s.sh_flags & SHF_ALLOC) != 0; }

    // Nothing that is written while code runs, and no tables of unwinding: code never throws.
    bool place_sections() {
        for (const Elf64_Shdr& s : sections_) {
            places_.push_back(0);
            if (!in_memory(s)) continue;
            bool known = s.sh_type == SHT_PROGBITS && (s.sh_flags & SHF_WRITE) == 0;
            if (!known || s.sh_addralign > 4096 || (s.sh_addralign & (s.sh_addralign - 1)) != 0)
                return false;
            align(std::max<size_t>(s.sh_addralign, 1));
            places_.back() = size_;
            size_ += s.sh_size;
        }
        align(stub_size);
        for (size_t n = 1; n < symbols_.size(); ++n)
            if (symbols_[n].st_shndx == SHN_UNDEF && !place_stub(n)) return false;
        return size_ > 0;
    }

    void align(size_t to) { size_ = (size_ + to - 1) & ~(to - 1); }

    bool place_stub(size_t symbol) {
        for (const Helper& helper : helpers()) {
            if (helper.name != name_of(symbols_[symbol])) continue;
            stubs_.emplace(symbol, std::pair(size_, reinterpret_cast<uintptr_t>(helper.address)));
            size_ += stub_size;
            return true;
        }
        return false;
    }

    bool map() {
        auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
        size_t all = (size_ + page - 1) / page * page;
        void* start =
            ::mmap(nullptr, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (start == MAP_FAILED) return false;
        start_ = static_cast<char*>(start);
        code_ = std::make_shared<Pages>(start_, all);
        return true;
    }

    void copy_sections() {
        for (size_t n = 0; n < sections_.size(); ++n) {
            const Elf64_Shdr& s = sections_[n];
            if (in_memory(s) && s.sh_size > 0)
                std::memcpy(start_ + places_[n], bytes_.data() + s.sh_offset, s.sh_size);
        }
        for (const auto& [symbol, stub] : stubs_) {
            // jmp *2(%rip), two bytes of nothing, the address
            constexpr unsigned char jump[] = {0xff, 0x25, 2, 0, 0, 0, 0x90, 0x90};
            std::memcpy(start_ + stub.first, jump, sizeof jump);
            std::memcpy(start_ + stub.first + sizeof jump, &stub.second, sizeof stub.second);
        }
        for (const Elf64_Sym& s : symbols_) {
            bool function = ELF64_ST_TYPE(s.st_info) == STT_FUNC && s.st_shndx < sections_.size();
            if (function && in_memory(sections_[s.st_shndx]) &&
                s.st_value < sections_[s.st_shndx].sh_size)
                code_->add(std::string(name_of(s)), places_[s.st_shndx] + s.st_value);
        }
    }

    bool relocate_all() {
        for (const Elf64_Shdr& s : sections_) {
            if (s.sh_type == SHT_REL) return false;
            if (s.sh_type != SHT_RELA) continue;
            if (s.sh_info >= sections_.size()) return false;
            if (!in_memory(sections_[s.sh_info])) continue;
            auto entries = records<Elf64_Rela>(s.sh_offset, s.sh_size / sizeof(Elf64_Rela));
            if (!entries) return false;
            for (const Elf64_Rela& entry : *entries)
                if (!relocate(s.sh_info, entry)) return false;
        }
        return true;
    }

    bool relocate(size_t section, const Elf64_Rela& entry) {
        auto type = ELF64_R_TYPE(entry.r_info);
        auto target = target_of(ELF64_R_SYM(entry.r_info));
        size_t room = sections_[section].sh_size;
        if ((type != R_X86_64_PC32 && type != R_X86_64_PLT32) || !target || room < 4 ||
            entry.r_offset > room - 4)
            return false;
        size_t place = places_[section] + entry.r_offset;
        // Whatever the addend: without a sign nothing overflows.
        auto distance =
            static_cast<int64_t>(*target + static_cast<uint64_t>(entry.r_addend) - place);
        auto stored = static_cast<int32_t>(distance);
        if (stored != distance) return false;
        std::memcpy(start_ + place, &stored, sizeof stored);
        return true;
    }

    /// From the start of the code.
    std::optional<size_t> target_of(size_t symbol) const {
        if (auto stub = stubs_.find(symbol); stub != stubs_.end()) return stub->second.first;
        if (symbol >= symbols_.size()) return {};
        const Elf64_Sym& s = symbols_[symbol];
        if (s.st_shndx == SHN_UNDEF || s.st_shndx >= sections_.size()) return {};
        const Elf64_Shdr& section = sections_[s.st_shndx];
        if (!in_memory(section) || s.st_value > section.sh_size) return {};
        return places_[s.st_shndx] + s.st_value;
    }

    std::string_view bytes_, names_;
    std::vector<Elf64_Shdr> sections_;
    std::vector<Elf64_Sym> symbols_;
    std::vector<size_t> places_;                            ///< by section
    std::map<size_t, std::pair<size_t, uintptr_t>> stubs_;  ///< by symbol: place, helper
    size_t size_ = 0;
    char* start_ = nullptr;
    std::shared_ptr<Pages> code_;
};
}  // namespace

std::shared_ptr<const Code> load_object(std::string_view object) { return Loader(object).load(); }
#else
std::shared_ptr<const Code> load_object(std::string_view) { return nullptr; }
#endif

}  // namespace croton::cpu
