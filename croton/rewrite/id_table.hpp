#pragma once
// A hash table from hashes to node numbers: open addressing, linear probing, eight bytes a place. A
// hash may stand for several numbers.
#include <cstdint>
#include <vector>

namespace croton::rewrite {

class IdTable {
  public:
    static constexpr uint32_t none = UINT32_MAX;

    /// The first number under the hash for which `accept` says yes, or none.
    template <class Accept>
    uint32_t find(uint32_t key, Accept accept) const {
        if (slots_.empty()) return none;
        for (size_t i = start(key);; i = next(i)) {
            const Slot& slot = slots_[i];
            if (slot.id == none) return none;
            if (slot.key == key && slot.id != erased && accept(slot.id)) return slot.id;
        }
    }

    void insert(uint32_t key, uint32_t id) {
        if (10 * (filled_ + 1) > 6 * slots_.size()) rehash();
        size_t i = start(key);
        while (slots_[i].id != none) i = next(i);
        slots_[i] = {key, id};
        ++filled_;
        ++size_;
    }

    /// Takes out one pair; nothing happens if it is not there.
    void erase(uint32_t key, uint32_t id) {
        if (slots_.empty()) return;
        for (size_t i = start(key); slots_[i].id != none; i = next(i))
            if (slots_[i].key == key && slots_[i].id == id) {
                slots_[i].id = erased;
                --size_;
                return;
            }
    }

  private:
    static constexpr uint32_t erased = none - 1;
    struct Slot {
        uint32_t key = 0;
        uint32_t id = none;
    };
    size_t start(uint32_t key) const { return key & (slots_.size() - 1); }
    size_t next(size_t i) const { return (i + 1) & (slots_.size() - 1); }

    void rehash() {
        size_t wanted = 64;
        while (10 * (size_ + 1) > 3 * wanted) wanted *= 2;
        std::vector<Slot> old(wanted);
        old.swap(slots_);
        filled_ = size_ = 0;
        for (const Slot& slot : old)
            if (slot.id < erased) insert(slot.key, slot.id);
    }

    std::vector<Slot> slots_;  ///< a power of two
    size_t filled_ = 0;        ///< slots that are not free: entries and erased ones
    size_t size_ = 0;
};

}  // namespace croton::rewrite
