#pragma once
// DLPack (dmlc.github.io/dlpack): arrays shared with other libraries in one process, without
// copies. The structures are declared here after the specification, in Croton's own namespace, so
// that no header of others is needed and none is in the way; a pointer to one of theirs may be
// cast.
#include <cstdint>

#include "croton/type/array.hpp"

namespace croton::dlpack {

// The names and layouts of the specification's C declarations, versions 0.8 (the managed tensor
// without a version) and 1.0.

enum DeviceType : int32_t { kCPU = 1, kCUDA = 2, kCUDAHost = 3, kOpenCL = 4, kROCMHost = 11 };

enum TypeCode : uint8_t {
    kInt = 0,
    kUInt = 1,
    kFloat = 2,
    kOpaqueHandle = 3,
    kBfloat = 4,
    kComplex = 5,
    kBool = 6
};

struct Device {
    int32_t device_type;
    int32_t device_id;
};

struct DataType {
    uint8_t code;
    uint8_t bits;
    uint16_t lanes;
};

struct Tensor {
    void* data;
    Device device;
    int32_t ndim;
    DataType dtype;
    int64_t* shape;
    int64_t* strides;  ///< in elements; null: C order without gaps
    uint64_t byte_offset;
};

/// Version 0.8: what a Python capsule named "dltensor" holds.
struct ManagedTensor {
    Tensor dl_tensor;
    void* manager_ctx;
    void (*deleter)(ManagedTensor* self);
};

struct Version {
    uint32_t major;
    uint32_t minor;
};

inline constexpr uint64_t flag_read_only = 1, flag_copied = 2;

/// Version 1.0: what a Python capsule named "dltensor_versioned" holds.
struct ManagedTensorVersioned {
    Version version;
    void* manager_ctx;
    void (*deleter)(ManagedTensorVersioned* self);
    uint64_t flags;
    Tensor dl_tensor;
};

static_assert(sizeof(Tensor) == 48 && sizeof(ManagedTensor) == 64 &&
              sizeof(ManagedTensorVersioned) == 80);

/// A tensor over the array's memory, which it keeps alive until its deleter is called (by whoever
/// takes it, once, from any thread). Strides that are no whole number of elements, which DLPack
/// cannot say, give a copy.
ManagedTensor* to_dlpack(const Array& array);
/// The same with version 1.0's flags; `read_only` asks the taker not to write.
ManagedTensorVersioned* to_dlpack_versioned(const Array& array, bool read_only = false);

/// What is done with memory that its owner does not want written: Croton's arrays know no such
/// promise.
enum class ReadOnly {
    Copy,
    Share,  ///< the caller promises that nothing writes to the array
};

/// An array over the tensor's memory, which is given back when the last array over it dies. Memory
/// that is not aligned to its elements is copied (and given back at once).
/// Errors leave the tensor with the caller: Device error for memory that the CPU cannot read,
/// Unsupported error for element types that Croton lacks and unknown versions, Value error for
/// malformed tensors.
Array from_dlpack(ManagedTensor* tensor);
Array from_dlpack(ManagedTensorVersioned* tensor, ReadOnly read_only = ReadOnly::Copy);

}  // namespace croton::dlpack
