#pragma once
// A vector of any movable type that keeps its first N elements inside itself: most lists of a
// graph (inputs of a node, its types, its outputs) have one or two entries and need no memory of
// their own.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "croton/base/contiguous.hpp"

namespace croton {

/// The interface is the part of std::vector that graphs need, with its rules for iterators; moving
/// moves elements that lie inside. At most 2^32 elements.
template <class T, size_t N>
class InlineVector : public Contiguous<InlineVector<T, N>, T> {
    using Base = Contiguous<InlineVector<T, N>, T>;

  public:
    using Base::begin;
    using Base::end;
    using size_type = size_t;
    using difference_type = std::ptrdiff_t;
    using reference = T&;
    using const_reference = const T&;

    InlineVector() noexcept {}
    explicit InlineVector(size_t count) { resize(count); }
    InlineVector(size_t count, const T& value) {
        reserve(count);
        while (size_ < count) push_back(value);
    }
    InlineVector(std::initializer_list<T> items) : InlineVector(items.begin(), items.end()) {}
    template <std::input_iterator It>
    InlineVector(It first, It last) {
        append(first, last);
    }
    InlineVector(const InlineVector& other) : InlineVector(other.begin(), other.end()) {}
    InlineVector(InlineVector&& other) noexcept { steal(other); }
    InlineVector(const std::vector<T>& items) : InlineVector(items.begin(), items.end()) {}
    /// Takes the elements of a vector.
    InlineVector(std::vector<T>&& items) {
        append(std::make_move_iterator(items.begin()), std::make_move_iterator(items.end()));
    }
    InlineVector& operator=(const InlineVector& other) {
        if (this != &other) assign(other.begin(), other.end());
        return *this;
    }
    InlineVector& operator=(InlineVector&& other) noexcept {
        if (this != &other) {
            release();
            steal(other);
        }
        return *this;
    }
    ~InlineVector() { release(); }

    size_t size() const { return size_; }
    T* data() { return on_heap() ? heap_ : inside(); }
    const T* data() const { return on_heap() ? heap_ : inside(); }
    auto rbegin() { return std::reverse_iterator(end()); }
    auto rend() { return std::reverse_iterator(begin()); }
    auto rbegin() const { return std::reverse_iterator(end()); }
    auto rend() const { return std::reverse_iterator(begin()); }

    void reserve(size_t count) {
        if (count > capacity_) grow(count);
    }
    void clear() {
        std::destroy(begin(), end());
        size_ = 0;
    }
    void pop_back() {
        std::destroy_at(data() + size_ - 1);
        --size_;
    }
    void push_back(const T& item) { emplace_back(item); }
    void push_back(T&& item) { emplace_back(std::move(item)); }
    template <class... Parts>
    T& emplace_back(Parts&&... parts) {
        if (size_ < capacity_)
            return *std::construct_at(data() + size_++, std::forward<Parts>(parts)...);
        T item(std::forward<Parts>(parts)...);  // the parts may lie in the memory that is left
        grow(2 * size_t{capacity_});
        return *std::construct_at(data() + size_++, std::move(item));
    }
    void resize(size_t count) {
        reserve(count);
        while (size_ < count) std::construct_at(data() + size_++);
        while (size_ > count) pop_back();
    }
    template <std::input_iterator It>
    void assign(It first, It last) {
        InlineVector fresh(first, last);  // the range may be part of this
        *this = std::move(fresh);
    }
    template <std::input_iterator It>
    T* insert(const T* where, It first, It last) {
        auto at = where - data();
        InlineVector added(first, last);  // the range may be part of this
        size_t before = size_;
        append(std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
        std::rotate(begin() + at, begin() + before, end());
        return begin() + at;
    }
    T* insert(const T* where, std::initializer_list<T> items) {
        return insert(where, items.begin(), items.end());
    }
    T* insert(const T* where, T item) { return insert(where, &item, &item + 1); }
    T* erase(const T* first, const T* last) {
        T* to = data() + (first - data());
        std::move(data() + (last - data()), end(), to);
        for (auto count = last - first; count > 0; --count) pop_back();
        return to;
    }
    T* erase(const T* where) { return erase(where, where + 1); }

  private:
    bool on_heap() const { return capacity_ > N; }
    T* inside() { return std::launder(reinterpret_cast<T*>(storage_)); }
    const T* inside() const { return std::launder(reinterpret_cast<const T*>(storage_)); }

    template <class It>
    void append(It first, It last) {
        if constexpr (std::forward_iterator<It>)
            reserve(size_ + static_cast<size_t>(std::distance(first, last)));
        for (; first != last; ++first) emplace_back(*first);
    }
    void grow(size_t capacity) {
        T* bigger = std::allocator<T>().allocate(capacity);
        std::uninitialized_move(begin(), end(), bigger);
        std::destroy(begin(), end());
        free_heap();
        heap_ = bigger;
        capacity_ = static_cast<uint32_t>(capacity);
    }
    void free_heap() {
        if (on_heap()) std::allocator<T>().deallocate(heap_, capacity_);
    }
    void release() {
        clear();
        free_heap();
        capacity_ = N;
    }
    // Into an empty vector without memory of its own.
    void steal(InlineVector& other) noexcept {
        if (other.on_heap()) {
            heap_ = std::exchange(other.heap_, nullptr);
            capacity_ = std::exchange(other.capacity_, static_cast<uint32_t>(N));
            size_ = std::exchange(other.size_, 0u);
            return;
        }
        std::uninitialized_move(other.begin(), other.end(), inside());
        size_ = other.size_;
        other.clear();
    }

    uint32_t size_ = 0;
    uint32_t capacity_ = N;
    union {
        alignas(T) std::byte storage_[N * sizeof(T)];
        T* heap_;
    };
};

}  // namespace croton
