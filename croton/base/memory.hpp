#pragma once
// Blocks of memory that are kept when they are freed: for arrays, and for tables that grow with
// graphs.
#include <cstddef>
#include <cstdint>
#include <new>

namespace croton {

/// Blocks start at a line of the caches; those of several MiB lie on huge pages where the system
/// has them. Safe from several threads, and in a process that forks.
inline constexpr size_t memory_line = 64;

/// Whether a tool looks for uses after the end, which a block that is used again would hide.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool watched_memory = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool watched_memory = true;
#else
inline constexpr bool watched_memory = false;
#endif
#else
inline constexpr bool watched_memory = false;
#endif

/// Uninitialised; null if the system has none left.
void* take_memory(size_t bytes);
/// Gives back a block of so many bytes.
void give_memory(void* memory, size_t bytes);

/// Gives the system what is kept of large blocks.
void drop_kept_memory();

/// The same for what stays for long: large blocks come in place of as much that was kept, and go
/// back to the system when they are given back.
void* take_lasting_memory(size_t bytes);
void give_lasting_memory(void* memory, size_t bytes);

/// For the standard's containers: large ones grow into kept blocks.
template <class T>
struct KeptMemory {
    using value_type = T;
    KeptMemory() = default;
    template <class U>
    KeptMemory(const KeptMemory<U>&) {}

    T* allocate(size_t count) {
        if (count < least) return static_cast<T*>(::operator new(count * sizeof(T)));
        void* memory = count > most ? nullptr : take_memory(count * sizeof(T));
        if (!memory) throw std::bad_alloc();
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, size_t count) {
        if (count < least) return ::operator delete(memory);
        give_memory(memory, count * sizeof(T));
    }
    friend bool operator==(KeptMemory, KeptMemory) { return true; }

  private:
    static constexpr size_t least = (size_t{64} << 10) / sizeof(T), most = PTRDIFF_MAX / sizeof(T);
};

}  // namespace croton
