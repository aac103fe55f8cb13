#include "croton/api/destinations.hpp"

#include <algorithm>

#include "croton/base/error.hpp"
#include "croton/graph/drawn.hpp"

namespace croton::parts {

namespace {
// Sorted by strides, each axis has to step over all that those before it reach. (Rare strides are
// refused although no two elements meet.)
bool has_each_element_once(const Array& array) {
    if (array.size() == 0) return true;
    std::vector<std::pair<int64_t, int64_t>> axes;  // stride, size
    for (int axis = 0; axis < array.rank(); ++axis)
        if (array.shape(axis) > 1)
            axes.emplace_back(std::abs(array.strides()[static_cast<size_t>(axis)]),
                              array.shape(axis));
    std::sort(axes.begin(), axes.end());
    int64_t reached = dtype_size(array.dtype());
    for (auto [stride, size] : axes) {
        if (stride < reached) return false;
        reached += (size - 1) * stride;
    }
    return true;
}

void check_type(size_t i, const Array& array, const Variable& output) {
    const TensorType& type = output.type();
    if (array.dtype() == type.dtype && array.rank() == type.rank()) return;
    fail(ErrorKind::Type, "the memory for result ", i, " has dtype ", dtype_name(array.dtype()),
         " and rank ", array.rank(), "; the result is ", described(output));
}
}  // namespace

Destinations::Destinations(std::span<const std::optional<Array>> into, const Plan& plan,
                           std::span<const Array> arguments)
    : into_(into) {
    if (into.size() > plan.visible)
        fail(ErrorKind::Usage, "memory is given for ", into.size(), " results; the call has ",
             plan.visible);
    refs_.resize(into.size());
    for (size_t i = 0; i < into.size(); ++i) {
        if (!into[i]) continue;
        check_type(i, *into[i], plan.request.outputs[i]);
        refs_[i] = ref(*into[i]);
        waits_ |= !into[i]->data();  // of no elements
        Extent extent = extent_of(*into[i]);
        for (const Array& argument : arguments) waits_ |= extent.meets(extent_of(argument));
    }
    check_apart();
}

void Destinations::check_apart() const {
    for (size_t i = 0; i < into_.size(); ++i) {
        if (!into_[i]) continue;
        if (!has_each_element_once(*into_[i]))
            fail(ErrorKind::Usage, "elements of the memory for result ", i,
                 " lie in one place: shape ", shape_text(into_[i]->shape()), ", strides ",
                 shape_text(into_[i]->strides()));
        for (size_t j = 0; j < i; ++j)
            if (into_[j] && extent_of(*into_[i]).meets(extent_of(*into_[j])))
                fail(ErrorKind::Usage, "the memory for result ", i, " and that for result ", j,
                     " overlap");
    }
}

void Destinations::deliver(std::vector<Array>& results) const {
    for (size_t i = 0; i < into_.size() && waits_; ++i)
        if (into_[i] && !(into_[i]->shape() == results[i].shape()))
            fail(ErrorKind::Shape, "result ", i, " has shape ", shape_text(results[i].shape()),
                 ", the memory for it has shape ", shape_text(into_[i]->shape()));
    for (size_t i = 0; i < into_.size(); ++i) {
        if (!into_[i]) continue;
        if (waits_) into_[i]->assign(results[i]);
        results[i] = *into_[i];
    }
}

}  // namespace croton::parts
