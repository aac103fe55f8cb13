#include "croton/type/array.hpp"

#include <limits>

#include "croton/type/strided_copy.hpp"

namespace croton {

Extent extent_of(const Array& array) {
    auto begin = static_cast<const char*>(array.data());
    if (array.size() == 0) return {begin, begin};
    const char* end = begin + dtype_size(array.dtype());
    for (int axis = 0; axis < array.rank(); ++axis) {
        int64_t way = (array.shape(axis) - 1) * array.strides()[static_cast<size_t>(axis)];
        (way < 0 ? begin : end) += way;
    }
    return {begin, end};
}

Sizes contiguous_strides(const Sizes& shape, int item_size) {
    Sizes strides(shape.size(), 0);
    int64_t step = item_size;
    for (size_t i = shape.size(); i-- > 0;) {
        strides[i] = step;
        step *= shape[i];
    }
    return strides;
}

int64_t element_count(std::span<const int64_t> shape) {
    int64_t count = 1;
    for (int64_t size : shape) {
        if (size == 0) return 0;
        if (__builtin_mul_overflow(count, size, &count))
            count = std::numeric_limits<int64_t>::max();
    }
    return count;
}

int64_t byte_count(DType dtype, std::span<const int64_t> shape) {
    for (int64_t size : shape)
        if (size < 0)
            fail(ErrorKind::Value, "an array cannot have the negative size ", size, ": shape ",
                 shape_text(shape));
    int64_t bytes = 0;
    if (__builtin_mul_overflow(element_count(shape), int64_t{dtype_size(dtype)}, &bytes))
        fail(ErrorKind::Device, "out of memory: an array of shape ", shape_text(shape), " of ",
             dtype_name(dtype), " has more bytes than can be counted");
    return bytes;
}

void for_each_offset(const Sizes& shape, std::span<const Sizes> strides,
                     const std::function<void(std::span<const int64_t>)>& visit) {
    int64_t count = element_count(shape);
    Sizes index(shape.size(), 0);
    Sizes offsets(strides.size(), 0);
    for (int64_t n = 0; n < count; ++n) {
        visit(offsets);
        for (size_t axis = shape.size(); axis-- > 0;) {
            ++index[axis];
            for (size_t k = 0; k < strides.size(); ++k) offsets[k] += strides[k][axis];
            if (index[axis] < shape[axis]) break;
            for (size_t k = 0; k < strides.size(); ++k)
                offsets[k] -= strides[k][axis] * shape[axis];
            index[axis] = 0;
        }
    }
}

Array::Array() {
    // One for all: it has no elements that could be told apart.
    static const Array& nothing = *new Array(empty(DType::Float64, {0}));
    *this = nothing;
}

Array Array::empty(DType dtype, Sizes shape) {
    for (int64_t size : shape)
        if (size < 0) fail(ErrorKind::Value, "negative size in shape ", shape_text(shape));
    auto memory = allocate_aligned(static_cast<size_t>(byte_count(dtype, shape)));
    Sizes strides = contiguous_strides(shape, dtype_size(dtype));
    return view(dtype, std::move(shape), std::move(strides), memory.get(), memory);
}

Array Array::zeros(DType dtype, Sizes shape) {
    Array result = empty(dtype, std::move(shape));
    std::memset(result.data(), 0, static_cast<size_t>(result.nbytes()));
    return result;
}

Array Array::view(DType dtype, Sizes shape, Sizes strides, void* data,
                  std::shared_ptr<const void> owner) {
    Array result{Bare{}};
    result.dtype_ = dtype;
    result.shape_ = std::move(shape);
    result.strides_ = std::move(strides);
    result.data_ = data;
    result.owner_ = std::move(owner);
    return result;
}

int64_t Array::size() const { return element_count(shape_); }

bool Array::contiguous() const {
    int64_t step = dtype_size(dtype_);
    for (size_t i = shape_.size(); i-- > 0;) {
        if (shape_[i] != 1 && strides_[i] != step) return size() == 0;
        step *= shape_[i];
    }
    return true;
}

TensorType Array::type() const {
    TensorType type{dtype_, {}};
    for (int64_t size : shape_) type.dims.push_back(Dim(size));
    return type;
}

void Array::require_dtype(DType wanted) const {
    if (wanted != dtype_)
        fail(ErrorKind::Type, "the array holds ", dtype_name(dtype_), ", not ", dtype_name(wanted));
}

void Array::assign(const Array& source) const {
    if (!(source.shape_ == shape_))
        fail(ErrorKind::Shape, "cannot assign an array of shape ", shape_text(source.shape_),
             " to one of shape ", shape_text(shape_));
    auto to = static_cast<std::byte*>(data_);
    auto from = static_cast<const std::byte*>(source.data_);
    if (dtype_ == source.dtype_ && contiguous() && source.contiguous()) {
        // What holds nothing may be nowhere: an empty std::vector has no address.
        if (nbytes() > 0) std::memmove(to, from, static_cast<size_t>(nbytes()));
        return;
    }
    if (dtype_ == source.dtype_)
        return copy_strided(shape_, to, strides_, from, source.strides_, dtype_size(dtype_));
    const Sizes strides[] = {strides_, source.strides_};
    visit_dtype(dtype_, [&](auto to_tag) {
        visit_dtype(source.dtype_, [&](auto from_tag) {
            for_each_offset(shape_, strides, [&](std::span<const int64_t> offsets) {
                decltype(from_tag) value;
                std::memcpy(&value, from + offsets[1], sizeof value);
                auto converted = convert_number<decltype(to_tag)>(value);
                std::memcpy(to + offsets[0], &converted, sizeof converted);
            });
        });
    });
}

Array Array::copy() const {
    Array result = empty(dtype_, shape_);
    result.assign(*this);
    return result;
}

Array Array::cast(DType dtype) const {
    if (dtype == dtype_) return *this;
    Array result = empty(dtype, shape_);
    result.assign(*this);
    return result;
}

Array Array::reshape(Sizes shape) const {
    int64_t known = 1, free_axis = -1;
    for (size_t i = 0; i < shape.size(); ++i) {
        if (shape[i] == -1 && free_axis < 0)
            free_axis = static_cast<int64_t>(i);
        else
            known *= shape[i];
    }
    if (free_axis >= 0 && known != 0) shape[static_cast<size_t>(free_axis)] = size() / known;
    if (element_count(shape) != size())
        fail(ErrorKind::Shape, "cannot reshape ", size(), " elements into ", shape_text(shape));
    Array source = contiguous_copy();
    Sizes strides = contiguous_strides(shape, dtype_size(dtype_));
    return view(dtype_, std::move(shape), std::move(strides), source.data_, source.owner_);
}

bool Array::identical(const Array& other) const {
    if (dtype_ != other.dtype_ || !(shape_ == other.shape_)) return false;
    Array a = contiguous_copy(), b = other.contiguous_copy();
    return nbytes() == 0 || std::memcmp(a.data_, b.data_, static_cast<size_t>(nbytes())) == 0;
}

namespace {
constexpr int64_t shown_whole = 1000, shown_edge = 3;

std::string element_text(DType dtype, const std::byte* place) {
    return visit_dtype(dtype, [&](auto tag) -> std::string {
        using T = decltype(tag);
        T value;
        std::memcpy(&value, place, sizeof value);
        if constexpr (std::is_same_v<T, bool>)
            return value ? "True" : "False";
        else if constexpr (detail::is_complex_type<T>)
            return cat(number_text(value.real()), value.imag() < 0 ? "" : "+",
                       number_text(value.imag()), "j");
        else if constexpr (detail::is_half_type<T>)
            return number_text(static_cast<float>(value));
        else if constexpr (std::is_floating_point_v<T>)
            return number_text(value);
        else
            return std::to_string(value);
    });
}

void write_axis(std::ostream& out, const Array& array, const std::byte* place, int axis,
                bool shorten) {
    if (axis == array.rank()) {
        out << element_text(array.dtype(), place);
        return;
    }
    int64_t size = array.shape(axis);
    bool cut = shorten && size > 2 * shown_edge;
    out << "[";
    for (int64_t i = 0; i < size; ++i) {
        if (i > 0)
            out << (axis + 1 == array.rank()
                        ? ", "
                        : ",\n" + std::string(static_cast<size_t>(axis) + 1, ' '));
        if (cut && i == shown_edge) {
            out << "...";
            i = size - shown_edge - 1;
            continue;
        }
        write_axis(out, array, place + i * array.strides()[static_cast<size_t>(axis)], axis + 1,
                   shorten);
    }
    out << "]";
}
}  // namespace

std::string Array::text() const {
    std::ostringstream out;
    write_axis(out, *this, static_cast<const std::byte*>(data_), 0, size() > shown_whole);
    return out.str();
}

}  // namespace croton
