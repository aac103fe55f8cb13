#pragma once
// What every vector says of its elements, from data() and size() alone.
#include <algorithm>
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
    T& operator[](size_t i) { return self().data()[i]; }
    const T& operator[](size_t i) const { return self().data()[i]; }
    T& front() { return *begin(); }
    const T& front() const { return *begin(); }
    T& back() { return end()[-1]; }
    const T& back() const { return end()[-1]; }

    friend bool operator==(const Self& a, const Self& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end());
    }

  private:
    friend Self;
    Contiguous() = default;  // by nobody but Self: self() casts
    Self& self() { return static_cast<Self&>(*this); }
    const Self& self() const { return static_cast<const Self&>(*this); }
};

}  // namespace croton
