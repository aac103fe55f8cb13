#pragma once
// A vector that keeps its first N elements inside itself: shapes and strides rarely need more.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "croton/base/contiguous.hpp"

namespace croton {

/// Trivially copyable elements only, at most 2^32; the interface is the part of std::vector that
/// shapes need.
template <class T, size_t N>
class SmallVector : public Contiguous<SmallVector<T, N>, T> {
    static_assert(std::is_trivially_copyable_v<T>);
    using Base = Contiguous<SmallVector<T, N>, T>;

  public:
    using Base::begin;
    using Base::end;

    SmallVector() noexcept {}
    explicit SmallVector(size_t count, T value = {}) { resize(count, value); }
    SmallVector(std::initializer_list<T> items) : SmallVector(items.begin(), items.end()) {}
    template <std::input_iterator It>
    SmallVector(It first, It last) {
        append(first, last);
    }
    SmallVector(std::span<const T> items) : SmallVector(items.begin(), items.end()) {}
    SmallVector(const std::vector<T>& items) : SmallVector(items.begin(), items.end()) {}
    SmallVector(const SmallVector& other) {
        if (other.on_heap())
            append(other.begin(), other.end());
        else
            copy_inside(other);
    }
    SmallVector(SmallVector&& other) noexcept { steal(other); }
    SmallVector& operator=(const SmallVector& other) {
        if (this == &other) return *this;
        if (on_heap() || other.on_heap())
            assign(other.begin(), other.end());
        else
            copy_inside(other);
        return *this;
    }
    SmallVector& operator=(SmallVector&& other) noexcept {
        if (this != &other) {
            release();
            steal(other);
        }
        return *this;
    }
    ~SmallVector() { release(); }

    size_t size() const { return size_; }
    T* data() { return on_heap() ? heap_ : inside(); }
    const T* data() const { return on_heap() ? heap_ : inside(); }
    void clear() { size_ = 0; }
    void pop_back() { --size_; }
    void push_back(T item) {
        if (size_ == capacity_) grow(2 * size_t{capacity_});
        data()[size_++] = item;
    }
    void resize(size_t count, T value = {}) {
        if (count > capacity_) grow(count);
        std::fill(data() + std::min<size_t>(size_, count), data() + count, value);
        size_ = static_cast<uint32_t>(count);
    }
    template <std::input_iterator It>
    void assign(It first, It last) {
        clear();
        append(first, last);
    }
    void insert(const T* where, T item) {
        auto at = where - data();
        push_back(item);
        std::rotate(begin() + at, end() - 1, end());
    }
    void erase(const T* where) {
        T* to = data() + (where - data());
        std::copy(to + 1, end(), to);
        --size_;
    }
    operator std::span<const T>() const { return {data(), size_}; }

  private:
    bool on_heap() const { return capacity_ > N; }
    T* inside() { return reinterpret_cast<T*>(storage_); }
    const T* inside() const { return reinterpret_cast<const T*>(storage_); }

    template <class It>
    void append(It first, It last) {
        for (; first != last; ++first) push_back(*first);
    }
    void grow(size_t capacity) {
        T* bigger = new T[capacity];
        std::copy(begin(), end(), bigger);
        release();
        heap_ = bigger;
        capacity_ = static_cast<uint32_t>(capacity);
    }
    void release() {
        if (on_heap()) delete[] heap_;
        capacity_ = N;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
    // All N places at once, used or not: a few moves instead of a loop.
    void copy_inside(const SmallVector& other) noexcept {
        std::memcpy(storage_, other.storage_, sizeof storage_);
        size_ = other.size_;
    }
#pragma GCC diagnostic pop
    void steal(SmallVector& other) noexcept {
        if (other.on_heap()) {
            heap_ = other.heap_;
            size_ = other.size_;
            capacity_ = other.capacity_;
            other.capacity_ = N;
        } else {
            copy_inside(other);
        }
        other.size_ = 0;
    }

    union {
        alignas(T) std::byte storage_[N * sizeof(T)];
        T* heap_;
    };
    uint32_t size_ = 0;
    uint32_t capacity_ = N;
};

/// Sizes, strides or axes of an array. Strides are in bytes, as in NumPy.
using Sizes = SmallVector<int64_t, 6>;

}  // namespace croton
