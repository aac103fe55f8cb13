// Blocks of memory that come and go. What is freed is kept for a while, small blocks by the thread,
// large ones for everybody: a result of the size of the last call's costs neither malloc nor page
// faults.
#include "croton/base/memory.hpp"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <vector>

namespace croton {

namespace {
constexpr size_t small_block = 512, large_block = 64 << 10, huge_page = 2 << 20;
constexpr size_t most_kept_bytes = 128 << 20, most_kept_blocks = 64;

size_t rounded(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

void* fresh(size_t bytes) {
    bool huge = bytes >= 2 * huge_page;
    void* memory = nullptr;  // aligned_alloc would want a multiple of the alignment
    if (::posix_memalign(&memory, huge ? huge_page : memory_line, bytes) != 0) return nullptr;
    if (huge) ::madvise(memory, bytes, MADV_HUGEPAGE);  // fewer faults, if it may
    return memory;
}

// --- small blocks: a list a thread, all of one size

struct Spare {
    void* blocks[32];
    int count;
    bool closed;  // the thread is ending
};
thread_local Spare spare;  // no destructor: arrays may die after it would have run

struct SpareKeeper {
    ~SpareKeeper() {
        while (spare.count > 0) std::free(spare.blocks[--spare.count]);
        spare.closed = true;
    }
};

bool keep_spare(void* memory) {
    if (watched_memory || spare.closed || spare.count == 32) return false;
    thread_local SpareKeeper keeper;
    (void)keeper;
    spare.blocks[spare.count++] = memory;
    return true;
}

// --- large blocks: one pool

class Pool {
  public:
    // The kept block that fits best, if it is not much too large.
    void* take(size_t bytes) {
        std::lock_guard lock(mutex_);
        auto best = blocks_.end();
        for (auto at = blocks_.begin(); at != blocks_.end(); ++at)
            if (at->bytes >= bytes && at->bytes <= bytes + bytes / 8 &&
                (best == blocks_.end() || at->bytes < best->bytes))
                best = at;
        if (best == blocks_.end()) return nullptr;
        void* memory = best->memory;
        kept_ -= best->bytes;
        blocks_.erase(best);
        return memory;
    }

    void give(void* memory, size_t bytes) {
        std::vector<Block> too_much;
        {
            std::lock_guard lock(mutex_);
            blocks_.push_back({memory, bytes});
            kept_ += bytes;
            size_t gone = 0;
            for (; kept_ > most_kept_bytes || blocks_.size() - gone > most_kept_blocks; ++gone)
                kept_ -= blocks_[gone].bytes;
            too_much.assign(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(gone));
            blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(gone));
        }
        for (const Block& block : too_much) std::free(block.memory);
    }

    // Frees the oldest blocks, of so many bytes or all there are.
    void shrink(size_t bytes) {
        std::vector<Block> gone;
        {
            std::lock_guard lock(mutex_);
            size_t freed = 0, count = 0;
            while (count < blocks_.size() && freed < bytes) freed += blocks_[count++].bytes;
            auto end = blocks_.begin() + static_cast<std::ptrdiff_t>(count);
            gone.assign(blocks_.begin(), end);
            blocks_.erase(blocks_.begin(), end);
            kept_ -= freed;
        }
        for (const Block& block : gone) std::free(block.memory);
    }

    // Held across a fork, so that the child never inherits a lock whose owner it does not have.
    void lock() { mutex_.lock(); }
    void unlock() { mutex_.unlock(); }

  private:
    struct Block {
        void* memory;
        size_t bytes;
    };
    std::mutex mutex_;
    std::vector<Block> blocks_;  // oldest first
    size_t kept_ = 0;
};

// NOLINTNEXTLINE(misc-no-recursion): only within fork, when it is made
Pool& pool() {
    static Pool& instance = *new Pool;  // arrays may outlive every static object
    static const int registered =
        ::pthread_atfork([] { pool().lock(); }, [] { pool().unlock(); }, [] { pool().unlock(); });
    (void)registered;
    return instance;
}

// --- both

size_t block_size(size_t bytes) {
    if (bytes <= small_block) return small_block;
    return rounded(bytes, bytes < large_block ? memory_line : 4096);
}
constexpr size_t mapped_block = 256 << 10;

void* mapped(size_t bytes) {
    size_t size = rounded(bytes, 4096);
    void* memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    if (size >= 2 * huge_page) ::madvise(memory, size, MADV_HUGEPAGE);
    return memory;
}
}  // namespace

void* take_memory(size_t bytes) {
    size_t size = block_size(bytes);
    if (size == small_block && spare.count > 0) return spare.blocks[--spare.count];
    void* memory = nullptr;
    if (!watched_memory && size >= large_block) memory = pool().take(size);
    return memory ? memory : fresh(size);
}

void give_memory(void* memory, size_t bytes) {
    size_t size = block_size(bytes);
    if (size == small_block && keep_spare(memory)) return;
    if (!watched_memory && size >= large_block && size <= most_kept_bytes)
        return pool().give(memory, size);
    std::free(memory);
}

void* take_lasting_memory(size_t bytes) {
    if (bytes < mapped_block || watched_memory) return take_memory(bytes);
    pool().shrink(bytes);
    return mapped(bytes);
}

void give_lasting_memory(void* memory, size_t bytes) {
    if (bytes < mapped_block || watched_memory) return give_memory(memory, bytes);
    ::munmap(memory, rounded(bytes, 4096));
}

}  // namespace croton
