#include "croton/kernel/cost.hpp"

#include <array>

namespace croton::kernel {

namespace {
struct Cost {
    int single, twice, integer;
};

// By opcode.
const auto& table() {
    static const auto costs = [] {
        std::array<Cost, 256> all;
        all.fill({1, 1, 1});
        auto set = [&](OpCode op, Cost cost) { all[static_cast<size_t>(op)] = cost; };
#define CROTON_COST_OF_KEEPING(array, row)
#define CROTON_COST(name, single, twice, integer) set(OpCode::name##_, {single, twice, integer});
#include "croton/kernel/costs.def"
#undef CROTON_COST
#undef CROTON_COST_OF_KEEPING
        set(OpCode::load_, {0, 0, 0});
        set(OpCode::store_, {0, 0, 0});
        return all;
    }();
    return costs;
}

// Of the values that an instruction works on: comparisons yield bool.
DType dtype_of(const Instruction& i, const std::vector<DType>& dtypes) {
    int value = i.arguments.empty() ? i.result : i.arguments[0];
    return value < 0 ? DType::Float64 : dtypes[static_cast<size_t>(value)];
}
}  // namespace

#define CROTON_COST(name, single, twice, integer)
#define CROTON_COST_OF_KEEPING(array, row) \
    const int cost_of_keeping = array, cost_of_keeping_in_row = row;
#include "croton/kernel/costs.def"
#undef CROTON_COST
#undef CROTON_COST_OF_KEEPING

// Parts of complex numbers are counted as four of the real opcode.
int cost_of(OpCode op, DType dtype) {
    const Cost& cost = table()[static_cast<size_t>(op)];
    if (is_complex(dtype)) return cost.twice == 1 ? 1 : 4 * cost.twice;
    if (!is_floating(dtype)) return cost.integer;
    return dtype == DType::Float64 ? cost.twice : cost.single;
}

int cost_of(const Kernel& kernel) {
    const auto dtypes = value_dtypes(kernel);
    int cost = 0;
    for (const auto& section : kernel.sections)
        for (const auto& i : section.body) cost += cost_of(i.op, dtype_of(i, dtypes));
    return cost;
}

}  // namespace croton::kernel
