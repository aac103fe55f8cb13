#pragma once
// What every vector says of its elements, from data() and size() alone.
#include <algorithm>
#include <cassert>
#include <cstddef>

namespace croton {

/// Base of a vector `Self` of `T`, which brings data() and size().
template <class Self, class T>
class Contiguous {
  public:
    using value_type = T;
    using iterator = T*;
    using const_iterator = const T*;

    bool empty() const { return self().size() == 0; }
    T* begin() { return self().data(); }
    T* end() { return self().data() + self().size(); }
    const T* begin() const { return self().data(); }
    const T* end() const { return self().data() + self().size(); }
    T& operator[](size_t i) { return begin()[checked(i)]; }
    const T& operator[](size_t i) const { return begin()[checked(i)]; }
    T& front() { return (*this)[0]; }
    const T& front() const { return (*this)[0]; }
    T& back() { return (*this)[self().size() - 1]; }
    const T& back() const { return (*this)[self().size() - 1]; }

    friend bool operator==(const Self& a, const Self& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end());
    }

  private:
    friend Self;
    size_t checked(size_t i) const {
        assert(i < static_cast<size_t>(self().size()));
        return i;
    }
    Contiguous() = default;  // by nobody but Self: self() casts
    Self& self() { return static_cast<Self&>(*this); }
    const Self& self() const { return static_cast<const Self&>(*this); }
};

}  // namespace croton
