// Memory for arrays: one allocation holds the counter and the elements.
#include "croton/base/memory.hpp"

#include <memory>

#include "croton/base/error.hpp"
#include "croton/type/array.hpp"

namespace croton {

namespace {
[[noreturn]] void fail_out_of_memory(size_t bytes) {
    fail(ErrorKind::Device, "out of memory: ", bytes, " bytes were asked for");
}

constexpr size_t whole_lines(size_t bytes) {
    return (bytes + memory_line - 1) / memory_line * memory_line;
}

// For allocate_shared: room for `bytes` behind the counter.
template <class T>
struct Room {
    using value_type = T;
    size_t bytes;
    std::byte** data;  // where the elements begin is written here

    Room(size_t bytes, std::byte** data) : bytes(bytes), data(data) {}
    template <class U>
    Room(const Room<U>& other) : bytes(other.bytes), data(other.data) {}

    T* allocate(size_t count) {
        size_t head = whole_lines(count * sizeof(T));
        void* memory = bytes > PTRDIFF_MAX - head ? nullptr : take_memory(head + bytes);
        if (!memory) fail_out_of_memory(bytes);
        *data = static_cast<std::byte*>(memory) + head;
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, size_t count) {
        give_memory(memory, whole_lines(count * sizeof(T)) + bytes);
    }
};
struct Nothing {};
}  // namespace

std::shared_ptr<void> allocate_aligned(size_t bytes) {
    std::byte* data = nullptr;
    auto owner = std::allocate_shared<Nothing>(Room<Nothing>(bytes, &data));
    return {std::move(owner), data};
}

std::shared_ptr<void> allocate_lasting(size_t bytes) {
    void* memory = take_lasting_memory(bytes);
    if (!memory) fail_out_of_memory(bytes);
    return {memory, [bytes](void* block) { give_lasting_memory(block, bytes); }};
}

}  // namespace croton
