#include "croton/base/slab_pool.hpp"

#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <mutex>
#include <new>

namespace croton {

namespace {
constexpr size_t line = 64;
constexpr uint32_t most_places = SlabPool::slab_bytes / line;
constexpr uint32_t bits = 64;

// Memory that starts at a multiple of its size, so that an object's address tells its slab.
void* map_aligned() {
    constexpr size_t size = SlabPool::slab_bytes;
    void* mapped =
        mmap(nullptr, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    auto start = reinterpret_cast<uintptr_t>(mapped), aligned = (start + size - 1) / size * size;
    if (aligned > start) munmap(mapped, aligned - start);
    munmap(reinterpret_cast<void*>(aligned + size), start + size - aligned);
    return reinterpret_cast<void*>(aligned);
}
}  // namespace

// At the start of its memory; the objects follow.
struct SlabPool::Slab {
    Slab *previous = nullptr, *next = nullptr;
    std::byte* touched = nullptr;  ///< the end of what has memory
    uint32_t live = 0;
    uint32_t lowest = 0;  ///< no word of `free` before this one has a bit
    uint64_t free[most_places / bits] = {};

    uint32_t take_lowest() {
        while (free[lowest] == 0) ++lowest;
        auto place = lowest * bits + static_cast<uint32_t>(std::countr_zero(free[lowest]));
        free[lowest] &= free[lowest] - 1;
        ++live;
        return place;
    }
    void give_back(uint32_t place) {
        free[place / bits] |= uint64_t{1} << place % bits;
        lowest = std::min(lowest, place / bits);
        --live;
    }
};

SlabPool::SlabPool(size_t object_size)
    : object_size_(object_size), first_place_((sizeof(Slab) + line - 1) / line * line) {
    places_ = static_cast<uint32_t>((slab_bytes - first_place_) / object_size);
}

// Objects that live longer keep their slabs.
SlabPool::~SlabPool() {
    while (open_) {
        Slab* slab = open_;
        take_out(slab);
        if (slab->live == 0) munmap(slab, slab_bytes);
    }
}

SlabPool::Slab* SlabPool::slab_of(void* object) noexcept {
    return reinterpret_cast<Slab*>(reinterpret_cast<uintptr_t>(object) / slab_bytes * slab_bytes);
}

void SlabPool::lock() noexcept {
    while (busy_.test_and_set(std::memory_order_acquire))
        while (busy_.test(std::memory_order_relaxed)) sched_yield();
}

void SlabPool::put_first(Slab* slab) noexcept {
    slab->previous = nullptr;
    slab->next = open_;
    if (open_) open_->previous = slab;
    open_ = slab;
}

void SlabPool::take_out(Slab* slab) noexcept {
    (slab->previous ? slab->previous->next : open_) = slab->next;
    if (slab->next) slab->next->previous = slab->previous;
}

// The first slab of a program may stay nearly empty, so it takes pages as they are needed, some at
// a time: asked for in one go they cost a fifth of what they do where each waits to be touched.
void SlabPool::touch_more(Slab* slab) noexcept {
    constexpr size_t step = size_t{16} << 10;
#ifdef MADV_POPULATE_WRITE
    madvise(slab->touched, step, MADV_POPULATE_WRITE);  // an older system does without
#endif
    slab->touched += step;
}

SlabPool::Slab* SlabPool::add_slab() {
    void* memory = map_aligned();
    bool huge = slabs_ > 0;
    if (huge) madvise(memory, slab_bytes, MADV_HUGEPAGE);
    auto slab = new (memory) Slab;
    slab->touched = static_cast<std::byte*>(memory) + (huge ? slab_bytes : 0);
    for (uint32_t place = 0; place < places_; place += bits)
        slab->free[place / bits] =
            places_ - place >= bits ? ~uint64_t{0} : (uint64_t{1} << (places_ - place)) - 1;
    ++slabs_;
    ++empty_;
    put_first(slab);
    return slab;
}

void* SlabPool::allocate() {
    std::lock_guard held(*this);
    Slab* slab = open_ ? open_ : add_slab();
    if (slab->live == 0) --empty_;
    auto place = slab->take_lowest();
    if (slab->live == places_) take_out(slab);
    std::byte* object = reinterpret_cast<std::byte*>(slab) + first_place_ + place * object_size_;
    while (object + object_size_ > slab->touched) touch_more(slab);
    return object;
}

void SlabPool::free(void* object) noexcept {
    std::lock_guard held(*this);
    Slab* slab = slab_of(object);
    auto offset =
        static_cast<size_t>(static_cast<std::byte*>(object) - reinterpret_cast<std::byte*>(slab)) -
        first_place_;
    if (slab->live == places_) put_first(slab);
    slab->give_back(static_cast<uint32_t>(offset / object_size_));
    if (slab->live > 0) return;
    if (++empty_ <= most_empty) return;
    --empty_;
    --slabs_;
    take_out(slab);
    munmap(slab, slab_bytes);
}

}  // namespace croton
