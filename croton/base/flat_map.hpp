#pragma once
// Hash tables without memory an entry: open addressing, linear probing. For keys with a null value
// (pointers and the like), which may not be stored. Entries cannot be taken out or walked through:
// a walk would follow addresses and differ from run to run.
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "croton/base/hash.hpp"

namespace croton {

/// Hash of a key of flat tables: pointers here; other keys bring a `uint64_t flat_hash() const`.
template <class Key>
uint64_t flat_hash(const Key& key) {
    if constexpr (std::is_pointer_v<Key>)
        return mix(reinterpret_cast<uintptr_t>(key));
    else
        return key.flat_hash();
}

template <class Key, class T>
class FlatMap {
  public:
    FlatMap() = default;
    /// Room for so many entries without growing.
    explicit FlatMap(size_t expected) { grow(expected); }

    size_t size() const { return size_; }
    bool contains(const Key& key) const { return find(key) != nullptr; }

    /// The value under the key, or null. Good until the next insertion.
    const T* find(const Key& key) const {
        if (slots_.empty()) return nullptr;
        const Slot& slot = slots_[place(key)];
        return slot.first == Key{} ? nullptr : &slot.second;
    }
    T* find(const Key& key) { return const_cast<T*>(std::as_const(*this).find(key)); }

    /// Adds an entry; if the key is there already, nothing changes and the result is false.
    bool insert(const Key& key, T value) {
        if (2 * (size_ + 1) > slots_.size()) grow(2 * size_ + 8);
        Slot& slot = slots_[place(key)];
        if (!(slot.first == Key{})) return false;
        slot.first = key;
        slot.second = std::move(value);
        ++size_;
        return true;
    }

    /// The value under the key, made if it is not there.
    T& operator[](const Key& key) {
        if (T* found = find(key)) return *found;
        insert(key, T{});
        return *find(key);
    }

  private:
    struct Slot {
        Key first{};
        [[no_unique_address]] T second{};  // sets have keys only
    };

    size_t place(const Key& key) const {
        size_t i = flat_hash(key) & (slots_.size() - 1);
        while (!(slots_[i].first == Key{}) && !(slots_[i].first == key))
            i = (i + 1) & (slots_.size() - 1);
        return i;
    }

    void grow(size_t entries) {
        size_t wanted = 16;
        while (wanted < 2 * entries) wanted *= 2;
        std::vector<Slot> old(wanted);
        old.swap(slots_);
        for (Slot& slot : old)
            if (!(slot.first == Key{})) slots_[place(slot.first)] = std::move(slot);
    }

    std::vector<Slot> slots_;  // a power of two
    size_t size_ = 0;
};

template <class Key>
class FlatSet {
  public:
    /// Whether the key is new.
    bool insert(const Key& key) { return map_.insert(key, Nothing{}); }
    bool contains(const Key& key) const { return map_.contains(key); }
    size_t size() const { return map_.size(); }

  private:
    struct Nothing {};
    FlatMap<Key, Nothing> map_;
};

}  // namespace croton
