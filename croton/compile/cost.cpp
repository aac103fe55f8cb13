#include "croton/compile/cost.hpp"

#include "croton/compile/lower.hpp"

namespace croton::compile {

namespace {
struct Cost {
    kernel::OpCode op;
    int single, twice, integer;
};

constexpr Cost costs[] = {
#define CROTON_COST_OF_KEEPING(array, row)
#define CROTON_COST(name, single, twice, integer) {kernel::OpCode::name##_, single, twice, integer},
#include "croton/compile/costs.def"
#undef CROTON_COST
#undef CROTON_COST_OF_KEEPING
};

// Parts of complex numbers are counted as four of the real opcode.
int cost_in(const Cost& cost, DType dtype) {
    if (is_complex(dtype)) return 4 * cost.twice;
    if (!is_floating(dtype)) return cost.integer;
    return dtype == DType::Float64 ? cost.twice : cost.single;
}

// Of the values that an instruction works on: comparisons yield bool.
DType dtype_of(const kernel::Instruction& i, const std::vector<DType>& dtypes) {
    return dtypes[static_cast<size_t>(i.arguments.empty() ? i.result : i.arguments[0])];
}
}  // namespace

#define CROTON_COST(name, single, twice, integer)
#define CROTON_COST_OF_KEEPING(array, row) \
    const int cost_of_keeping = array, cost_of_keeping_in_row = row;
#include "croton/compile/costs.def"
#undef CROTON_COST
#undef CROTON_COST_OF_KEEPING

int cost_of(kernel::OpCode op, DType dtype) {
    if (op == kernel::OpCode::load_ || op == kernel::OpCode::store_) return 0;
    for (const Cost& cost : costs)
        if (cost.op == op) return cost_in(cost, dtype);
    return 1;
}

int cost_of_element(const Node& node) {
    if (node.op->kind<ViewCompute>()) return 0;
    auto kernel = lower_node(node).kernel;
    auto dtypes = kernel::value_dtypes(kernel);
    int cost = 0;
    for (const auto& section : kernel.sections)
        for (const auto& i : section.body)
            cost += i.op == kernel::OpCode::store_ ? 0 : cost_of(i.op, dtype_of(i, dtypes));
    return cost;
}

}  // namespace croton::compile
