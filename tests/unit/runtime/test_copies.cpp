// Copies by several threads, beside those by one.
#include <gtest/gtest.h>

#include "croton/base/settings.hpp"
#include "croton/runtime/copies.hpp"
#include "croton/type/array.hpp"

namespace croton::runtime {
namespace {

Array counted(Sizes shape) {
    std::vector<float> values(static_cast<size_t>(element_count(shape)));
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    return Array::of<float>(values, shape);
}

TensorRef with_axes_turned(const Array& x) {
    TensorRef turned = ref(x);
    std::reverse(turned.shape.begin(), turned.shape.end());
    std::reverse(turned.strides.begin(), turned.strides.end());
    return turned;
}

TEST(Copies, LargeAndSmallOnesByAllThreads) {
    for (const char* threads : {"1", "3"}) {
        set_setting("threads", threads);
        for (const Sizes& shape : {Sizes{}, Sizes{5}, Sizes{0, 4}, Sizes{300, 1001},
                                   Sizes{3, 70000}, Sizes{20, 30, 4, 64}, Sizes{1, 200000}}) {
            Array x = counted(shape);
            TensorRef source = with_axes_turned(x);
            Array expected =
                Array::view(source.dtype, source.shape, source.strides, source.data, x.owner())
                    .copy();
            Array copy = Array::zeros(DType::Float32, source.shape);
            copy_elements(ref(copy), source);
            EXPECT_TRUE(copy.identical(expected)) << threads << " threads, " << x.type().text();
        }
    }
    set_setting("threads", "0");
}

}  // namespace
}  // namespace croton::runtime
