#include "croton/interop/dlpack.hpp"

#include <cstdint>
#include <memory>

#include "croton/interop/byte_order.hpp"

namespace croton::dlpack {

namespace {
constexpr Version offered_version{1, 0};
constexpr int highest_rank = 64;

DataType data_type(DType dtype) {
    uint8_t code = is_bool(dtype)             ? kBool
                   : is_unsigned(dtype)       ? kUInt
                   : is_integer(dtype)        ? kInt
                   : is_complex(dtype)        ? kComplex
                   : dtype == DType::BFloat16 ? kBfloat
                                              : kFloat;
    return {code, static_cast<uint8_t>(8 * dtype_size(dtype)), 1};
}

DType croton_dtype(DataType type) {
    for (int i = 0; i < dtype_count; ++i) {
        auto dtype = static_cast<DType>(i);
        DataType known = data_type(dtype);
        if (known.code == type.code && known.bits == type.bits && type.lanes == 1) return dtype;
    }
    fail(ErrorKind::Unsupported, "DLPack: elements of type code ", int{type.code}, " with ",
         int{type.bits}, " bits and ", type.lanes, " lanes, which Croton lacks");
}

/// What a tensor that we hand out keeps: the array, and its strides in elements.
template <class Managed>
struct Holder {
    Managed managed{};
    Array array;
    Sizes strides;

    explicit Holder(Array kept) : array(std::move(kept)) {
        for (int64_t stride : array.strides())
            strides.push_back(stride / dtype_size(array.dtype()));
        managed.manager_ctx = this;
        managed.deleter = [](Managed* self) { delete static_cast<Holder*>(self->manager_ctx); };
        managed.dl_tensor = {.data = array.data(),
                             .device = {kCPU, 0},
                             .ndim = array.rank(),
                             .dtype = data_type(array.dtype()),
                             .shape = const_cast<int64_t*>(array.shape().data()),
                             .strides = strides.data(),
                             .byte_offset = 0};
    }
};

bool has_element_strides(const Array& array) {
    for (int64_t stride : array.strides())
        if (stride % dtype_size(array.dtype()) != 0) return false;
    return true;
}

void check_tensor(const Tensor& tensor) {
    auto device = tensor.device.device_type;
    if (device != kCPU && device != kCUDAHost && device != kROCMHost)
        fail(ErrorKind::Device, "DLPack: the array lies in memory of device type ", device,
             device == kCUDA ? " (CUDA)" : "",
             ", which the CPU cannot read; move it to the CPU first");
    if (tensor.ndim < 0 || tensor.ndim > highest_rank || (tensor.ndim > 0 && !tensor.shape))
        fail(ErrorKind::Value, "DLPack: a malformed tensor of ", tensor.ndim, " axes",
             tensor.ndim > 0 && !tensor.shape ? " without sizes" : "");
}

/// The tensor as an array that `owner` keeps alive, or a copy where Croton cannot use the memory.
struct Viewed {
    Array array;
    bool aligned;
};

Viewed view_tensor(const Tensor& tensor) {
    check_tensor(tensor);
    DType dtype = croton_dtype(tensor.dtype);
    int item = dtype_size(dtype);
    auto rank = static_cast<size_t>(tensor.ndim);
    Sizes shape;
    for (size_t i = 0; i < rank; ++i) shape.push_back(tensor.shape[i]);
    if (!checked_bytes(shape, item))
        fail(ErrorKind::Value, "DLPack: impossible sizes ", shape_text(shape));
    Sizes strides = contiguous_strides(shape, item);
    if (tensor.strides)
        for (size_t i = 0; i < rank; ++i) strides[i] = tensor.strides[i] * item;
    if (element_count(shape) == 0) return {Array::empty(dtype, shape), false};
    if (!tensor.data)
        fail(ErrorKind::Value, "DLPack: a tensor of sizes ", shape_text(shape), " without data");
    auto place = reinterpret_cast<uintptr_t>(tensor.data) + tensor.byte_offset;
    // Complex numbers need the alignment of their parts only.
    auto alignment = static_cast<uintptr_t>(is_complex(dtype) ? item / 2 : item);
    return {Array::view(dtype, shape, strides, reinterpret_cast<void*>(place), nullptr),
            place % alignment == 0};
}

template <class Managed>
void give_back(Managed* managed) {
    if (managed->deleter) managed->deleter(managed);
}

template <class Managed>
Array take(Managed* managed, bool copy) {
    auto [array, aligned] = view_tensor(managed->dl_tensor);
    if (copy || !aligned) {
        Array own = array.copy();
        give_back(managed);
        return own;
    }
    std::shared_ptr<const void> owner(managed->dl_tensor.data,
                                      [managed](const void*) { give_back(managed); });
    return Array::view(array.dtype(), array.shape(), array.strides(), array.data(),
                       std::move(owner));
}
}  // namespace

ManagedTensor* to_dlpack(const Array& array) {
    auto holder = new Holder<ManagedTensor>(has_element_strides(array) ? array : array.copy());
    return &holder->managed;
}

ManagedTensorVersioned* to_dlpack_versioned(const Array& array, bool read_only) {
    bool copied = !has_element_strides(array);
    auto holder = new Holder<ManagedTensorVersioned>(copied ? array.copy() : array);
    holder->managed.version = offered_version;
    holder->managed.flags = (read_only ? flag_read_only : 0) | (copied ? flag_copied : 0);
    return &holder->managed;
}

Array from_dlpack(ManagedTensor* tensor) { return take(tensor, false); }

Array from_dlpack(ManagedTensorVersioned* tensor, ReadOnly read_only) {
    // Of a later major version nothing but the deleter may be touched.
    if (tensor->version.major > offered_version.major)
        fail(ErrorKind::Unsupported, "DLPack: version ", tensor->version.major, ".",
             tensor->version.minor, " of the interface; up to 1 is understood");
    return take(tensor, (tensor->flags & flag_read_only) && read_only == ReadOnly::Copy);
}

}  // namespace croton::dlpack
