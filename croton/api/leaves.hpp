#pragma once
// Short names for inputs and shared values: matrix<float>("x"), shared(zeros<float>({784, 10}),
// "w").
#include "croton/graph/variable.hpp"

namespace croton {

/// Input of a C++ element type; sizes are unknown unless given: tensor<float>("x", {Dim(), 784}).
template <class T>
Variable tensor(std::string name, Dims dims,
                std::source_location where = std::source_location::current()) {
    return input({dtype_of<T>(), std::move(dims)}, std::move(name), Site::of(where));
}
template <class T>
Variable scalar(std::string name = "",
                std::source_location where = std::source_location::current()) {
    return tensor<T>(std::move(name), {}, where);
}
template <class T>
Variable vector(std::string name = "",
                std::source_location where = std::source_location::current()) {
    return tensor<T>(std::move(name), Dims(1), where);
}
template <class T>
Variable matrix(std::string name = "",
                std::source_location where = std::source_location::current()) {
    return tensor<T>(std::move(name), Dims(2), where);
}
/// A matrix of one row, of one column: these broadcast by their type.
template <class T>
Variable row(std::string name = "", std::source_location where = std::source_location::current()) {
    return tensor<T>(std::move(name), {Dim(1), Dim()}, where);
}
template <class T>
Variable column(std::string name = "",
                std::source_location where = std::source_location::current()) {
    return tensor<T>(std::move(name), {Dim(), Dim(1)}, where);
}
template <class T>
Variable tensor3(std::string name = "",
                 std::source_location where = std::source_location::current()) {
    return tensor<T>(std::move(name), Dims(3), where);
}
template <class T>
Variable tensor4(std::string name = "",
                 std::source_location where = std::source_location::current()) {
    return tensor<T>(std::move(name), Dims(4), where);
}

/// Values for shared variables and arguments.
template <class T>
Array zeros(Sizes shape) {
    return Array::zeros(dtype_of<T>(), std::move(shape));
}
template <class T>
Array full(Sizes shape, T value) {
    Array result = Array::empty(dtype_of<T>(), std::move(shape));
    auto out = static_cast<T*>(result.data());
    for (int64_t i = 0; i < result.size(); ++i) out[i] = value;
    return result;
}

}  // namespace croton
