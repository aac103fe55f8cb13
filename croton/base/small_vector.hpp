#pragma once
// A vector that keeps its first N elements inside itself: shapes and strides rarely need more.
#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

namespace croton {

/// Trivially copyable elements only; the interface is the part of std::vector that shapes need.
template <class T, size_t N>
class SmallVector {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    using value_type = T;
    using iterator = T*;
    using const_iterator = const T*;

    SmallVector() = default;
    explicit SmallVector(size_t count, T value = {}) { resize(count, value); }
    SmallVector(std::initializer_list<T> items) : SmallVector(items.begin(), items.end()) {}
    template <std::input_iterator It>
    SmallVector(It first, It last) {
        for (; first != last; ++first) push_back(*first);
    }
    SmallVector(std::span<const T> items) : SmallVector(items.begin(), items.end()) {}
    SmallVector(const std::vector<T>& items) : SmallVector(items.begin(), items.end()) {}
    SmallVector(const SmallVector& other) : SmallVector(other.begin(), other.end()) {}
    SmallVector(SmallVector&& other) noexcept { steal(other); }
    SmallVector& operator=(const SmallVector& other) {
        if (this != &other) assign(other.begin(), other.end());
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
    bool empty() const { return size_ == 0; }
    T* data() { return data_; }
    const T* data() const { return data_; }
    T* begin() { return data_; }
    T* end() { return data_ + size_; }
    const T* begin() const { return data_; }
    const T* end() const { return data_ + size_; }
    T& operator[](size_t i) { return data_[i]; }
    const T& operator[](size_t i) const { return data_[i]; }
    T& front() { return data_[0]; }
    const T& front() const { return data_[0]; }
    T& back() { return data_[size_ - 1]; }
    const T& back() const { return data_[size_ - 1]; }
    void clear() { size_ = 0; }
    void pop_back() { --size_; }
    void push_back(T item) {
        if (size_ == capacity_) grow(2 * capacity_);
        data_[size_++] = item;
    }
    void resize(size_t count, T value = {}) {
        if (count > capacity_) grow(count);
        for (size_t i = size_; i < count; ++i) data_[i] = value;
        size_ = count;
    }
    template <std::input_iterator It>
    void assign(It first, It last) {
        clear();
        for (; first != last; ++first) push_back(*first);
    }
    void insert(const T* where, T item) {
        size_t at = static_cast<size_t>(where - data_);
        push_back(item);
        std::rotate(data_ + at, data_ + size_ - 1, data_ + size_);
    }
    void erase(const T* where) {
        std::copy(data_ + (where - data_) + 1, data_ + size_, data_ + (where - data_));
        --size_;
    }
    operator std::span<const T>() const { return {data_, size_}; }
    friend bool operator==(const SmallVector& a, const SmallVector& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end());
    }

  private:
    void grow(size_t capacity) {
        T* bigger = new T[capacity];
        std::copy(data_, data_ + size_, bigger);
        release();
        data_ = bigger;
        capacity_ = capacity;
    }
    void release() {
        if (data_ != inline_) delete[] data_;
        data_ = inline_;
        capacity_ = N;
    }
    void steal(SmallVector& other) {
        if (other.data_ == other.inline_) {
            std::copy(other.begin(), other.end(), inline_);
        } else {
            data_ = other.data_;
            capacity_ = other.capacity_;
            other.data_ = other.inline_;
            other.capacity_ = N;
        }
        size_ = other.size_;
        other.size_ = 0;
    }

    T inline_[N] = {};
    T* data_ = inline_;
    size_t size_ = 0;
    size_t capacity_ = N;
};

/// Sizes, strides or axes of an array. Strides are in bytes, as in NumPy.
using Sizes = SmallVector<int64_t, 6>;

}  // namespace croton
