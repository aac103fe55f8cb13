#pragma once
// Random valid kernels together with inputs and a proven tolerance for every output.
//
// The generator carries an interval and an error bound with every value: what a back end may
// compute differs from the interpreter's value by no more. Opcodes that would amplify a difference
// without limit (floor, comparisons, casts to integers, ...) are given exact values only.
#include "croton/kernel/builder.hpp"
#include "tests/backend/contract.hpp"

namespace croton::contract {

/// What is known of a value: its range (of both parts for complex) and how far two back ends may
/// be apart. Integers and bools are exact, their range is what their dtype holds or less.
struct Known {
    double low = 0, high = 0;
    double error = 0;
    bool whole = false;  ///< a whole number, exact in its dtype
    double most() const { return std::max(std::abs(low), std::abs(high)); }
    bool exact() const { return error == 0; }
    bool avoids_zero() const { return low - error > 0.05 || high + error < -0.05; }
};

/// The result's range and error, or nothing if the opcode is not safe on such arguments.
std::optional<Known> transfer(kernel::OpCode op, DType dtype, std::span<const Known> x);

/// Adds a random kernel and problems for it to the batch.
void add_random_kernel(Batch& batch, Random& random);

}  // namespace croton::contract
