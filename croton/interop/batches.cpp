#include "croton/interop/batches.hpp"

#include <cstring>
#include <numeric>

namespace croton {

namespace {
struct SplitMix64 {
    uint64_t state;
    uint64_t next() {
        uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }
    // Uniform below `bound` without bias: draws that fall into the last, incomplete run are
    // repeated.
    uint64_t below(uint64_t bound) {
        uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
        uint64_t draw = next();
        while (draw >= limit) draw = next();
        return draw % bound;
    }
};
}  // namespace

std::vector<int64_t> permutation(int64_t count, uint64_t seed) {
    std::vector<int64_t> order(static_cast<size_t>(std::max<int64_t>(count, 0)));
    std::iota(order.begin(), order.end(), 0);
    SplitMix64 random{seed};
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    return order;
}

Batches::Batches(std::vector<Array> arrays, int64_t size, bool drop_last)
    : arrays_(std::move(arrays)), size_(size), drop_last_(drop_last) {
    if (size < 1) fail(ErrorKind::Value, "a batch needs at least one row, not ", size);
    if (arrays_.empty()) fail(ErrorKind::Usage, "batches of no arrays");
    for (auto& array : arrays_) {
        if (array.rank() == 0 || array.shape(0) != arrays_[0].shape(0))
            fail(ErrorKind::Shape, "arrays of shapes ", shape_text(arrays_[0].shape()), " and ",
                 shape_text(array.shape()), " do not have the same number of rows");
        array = array.contiguous_copy();
    }
    order_.resize(static_cast<size_t>(arrays_[0].shape(0)));
    std::iota(order_.begin(), order_.end(), 0);
}

int64_t Batches::count() const {
    auto rows = static_cast<int64_t>(order_.size());
    return drop_last_ ? rows / size_ : (rows + size_ - 1) / size_;
}

void Batches::shuffle(uint64_t seed) {
    order_ = permutation(static_cast<int64_t>(order_.size()), seed);
}

std::vector<Array> Batches::get(int64_t i) const {
    if (i < 0 || i >= count()) fail(ErrorKind::Index, "batch ", i, " of ", count());
    int64_t first = i * size_, last = std::min(first + size_, static_cast<int64_t>(order_.size()));
    std::vector<Array> result;
    for (const auto& array : arrays_) {
        Sizes shape = array.shape();
        shape[0] = last - first;
        Array batch = Array::empty(array.dtype(), shape);
        auto row =
            array.shape(0) == 0 ? size_t{0} : static_cast<size_t>(array.nbytes() / array.shape(0));
        for (int64_t r = first; r < last; ++r)
            std::memcpy(
                static_cast<std::byte*>(batch.data()) + static_cast<size_t>(r - first) * row,
                static_cast<const std::byte*>(array.data()) +
                    static_cast<size_t>(order_[static_cast<size_t>(r)]) * row,
                row);
        result.push_back(std::move(batch));
    }
    return result;
}

}  // namespace croton
