#include "croton/base/huge_blocks.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <iterator>

namespace croton {

namespace {
constexpr size_t small_page = 4096;
size_t rounded(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }
char* page_at_or_after(char* at) {
    return at + (rounded(reinterpret_cast<size_t>(at), huge_page) - reinterpret_cast<size_t>(at));
}
char* page_at_or_before(char* at) { return at - reinterpret_cast<size_t>(at) % huge_page; }
}  // namespace

void* map_huge(size_t bytes) {
    size_t size = rounded(bytes, small_page);
    if (size > PTRDIFF_MAX - huge_page) return nullptr;
    void* memory = ::mmap(nullptr, size + huge_page, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    auto* at = static_cast<char*>(memory);
    char* start = page_at_or_after(at);
    auto before = static_cast<size_t>(start - at);
    if (before > 0) ::munmap(at, before);
    if (before < huge_page) ::munmap(start + size, huge_page - before);
    ::madvise(start, size, MADV_HUGEPAGE);
    return start;
}

// The lowest place that is wide enough: what is in use stays close together.
void* HugeBlocks::take_first(Arena& arena, size_t bytes) {
    auto piece = std::find_if(arena.free.begin(), arena.free.end(),
                              [&](const auto& p) { return p.second >= bytes; });
    if (piece == arena.free.end()) return nullptr;
    auto [at, size] = *piece;
    arena.free.erase(piece);
    if (size > bytes) arena.free.emplace(at + bytes, size - bytes);
    return at;
}

bool HugeBlocks::add_arena() {
    auto* start = static_cast<char*>(map_huge(arena_bytes));
    if (start) arenas_.push_back({start, {{start, arena_bytes}}});
    return start != nullptr;
}

void* HugeBlocks::take(size_t bytes) {
    bytes = rounded(bytes, small_page);
    std::lock_guard lock(mutex_);
    for (Arena& arena : arenas_)
        if (void* memory = take_first(arena, bytes)) return memory;
    return bytes <= arena_bytes && add_arena() ? take_first(arenas_.back(), bytes) : nullptr;
}

// Joins the piece with its neighbours. Its memory goes back, its part of a huge page too; a page of
// which nothing is in use is named as a whole, so that the next block there gets a huge one again.
void HugeBlocks::release(Arena& arena, char* at, size_t bytes) {
    char *begin = at, *end = at + bytes;
    auto after = arena.free.lower_bound(at);
    if (after != arena.free.end() && after->first == end) {
        end += after->second;
        after = arena.free.erase(after);
    }
    if (after != arena.free.begin()) {
        auto before = std::prev(after);
        if (before->first + before->second == begin) {
            begin = before->first;
            arena.free.erase(before);
        }
    }
    arena.free.emplace(begin, static_cast<size_t>(end - begin));
    char *first = page_at_or_before(at), *last = page_at_or_after(at + bytes);
    if (first < begin) first = at;
    if (last > end) last = at + bytes;
    ::madvise(first, static_cast<size_t>(last - first), MADV_DONTNEED);
}

bool HugeBlocks::give(void* memory, size_t bytes) {
    std::lock_guard lock(mutex_);
    auto arena = std::find_if(arenas_.begin(), arenas_.end(),
                              [&](const Arena& a) { return a.holds(memory); });
    if (arena == arenas_.end()) return false;
    release(*arena, static_cast<char*>(memory), rounded(bytes, small_page));
    return true;
}

}  // namespace croton
