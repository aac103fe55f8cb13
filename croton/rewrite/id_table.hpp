#pragma once
// A hash table from hashes to node numbers, eight bytes a place. A hash may stand for several
// numbers. Graphs are worked on place by place, so an entry lies where its neighbours in the graph
// lie: in the line of the caches that `near`, the number of its newest input, tells; what finds
// that line full goes where the hash says, by open addressing with double hashing.
#include <cstdint>
#include <vector>

#include "croton/base/memory.hpp"

namespace croton::rewrite {

class IdTable {
  public:
    static constexpr uint32_t none = UINT32_MAX;

    struct Key {
        uint32_t hash, near;
    };

    /// The first number under the key for which `accept` says yes, or none.
    template <class Accept>
    uint32_t find(Key key, Accept accept) const {
        if (slots_.empty()) return none;
        for (Probe at(*this, key);; at.next()) {
            const Slot& slot = slots_[at.place];
            if (slot.id == none) return none;
            if (slot.hash == key.hash && slot.id != erased && accept(slot.id)) return slot.id;
        }
    }

    /// `key_of(id)` tells the keys of what is in the table already, should it have to grow.
    template <class KeyOf>
    void insert(Key key, uint32_t id, KeyOf key_of) {
        if (10 * (filled_ + 1) > 6 * slots_.size()) rehash(key_of);
        put(key, id);
    }

    /// Takes out one pair; nothing happens if it is not there.
    void erase(Key key, uint32_t id) {
        if (slots_.empty()) return;
        for (Probe at(*this, key); slots_[at.place].id != none; at.next())
            if (slots_[at.place].hash == key.hash && slots_[at.place].id == id) {
                slots_[at.place].id = erased;
                --size_;
                return;
            }
    }

  private:
    static constexpr uint32_t erased = none - 1;
    static constexpr size_t line = 8;     ///< slots
    static constexpr uint32_t crowd = 4;  ///< neighbours that share a line
    struct Slot {
        uint32_t hash = 0;
        uint32_t id = none;
    };

    // The places of a key in the order in which they are tried. A place once taken never becomes
    // free, only erased, so the first free one ends the search. Steps are odd, so that they come to
    // every place: lines fill in long rows, in which a walk from place to place would not end soon.
    struct Probe {
        Probe(const IdTable& table, Key key)
            : mask(table.slots_.size() - 1),
              hash(key.hash),
              place(key.near / crowd * line & mask) {}
        void next() {
            if (left > 0)
                place = --left > 0 ? place + 1 : hash & mask;
            else
                place = (place + (hash >> 16 | 1)) & mask;
        }
        size_t mask;
        uint32_t hash;
        size_t place;
        size_t left = line;  ///< in the near line
    };

    void put(Key key, uint32_t id) {
        Probe at(*this, key);
        while (slots_[at.place].id < erased) at.next();
        filled_ += slots_[at.place].id == none;
        slots_[at.place] = {key.hash, id};
        ++size_;
    }

    template <class KeyOf>
    void rehash(KeyOf key_of) {
        size_t wanted = 64;
        while (10 * (size_ + 1) > 3 * wanted) wanted *= 2;
        Slots old(wanted);
        old.swap(slots_);
        filled_ = size_ = 0;
        for (const Slot& slot : old)
            if (slot.id < erased) put(key_of(slot.id), slot.id);
    }

    using Slots = std::vector<Slot, KeptMemory<Slot>>;
    Slots slots_;        ///< a power of two
    size_t filled_ = 0;  ///< slots that are not free: entries and erased ones
    size_t size_ = 0;
};

}  // namespace croton::rewrite
