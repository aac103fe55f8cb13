#pragma once
// C++ functions that generated code may call, each named explicitly: what has no vector form.
#include <string_view>
#include <vector>

#include "croton/kernel/kernel.hpp"

namespace croton::cpu {

struct Helper {
    std::string_view name;
    void* address;
};

/// Scalar functions of real numbers are croton_call_<opcode>_<dtype>, by value; those of complex
/// numbers take (const T* arguments, T* result), parts interleaved.
const std::vector<Helper>& helpers();

/// Records the first lane whose position is out of bounds, if no fault was recorded before.
/// `indices` and `bad` have one entry a lane.
void note_fault(kernel::Fault* fault, int64_t operand, int64_t axis, int64_t size,
                const int64_t* indices, const unsigned char* bad, int64_t lanes);

/// Whether the launch has been told to stop, which its fault then says. `stop` may be null.
bool ask_to_stop(kernel::Stop* stop, kernel::Fault* fault);

}  // namespace croton::cpu
