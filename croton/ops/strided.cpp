#include "croton/ops/strided.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

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
T read(const char* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

constexpr int64_t cache_line = 64;

// As many elements as make a cache line.
template <class T>
constexpr int64_t block = std::max<int64_t>(1, cache_line / static_cast<int64_t>(sizeof(T)));

// In vectors of the compiler's, which stay in registers: arrays that it may make vectors of went
// through memory, three times as long.
template <class T>
void add_block(char* __restrict to, const char* __restrict from) {
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
        using Item = typename std::conditional_t<std::is_integral_v<T>, std::make_unsigned<T>,
                                                 std::type_identity<T>>::type;
        typedef Item Line __attribute__((vector_size(cache_line)));
        Line sums, terms;
        std::memcpy(&sums, to, sizeof sums);
        std::memcpy(&terms, from, sizeof terms);
        sums += terms;
        std::memcpy(to, &sums, sizeof sums);
    } else {
        T sums[block<T>], terms[block<T>];
        std::memcpy(sums, to, sizeof sums);
        std::memcpy(terms, from, sizeof terms);
        for (int64_t i = 0; i < block<T>; ++i) sums[i] = plus(sums[i], terms[i]);
        std::memcpy(to, sums, sizeof sums);
    }
}

template <class T>
void write_row(char* __restrict to, int64_t to_step, const char* __restrict from, int64_t from_step,
               int64_t count, Write mode) {
    constexpr int64_t size = sizeof(T);
    bool dense = to_step == size && from_step == size;
    if (mode == Write::Set && dense) {
        std::memcpy(to, from, static_cast<size_t>(count * size));
        return;
    }
    if (dense)
        for (; count >= block<T>; count -= block<T>) {
            add_block<T>(to, from);
            to += block<T> * size;
            from += block<T> * size;
        }
    for (int64_t i = 0; i < count; ++i, to += to_step, from += from_step) {
        T value = read<T>(from);
        if (mode == Write::Add) value = plus(read<T>(to), value);
        std::memcpy(to, &value, sizeof value);
    }
}

// Calls use(first, last, from) for one stretch of rows after the other, `from` being row `first`.
template <class Use>
void in_stretches(Written what, size_t count, const Use& use) {
    if (!what.source) return use(0, count, static_cast<const char*>(what.data));
    const auto most = static_cast<size_t>(what.source->most());
    for (size_t first = 0; first < count; first += most) {
        size_t last = std::min(first + most, count);
        use(first, last,
            what.source->rows(static_cast<int64_t>(first), static_cast<int64_t>(last)));
    }
}

constexpr int64_t most_private = 4096;  // bytes

// Whether many elements are added to few: each then waits for the one before it in the same place.
bool crowded(size_t places, int64_t reach, int64_t size) {
    return reach > 0 && reach <= most_private && places >= 64 &&
           static_cast<int64_t>(places) >= 4 * (reach / size);
}

// Four quarters side by side, three of them into sums of their own, which are added last.
template <class T, class Place>
void add_crowd(char* to, size_t places, const Place& place, const char* from, int64_t from_step,
               int64_t reach) {
    constexpr size_t streams = 4, most = most_private / sizeof(T);
    // -0.0 leaves every number as it is, 0.0 does not.
    constexpr T nothing = std::is_floating_point_v<T> ? static_cast<T>(-0.0) : T();
    alignas(cache_line) T sums[streams - 1][most];
    size_t count = static_cast<size_t>(reach) / sizeof(T), quarter = places / streams;
    for (auto& own : sums) std::fill_n(own, count, nothing);
    auto own = [&](size_t k) { return reinterpret_cast<char*>(sums[k - 1]); };
    auto add = [&](char* base, size_t n, const char* term) {
        char* at = base + place(n);
        T sum = plus(read<T>(at), read<T>(term));
        std::memcpy(at, &sum, sizeof sum);
    };
    int64_t next = static_cast<int64_t>(quarter) * from_step;
    for (size_t n = 0; n < quarter; ++n, from += from_step) {
        add(to, n, from);
        add(own(1), n + quarter, from + next);
        add(own(2), n + 2 * quarter, from + 2 * next);
        add(own(3), n + 3 * quarter, from + 3 * next);
    }
    from += 3 * next;
    for (size_t n = streams * quarter; n < places; ++n, from += from_step) add(to, n, from);
    for (size_t i = 0; i < count; ++i) {
        T total = plus(plus(read<T>(to + i * sizeof(T)), sums[0][i]), plus(sums[1][i], sums[2][i]));
        std::memcpy(to + i * sizeof(T), &total, sizeof total);
    }
}

// Parts of one element: the steps are all there is to do.
template <class T, class Place>
void write_points(char* to, size_t places, const Place place, Written from, int64_t from_step,
                  Write mode, int64_t reach) {
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
        if (mode == Write::Add && !from.source && crowded(places, reach, sizeof(T)))
            return add_crowd<T>(to, places, place, static_cast<const char*>(from.data), from_step,
                                reach);
    // By value: what is written might else be what tells the places.
    in_stretches(from, places, [=](size_t n, size_t end, const char* term) {
        const Place own = place;
        char* const first = to;
        for (const int64_t step = from_step; n < end; ++n, term += step) {
            char* at = first + own(n);
            T value = read<T>(term);
            if (mode == Write::Add) value = plus(read<T>(at), value);
            std::memcpy(at, &value, sizeof value);
        }
    });
}
}  // namespace

namespace {
// A part of an array and what is written into it, as a row of elements under outer loops; axes of
// one element are left out and neighbours that both sides walk through as through one are merged.
struct Rows {
    Sizes outer, to_outer, from_outer;
    int64_t count = 1, to_step = 0, from_step = 0;

    Rows(const Sizes& shape, const Sizes& to, const Sizes& from) {
        Sizes sizes, to_strides, from_strides;
        for (size_t i = 0; i < shape.size(); ++i) {
            if (shape[i] == 1) continue;
            if (!sizes.empty() && to_strides.back() == to[i] * shape[i] &&
                from_strides.back() == from[i] * shape[i]) {
                sizes.back() *= shape[i];
                to_strides.back() = to[i];
                from_strides.back() = from[i];
                continue;
            }
            sizes.push_back(shape[i]);
            to_strides.push_back(to[i]);
            from_strides.push_back(from[i]);
        }
        if (!sizes.empty()) {
            count = sizes.back();
            to_step = to_strides.back();
            from_step = from_strides.back();
            sizes.pop_back();
        }
        outer = std::move(sizes);
        to_outer = std::move(to_strides);
        from_outer = std::move(from_strides);
    }

    template <class T>
    void write(char* to, const char* from, Write mode) const {
        if (outer.empty()) return write_row<T>(to, to_step, from, from_step, count, mode);
        Walk<2> walk(outer, {&to_outer, &from_outer});
        do
            write_row<T>(to + walk.offsets[0], to_step, from + walk.offsets[1], from_step, count,
                         mode);
        while (walk.next());
    }
};

// Byte offset of each element in C order.
std::vector<int64_t> offsets_of(const Sizes& shape, const Sizes& strides) {
    std::vector<int64_t> result;
    result.reserve(static_cast<size_t>(element_count(shape)));
    Walk<1> walk(shape, {&strides});
    do result.push_back(walk.offsets[0]);
    while (walk.next());
    return result;
}
}  // namespace

void write_elements(const TensorRef& to, const void* from, const Sizes& from_strides, Write mode) {
    if (element_count(to.shape) == 0) return;
    Rows rows(to.shape, to.strides, from_strides);
    visit_dtype(to.dtype, [&](auto tag) {
        rows.write<decltype(tag)>(static_cast<char*>(to.data), static_cast<const char*>(from),
                                  mode);
    });
}

void write_parts(const TensorRef& part, std::span<const int64_t> places, Written from,
                 const Sizes& shape, const Sizes& along, const Sizes& across, Write mode,
                 int64_t reach) {
    if (places.empty() || element_count(part.shape) == 0) return;
    auto to = static_cast<char*>(part.data);
    Rows rows(part.shape, part.strides, across), steps(shape, along, along);
    std::vector<int64_t> offsets;
    if (!steps.outer.empty()) offsets = offsets_of(shape, along);
    visit_dtype(part.dtype, [&](auto tag) {
        using T = decltype(tag);
        if (rows.count == 1 && offsets.empty())
            return write_points<T>(
                to, places.size(), [places](size_t n) { return places[n]; }, from, steps.from_step,
                mode, reach);
        int64_t bytes = std::min<int64_t>(rows.count * rows.to_step, 8 * cache_line);
        in_stretches(from, places.size(), [&](size_t first, size_t last, const char* source) {
            for (size_t n = first; n < last; ++n) {
                // Rows lie anywhere: the memory of a later one is asked for while this one is
                // written.
                if (n + 4 < places.size())
                    for (int64_t b = 0; b < bytes; b += cache_line)
                        __builtin_prefetch(to + places[n + 4] + b, 1);
                int64_t offset = offsets.empty() ? static_cast<int64_t>(n - first) * steps.from_step
                                                 : offsets[n];
                rows.write<T>(to + places[n], source + offset, mode);
            }
        });
    });
}

void add_elements_at(const TensorRef& to, const TensorRef& index, Written from, int64_t from_step) {
    int64_t size = to.shape[0], index_step = index.strides[0];
    auto first = static_cast<const char*>(index.data);
    auto add = [&]<class T, class I>(T, I) {
        auto place = [=](size_t n) {
            auto given =
                static_cast<int64_t>(read<I>(first + static_cast<int64_t>(n) * index_step));
            int64_t at = given < 0 ? given + size : given;
            if (static_cast<uint64_t>(at) >= static_cast<uint64_t>(size))
                fail_out_of_bounds(given, 0, size);
            return at * static_cast<int64_t>(sizeof(T));
        };
        write_points<T>(static_cast<char*>(to.data), static_cast<size_t>(index.shape[0]), place,
                        from, from_step, Write::Add, size * static_cast<int64_t>(sizeof(T)));
    };
    visit_dtype(to.dtype, [&](auto element) {
        if (index.dtype == DType::Int64)
            add(element, int64_t());
        else
            add(element, int32_t());
    });
}

void fail_out_of_bounds(int64_t index, size_t axis, int64_t size) {
    fail(ErrorKind::Index, "index ", index, " is out of bounds for axis ", axis, " of size ", size);
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
