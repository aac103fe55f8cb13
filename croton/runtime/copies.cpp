#include "croton/runtime/copies.hpp"

#include <algorithm>

#include "croton/runtime/threads.hpp"
#include "croton/type/strided_copy.hpp"

namespace croton::runtime {

void copy_elements(const TensorRef& target, const TensorRef& source) {
    constexpr int64_t least = 1 << 17;  // bytes that are worth a thread
    auto* to = static_cast<std::byte*>(target.data);
    auto* from = static_cast<const std::byte*>(source.data);
    int item = dtype_size(target.dtype);
    const Sizes& shape = target.shape;
    int64_t bytes = byte_count(target.dtype, shape);
    if (bytes < 2 * least)
        return copy_strided(shape, to, target.strides, from, source.strides, item);
    auto axis = static_cast<size_t>(std::max_element(shape.begin(), shape.end()) - shape.begin());
    int64_t grain = std::max<int64_t>(1, shape[axis] / (bytes / least));
    parallel_for(shape[axis], grain, [&](int64_t begin, int64_t end) {
        Sizes part = shape;
        part[axis] = end - begin;
        copy_strided(part, to + begin * target.strides[axis], target.strides,
                     from + begin * source.strides[axis], source.strides, item);
    });
}

}  // namespace croton::runtime
