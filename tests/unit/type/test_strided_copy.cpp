// Arrays copied between layouts, beside a loop over indices.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "croton/type/array.hpp"

namespace croton {
namespace {

std::vector<double> in_order(const Array& x) {
    std::vector<double> values;
    const Sizes strides[] = {x.strides()};
    for_each_offset(x.shape(), strides, [&](std::span<const int64_t> at) {
        float value;
        std::memcpy(&value, static_cast<const std::byte*>(x.data()) + at[0], sizeof value);
        values.push_back(value);
    });
    return values;
}

Array counted(Sizes shape) {
    std::vector<float> values(static_cast<size_t>(element_count(shape)));
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) + 1;
    return Array::of<float>(values, shape);
}

/// Axes reordered, some turned round, some with a step, one repeated.
Array any_view(const Array& x, std::mt19937& random) {
    Sizes shape, strides, order;
    auto* data = static_cast<std::byte*>(x.data());
    for (size_t a = 0; a < x.shape().size(); ++a) order.push_back(static_cast<int64_t>(a));
    std::shuffle(order.begin(), order.end(), random);
    for (int64_t a : order) {
        int64_t size = x.shape()[static_cast<size_t>(a)],
                stride = x.strides()[static_cast<size_t>(a)];
        int64_t step = 1 + random() % 3;
        if (random() % 4 == 0) {
            data += (size - 1) * stride;
            stride = -stride;
        }
        shape.push_back((size + step - 1) / step);
        strides.push_back(random() % 8 == 0 ? 0 : step * stride);
    }
    return Array::view(x.dtype(), shape, strides, data, x.owner());
}

TEST(StridedCopy, AnyViewOfUpToFiveAxes) {
    std::mt19937 random(3);
    const Sizes shapes[] = {
        {},          {5},         {1},       {0},           {300},          {40, 70},
        {33, 1, 20}, {6, 17, 18}, {3, 0, 2}, {5, 4, 6, 64}, {2, 3, 4, 5, 7}};
    for (const Sizes& shape : shapes)
        for (int n = 0; n < 40; ++n) {
            Array view = any_view(counted(shape), random);
            Array copy = view.copy();
            EXPECT_TRUE(copy.contiguous());
            EXPECT_EQ(in_order(copy), in_order(view)) << "turn " << n;
        }
}

TEST(StridedCopy, IntoAnyView) {
    std::mt19937 random(4);
    for (int n = 0; n < 100; ++n) {
        Array target = any_view(Array::zeros(DType::Float32, {9, 17, 20}), random);
        auto repeats = [](int64_t stride) { return stride == 0; };
        if (std::any_of(target.strides().begin(), target.strides().end(), repeats)) continue;
        Array source = counted(target.shape());
        target.assign(source);
        EXPECT_EQ(in_order(target), in_order(source)) << "turn " << n;
    }
}

// The heads of attention are rows of 64 numbers: a copy of whole rows either way.
TEST(StridedCopy, HeadsSplitAndJoined) {
    Array x = counted({2, 10, 4, 64});
    Sizes strides = {x.strides()[0], x.strides()[2], x.strides()[1], x.strides()[3]};
    Array heads = Array::view(x.dtype(), {2, 4, 10, 64}, strides, x.data(), x.owner());
    EXPECT_EQ(in_order(heads.copy()), in_order(heads));
}

}  // namespace
}  // namespace croton
