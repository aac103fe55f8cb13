// Blocks of memory that come and go. What is freed is kept for a while, small blocks by the thread,
// large ones for everybody: a result of the size of the last call's costs neither malloc nor page
// faults.
#include "croton/base/memory.hpp"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "croton/base/huge_blocks.hpp"
#include "croton/base/slab_pool.hpp"

namespace croton {

namespace {
constexpr size_t tiny_block = 128, small_block = 512, large_block = 64 << 10;
constexpr size_t most_kept_bytes = 128 << 20, most_kept_blocks = 64;
// How many blocks may come after one that nobody takes: what a first call left behind goes.
constexpr uint64_t longest_unused = 256;

size_t rounded(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

// Blocks from here on are the system's own mappings: malloc would keep what is freed.
constexpr size_t mapped_block = 256 << 10;

void* mapped(size_t bytes) {
    if (bytes >= 2 * huge_page) return map_huge(bytes);
    void* memory = ::mmap(nullptr, rounded(bytes, 4096), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : memory;
}

// --- mappings of less than a few huge pages

HugeBlocks& huge_blocks();

/// Bytes of them that are there.
std::atomic<size_t> middle_bytes = 0;

void* fresh_middle(size_t bytes) {
    bool many = middle_bytes.fetch_add(bytes) >= HugeBlocks::least_bytes;
    void* memory = many ? huge_blocks().take(bytes) : mapped(bytes);
    if (!memory) middle_bytes -= bytes;
    return memory;
}

void give_up_middle(void* memory, size_t bytes) {
    middle_bytes -= bytes;
    if (!huge_blocks().give(memory, bytes)) ::munmap(memory, rounded(bytes, 4096));
}

// --- all

SlabPool& tiny_blocks();

void* fresh(size_t bytes) {
    if (bytes == tiny_block && !watched_memory) return tiny_blocks().allocate();
    if (bytes >= mapped_block && !watched_memory)
        return bytes < 2 * huge_page ? fresh_middle(bytes) : mapped(bytes);
    void* memory = nullptr;  // aligned_alloc would want a multiple of the alignment
    return ::posix_memalign(&memory, memory_line, bytes) == 0 ? memory : nullptr;
}

void give_up(void* memory, size_t bytes) {
    if (bytes == tiny_block && !watched_memory)
        tiny_blocks().free(memory);
    else if (bytes < mapped_block || watched_memory)
        std::free(memory);
    else if (bytes < 2 * huge_page)
        give_up_middle(memory, bytes);
    else
        ::munmap(memory, rounded(bytes, 4096));
}

// --- tiny blocks (scalars), side by side

// NOLINTNEXTLINE(misc-no-recursion): only within fork, when it is made
SlabPool& tiny_blocks() {
    static SlabPool& instance = *new SlabPool(tiny_block);
    static const int registered =
        ::pthread_atfork([] { tiny_blocks().lock(); }, [] { tiny_blocks().unlock(); },
                         [] { tiny_blocks().unlock(); });
    (void)registered;
    return instance;
}

// --- tiny and small blocks: a list a thread for each of the two sizes

struct Spare {
    void* blocks[32];
    int count;
};
// No destructors: arrays may die after those would have run.
thread_local Spare spare_tiny, spare_small;
thread_local bool closed;  // the thread is ending

Spare& spare_of(size_t size) { return size == tiny_block ? spare_tiny : spare_small; }

struct SpareKeeper {
    ~SpareKeeper() {
        while (spare_tiny.count > 0) tiny_blocks().free(spare_tiny.blocks[--spare_tiny.count]);
        while (spare_small.count > 0) std::free(spare_small.blocks[--spare_small.count]);
        closed = true;
    }
};

bool keep_spare(void* memory, size_t size) {
    Spare& spare = spare_of(size);
    if (closed || spare.count == 32) return false;
    thread_local SpareKeeper keeper;
    (void)keeper;
    spare.blocks[spare.count++] = memory;
    return true;
}

// --- large blocks: one pool

class Pool {
  public:
    // Of kept blocks of that size the last that came: it is in a cache, and those that nobody needs
    // grow old.
    void* take(size_t bytes) {
        std::lock_guard lock(mutex_);
        auto best = std::find_if(blocks_.rbegin(), blocks_.rend(),
                                 [&](const Block& block) { return block.bytes == bytes; });
        if (best == blocks_.rend()) return nullptr;
        void* memory = best->memory;
        kept_ -= best->bytes;
        blocks_.erase(std::next(best).base());
        return memory;
    }

    void give(void* memory, size_t bytes) {
        std::vector<Block> too_much;
        {
            std::lock_guard lock(mutex_);
            blocks_.push_back({memory, bytes, ++given_});
            kept_ += bytes;
            size_t gone = 0;
            auto too_old = [&] { return given_ - blocks_[gone].since > longest_unused; };
            auto too_many = [&] {
                return kept_ > most_kept_bytes || blocks_.size() - gone > most_kept_blocks;
            };
            for (; too_many() || too_old(); ++gone) kept_ -= blocks_[gone].bytes;
            too_much.assign(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(gone));
            blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(gone));
        }
        for (const Block& block : too_much) give_up(block.memory, block.bytes);
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
        for (const Block& block : gone) give_up(block.memory, block.bytes);
    }

    // Held across a fork, so that the child never inherits a lock whose owner it does not have.
    void lock() { mutex_.lock(); }
    void unlock() { mutex_.unlock(); }

  private:
    struct Block {
        void* memory;
        size_t bytes;
        uint64_t since;  // how many had been given when it came
    };
    std::mutex mutex_;
    std::vector<Block> blocks_;  // oldest first
    size_t kept_ = 0;
    uint64_t given_ = 0;
};

// NOLINTNEXTLINE(misc-no-recursion): only within fork, when it is made
Pool& pool() {
    static Pool& instance = *new Pool;  // arrays may outlive every static object
    static const int registered =
        ::pthread_atfork([] { pool().lock(); }, [] { pool().unlock(); }, [] { pool().unlock(); });
    (void)registered;
    return instance;
}

// NOLINTNEXTLINE(misc-no-recursion): only within fork, when they are made
HugeBlocks& huge_blocks() {
    static HugeBlocks& instance = *new HugeBlocks;
    static const int registered =
        ::pthread_atfork([] { huge_blocks().lock(); }, [] { huge_blocks().unlock(); },
                         [] { huge_blocks().unlock(); });
    (void)registered;
    return instance;
}

// --- sizes

// Large blocks have eight sizes between a power of two and the next: arrays of nearly the same size
// take each other's place. A power of two fits with the counter before it.
size_t block_size(size_t bytes) {
    if (watched_memory) return bytes;
    if (bytes <= small_block) return bytes <= tiny_block ? tiny_block : small_block;
    if (bytes < large_block) return rounded(bytes, memory_line);
    bytes -= memory_line;
    return rounded(bytes, std::bit_floor(bytes) / 8) + memory_line;
}
}  // namespace

void* take_memory(size_t bytes) {
    size_t size = block_size(bytes);
    if (!watched_memory && size <= small_block)
        if (Spare& spare = spare_of(size); spare.count > 0) return spare.blocks[--spare.count];
    void* memory = nullptr;
    if (!watched_memory && size >= large_block) memory = pool().take(size);
    return memory ? memory : fresh(size);
}

void give_memory(void* memory, size_t bytes) {
    size_t size = block_size(bytes);
    if (!watched_memory && size <= small_block && keep_spare(memory, size)) return;
    if (!watched_memory && size >= large_block && size <= most_kept_bytes)
        return pool().give(memory, size);
    give_up(memory, size);
}

void drop_kept_memory() { pool().shrink(SIZE_MAX); }

void* take_lasting_memory(size_t bytes) {
    if (bytes < mapped_block || watched_memory) return take_memory(bytes);
    pool().shrink(bytes);
    return fresh(bytes);
}

void give_lasting_memory(void* memory, size_t bytes) {
    if (bytes < mapped_block || watched_memory) return give_memory(memory, bytes);
    give_up(memory, bytes);
}

}  // namespace croton
