// DLPack: layout of the structures, life time, strides, offsets, element types, malformed tensors.
#include <cstddef>

#include "croton/interop/dlpack.hpp"
#include "tests/unit/interop/scratch.hpp"

namespace croton {

using namespace dlpack;

namespace {
// Places of the members on a 64-bit machine, counted from the specification's declarations.
static_assert(offsetof(Tensor, data) == 0 && offsetof(Tensor, device) == 8 &&
              offsetof(Tensor, ndim) == 16 && offsetof(Tensor, dtype) == 20 &&
              offsetof(Tensor, shape) == 24 && offsetof(Tensor, strides) == 32 &&
              offsetof(Tensor, byte_offset) == 40);
static_assert(offsetof(ManagedTensor, manager_ctx) == 48 && offsetof(ManagedTensor, deleter) == 56);
static_assert(offsetof(ManagedTensorVersioned, manager_ctx) == 8 &&
              offsetof(ManagedTensorVersioned, deleter) == 16 &&
              offsetof(ManagedTensorVersioned, flags) == 24 &&
              offsetof(ManagedTensorVersioned, dl_tensor) == 32);

/// A tensor of somebody else that counts how often it is given back.
struct Foreign {
    std::vector<float> memory = {0, 1, 2, 3, 4, 5, 6, 7};
    std::vector<int64_t> shape = {2, 3}, strides = {3, 1};
    int given_back = 0;
    ManagedTensorVersioned managed{};
    Foreign() {
        managed.version = {1, 0};
        managed.manager_ctx = this;
        managed.deleter = [](ManagedTensorVersioned* self) {
            ++static_cast<Foreign*>(self->manager_ctx)->given_back;
        };
        managed.dl_tensor = {memory.data(), {kCPU, 0},      2, {kFloat, 32, 1},
                             shape.data(),  strides.data(), 0};
    }
};
}  // namespace

TEST(DLPack, SharesMemoryUntilTheLastUserIsGone) {
    Array array = Array::of(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
    std::weak_ptr<const void> memory = array.owner();
    ManagedTensor* tensor = to_dlpack(array);
    void* data = array.data();
    array = Array();
    EXPECT_FALSE(memory.expired());
    EXPECT_EQ(tensor->dl_tensor.data, data);
    EXPECT_EQ(tensor->dl_tensor.device.device_type, kCPU);
    Array back = from_dlpack(tensor);
    EXPECT_EQ(back.data(), data);
    EXPECT_EQ(back.to_vector<float>(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
    Array second = back;
    back = Array();
    EXPECT_FALSE(memory.expired());
    second = Array();
    EXPECT_TRUE(memory.expired());
}

TEST(DLPack, AnUnusedTensorFreesByItsDeleter) {
    Array array = Array::of({1.0f});
    std::weak_ptr<const void> memory = array.owner();
    ManagedTensorVersioned* tensor = to_dlpack_versioned(array);
    array = Array();
    tensor->deleter(tensor);
    EXPECT_TRUE(memory.expired());
}

TEST(DLPack, EveryElementTypeGoesAndComes) {
    struct Row {
        DType dtype;
        uint8_t code, bits;
    };
    const Row rows[] = {
        {DType::Bool, 6, 8},     {DType::Int8, 0, 8},       {DType::Int16, 0, 16},
        {DType::Int32, 0, 32},   {DType::Int64, 0, 64},     {DType::UInt8, 1, 8},
        {DType::UInt16, 1, 16},  {DType::UInt32, 1, 32},    {DType::UInt64, 1, 64},
        {DType::Float16, 2, 16}, {DType::BFloat16, 4, 16},  {DType::Float32, 2, 32},
        {DType::Float64, 2, 64}, {DType::Complex64, 5, 64}, {DType::Complex128, 5, 128},
    };
    static_assert(std::size(rows) == dtype_count);
    for (const Row& row : rows) {
        Array array = Array::of({0.0, 1.0, 2.0}).cast(row.dtype);
        ManagedTensorVersioned* tensor = to_dlpack_versioned(array);
        EXPECT_EQ(tensor->dl_tensor.dtype.code, row.code) << dtype_name(row.dtype);
        EXPECT_EQ(tensor->dl_tensor.dtype.bits, row.bits) << dtype_name(row.dtype);
        EXPECT_EQ(tensor->dl_tensor.dtype.lanes, 1);
        EXPECT_TRUE(from_dlpack(tensor).identical(array)) << dtype_name(row.dtype);
    }
}

TEST(DLPack, StridesAreInElements) {
    Array array = Array::of(std::vector<int>{0, 1, 2, 3, 4, 5}, {2, 3});
    Array turned =
        Array::view(DType::Int32, {3, 2, 4}, {-4, 12, 0}, array.data_as<int>() + 2, array.owner());
    ManagedTensor* tensor = to_dlpack(turned);
    EXPECT_EQ(tensor->dl_tensor.strides[0], -1);
    EXPECT_EQ(tensor->dl_tensor.strides[1], 3);
    EXPECT_EQ(tensor->dl_tensor.strides[2], 0);
    Array back = from_dlpack(tensor);
    EXPECT_EQ(back.strides(), turned.strides());
    EXPECT_TRUE(back.identical(turned));
    ManagedTensor* scalar = to_dlpack(Array::scalar(5));
    EXPECT_EQ(scalar->dl_tensor.ndim, 0);
    EXPECT_EQ(from_dlpack(scalar).item<int>(), 5);
}

TEST(DLPack, OddStridesGiveACopy) {
    std::vector<char> records(30);
    for (char i = 0; i < 3; ++i) records[static_cast<size_t>(i) * 6] = i;  // ints 6 bytes apart
    Array odd = Array::view(DType::Int32, {3}, {6}, records.data(), nullptr);
    ManagedTensorVersioned* tensor = to_dlpack_versioned(odd, true);
    EXPECT_EQ(tensor->flags, flag_copied | flag_read_only);
    EXPECT_NE(tensor->dl_tensor.data, records.data());
    EXPECT_EQ(from_dlpack(tensor).to_vector<int>(), (std::vector<int>{0, 1, 2}));
}

TEST(DLPack, TakesForeignMemory) {
    Foreign foreign;
    foreign.managed.dl_tensor.byte_offset = 4;
    foreign.strides = {1, 2};
    {
        Array array = from_dlpack(&foreign.managed);
        EXPECT_EQ(array.data(), foreign.memory.data() + 1);
        EXPECT_EQ(array.to_vector<float>(), (std::vector<float>{1, 3, 5, 2, 4, 6}));
        EXPECT_EQ(foreign.given_back, 0);
    }
    EXPECT_EQ(foreign.given_back, 1);
    foreign.managed.dl_tensor.strides = nullptr;
    EXPECT_EQ(from_dlpack(&foreign.managed).to_vector<int>(), (std::vector<int>{1, 2, 3, 4, 5, 6}));
    foreign.managed.deleter = nullptr;  // memory that lives for ever
    EXPECT_EQ(from_dlpack(&foreign.managed).size(), 6);
}

TEST(DLPack, ReadOnlyMemoryIsCopiedUnlessPromised) {
    Foreign foreign;
    foreign.managed.flags = flag_read_only;
    Array copy = from_dlpack(&foreign.managed);
    EXPECT_NE(copy.data(), foreign.memory.data());
    EXPECT_EQ(foreign.given_back, 1);
    Array shared = from_dlpack(&foreign.managed, ReadOnly::Share);
    EXPECT_EQ(shared.data(), foreign.memory.data());
}

TEST(DLPack, UnalignedMemoryIsCopied) {
    Foreign foreign;
    std::memmove(reinterpret_cast<char*>(foreign.memory.data()) + 1, foreign.memory.data(), 28);
    foreign.managed.dl_tensor.byte_offset = 1;
    Array array = from_dlpack(&foreign.managed);
    EXPECT_EQ(foreign.given_back, 1);
    EXPECT_EQ(array.to_vector<float>(), (std::vector<float>{0, 1, 2, 3, 4, 5}));
}

TEST(DLPack, EmptyTensorsMayLackData) {
    Foreign foreign;
    foreign.shape = {0, 3};
    foreign.managed.dl_tensor.data = nullptr;
    EXPECT_EQ(from_dlpack(&foreign.managed).shape(), (Sizes{0, 3}));
    EXPECT_EQ(foreign.given_back, 1);
}

TEST(DLPack, ErrorsLeaveTheTensorWithTheCaller) {
    auto with = [](auto change) {
        Foreign foreign;
        change(foreign.managed);
        std::string text = error_of([&] { from_dlpack(&foreign.managed); });
        EXPECT_EQ(foreign.given_back, 0);
        return text;
    };
    EXPECT_TRUE(
        says(with([](auto& t) { t.dl_tensor.device = {kCUDA, 0}; }), "DeviceError: DLPack"));
    EXPECT_TRUE(says(with([](auto& t) { t.dl_tensor.device = {kCUDA, 0}; }), "move it to the CPU"));
    EXPECT_TRUE(says(with([](auto& t) { t.dl_tensor.dtype.lanes = 4; }), "UnsupportedError"));
    EXPECT_TRUE(says(with([](auto& t) { t.dl_tensor.dtype = {kFloat, 8, 1}; }), "8 bits"));
    EXPECT_TRUE(says(with([](auto& t) { t.dl_tensor.dtype = {kInt, 128, 1}; }), "128 bits"));
    EXPECT_TRUE(says(with([](auto& t) { t.version.major = 2; }), "version 2.0"));
    EXPECT_TRUE(says(with([](auto& t) { t.dl_tensor.ndim = -1; }), "ValueError"));
    EXPECT_TRUE(says(with([](auto& t) { t.dl_tensor.shape = nullptr; }), "without sizes"));
    EXPECT_TRUE(says(with([](auto& t) { t.dl_tensor.shape[0] = -2; }), "impossible sizes (-2, 3)"));
    EXPECT_TRUE(says(with([](auto& t) { t.dl_tensor.data = nullptr; }), "without data"));
}

}  // namespace croton
