#include "croton/ops/strided.hpp"

#include <cstring>

namespace croton {

namespace {
template <class T>
T plus(T x, T y) {
    if constexpr (std::is_same_v<T, bool>)
        return x || y;
    else if constexpr (detail::is_half_type<T>)
        return T(static_cast<float>(x) + static_cast<float>(y));
    else if constexpr (std::is_integral_v<T>)
        return static_cast<T>(static_cast<std::make_unsigned_t<T>>(x) +
                              static_cast<std::make_unsigned_t<T>>(y));
    else
        return x + y;
}

template <class T>
void write_row(char* to, int64_t to_step, const char* from, int64_t from_step, int64_t count,
               Write mode) {
    constexpr int64_t size = sizeof(T);
    if (mode == Write::Set && to_step == size && from_step == size) {
        std::memmove(to, from, static_cast<size_t>(count * size));
        return;
    }
    for (int64_t i = 0; i < count; ++i, to += to_step, from += from_step) {
        T value;
        std::memcpy(&value, from, sizeof value);
        if (mode == Write::Add) {
            T old;
            std::memcpy(&old, to, sizeof old);
            value = plus(old, value);
        }
        std::memcpy(to, &value, sizeof value);
    }
}
}  // namespace

void write_elements(const TensorRef& to, const void* from, const Sizes& from_strides, Write mode) {
    if (element_count(to.shape) == 0) return;
    Sizes outer = to.shape;
    int64_t count = 1, to_step = 0, from_step = 0;
    if (!outer.empty()) {
        count = outer.back();
        to_step = to.strides.back();
        from_step = from_strides.back();
        outer.pop_back();
    }
    auto into = static_cast<char*>(to.data);
    auto source = static_cast<const char*>(from);
    visit_dtype(to.dtype, [&](auto tag) {
        Walk<2> walk(outer, {&to.strides, &from_strides});
        do
            write_row<decltype(tag)>(into + walk.offsets[0], to_step, source + walk.offsets[1],
                                     from_step, count, mode);
        while (walk.next());
    });
}

void copy_elements(const TensorRef& to, const TensorRef& x) {
    Array target = Array::view(to.dtype, to.shape, to.strides, to.data, nullptr);
    Array source = Array::view(x.dtype, x.shape, x.strides, x.data, nullptr);
    if (target.contiguous() && source.contiguous()) {
        if (target.size() > 0) std::memmove(to.data, x.data, static_cast<size_t>(target.nbytes()));
        return;
    }
    write_elements(to, x.data, x.strides, Write::Set);
}

Sizes broadcast_strides(const TensorRef& x, const Sizes& shape, std::string_view what) {
    Sizes strides(shape.size(), 0);
    bool fits = x.shape.size() <= shape.size();
    for (size_t i = 0; fits && i < x.shape.size(); ++i) {
        size_t axis = shape.size() - x.shape.size() + i;
        if (x.shape[i] == shape[axis])
            strides[axis] = x.strides[i];
        else
            fits = x.shape[i] == 1;
    }
    if (!fits)
        fail(ErrorKind::Shape, what, ": a value of shape ", shape_text(x.shape),
             " does not broadcast to ", shape_text(shape));
    return strides;
}

}  // namespace croton
