#pragma once
// What tests of compiled programs share.
#include <gtest/gtest.h>

#include <random>

#include "croton/compile/build.hpp"
#include "croton/compile/packed_program.hpp"
#include "croton/ops/catalogue.hpp"

namespace croton {

/// Between -1 and 1.
inline Array random_array(DType dtype, Sizes shape, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<double> values(static_cast<size_t>(element_count(shape)));
    for (double& x : values) x = static_cast<double>(random() % 2001) / 1000 - 1;
    return Array::of(values, shape).cast(dtype);
}

inline compile::Built built(const Variables& inputs, const Variables& outputs) {
    return compile::build({inputs, outputs, {}, "f", compile::mode_named("fast")});
}

/// As a later process has it.
inline runtime::Program read_back(const runtime::Program& program) {
    PackOptions options{find_op};
    auto bytes = compile::pack_program(program, options);
    auto read = compile::unpack_program(*bytes, options);
    EXPECT_EQ(compile::pack_program(*read, options), bytes);
    compile::generate(*read, runtime::backend("cpu"));
    return std::move(*read);
}

}  // namespace croton
