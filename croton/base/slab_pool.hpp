#pragma once
// Memory for very many small objects of one size that come and go in crowds, as the nodes of graphs
// do. General allocators scatter them over small pages; a walk over a hundred thousand then waits
// for translations of addresses as often as for the objects. Here they lie side by side in slabs on
// huge pages, and the lowest free place is given first: a graph built after another has died lies
// in the order in which it was built again.
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace croton {

/// Safe from several threads, and in a process that forks. Slabs that become empty go back to the
/// system, but for a few.
class SlabPool {
  public:
    /// 64 to 4096 bytes, a multiple of 64 (a line of the caches).
    explicit SlabPool(size_t object_size);
    ~SlabPool();
    SlabPool(const SlabPool&) = delete;
    SlabPool& operator=(const SlabPool&) = delete;

    /// Uninitialised, at a multiple of 64. std::bad_alloc if the system has no memory.
    void* allocate();
    /// Gives back what this pool allocated.
    void free(void* object) noexcept;

    size_t object_size() const { return object_size_; }
    /// Objects that fit one slab.
    size_t objects_a_slab() const { return places_; }
    size_t slab_count() const { return slabs_; }  ///< held now, empty ones included
    static constexpr size_t slab_bytes = size_t{2} << 20;
    static constexpr size_t most_empty = 8;  ///< slabs kept for what comes next

    /// For fork(): nobody is inside while the process is copied.
    void lock() noexcept;
    void unlock() noexcept { busy_.clear(std::memory_order_release); }

  private:
    struct Slab;
    Slab* add_slab();
    void put_first(Slab* slab) noexcept;
    void take_out(Slab* slab) noexcept;
    static void touch_more(Slab* slab) noexcept;
    static Slab* slab_of(void* object) noexcept;

    size_t object_size_, first_place_ = 0;
    uint32_t places_ = 0;
    Slab* open_ = nullptr;  ///< those with a free place, in a list
    size_t slabs_ = 0, empty_ = 0;
    std::atomic_flag busy_;
};

}  // namespace croton
