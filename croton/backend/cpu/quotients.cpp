#include "croton/backend/cpu/quotients.hpp"

#include <algorithm>
#include <cmath>

#include "croton/kernel/cost.hpp"

namespace croton::cpu {

using kernel::OpCode;

namespace {
// A quotient made of products, in additions: eight products and sums, an estimate and four
// instructions that look at ranges, on four ports of which two multiply.
constexpr int cost_of_products = 10;

struct Work {  // of an element, in additions
    int divider = 0, others = 0, quotients = 0;
};

Work work_of(const kernel::Kernel& kernel) {
    const auto dtypes = kernel::value_dtypes(kernel);
    Work work;
    for (const auto& i : kernel.sections[0].body) {
        if (i.arguments.empty()) continue;
        DType dtype = dtypes[static_cast<size_t>(i.arguments[0])];
        bool divides = i.op == OpCode::div_ || i.op == OpCode::sqrt_;
        (divides ? work.divider : work.others) += kernel::cost_of(i.op, dtype);
        work.quotients += i.op == OpCode::div_ && dtype == DType::Float64;
    }
    return work;
}

// Vectors of float64 alone, in one section that knows nothing of its neighbours.
bool has_form(const Plan& plan, const Level& level) {
    bool vectors = level.masks && level.fuses && plan.lane_bytes == 8 && !plan.scalar;
    return vectors && plan.sections.size() == 1 &&
           plan.sections[0].kind == kernel::SectionKind::Map && plan.running.empty() &&
           !plan.has_tables;
}

// What large launches take for reading and writing alone.
int cost_of_memory(const Plan& plan) {
    size_t moved = plan.sections[0].ins.size() + plan.sections[0].outs.size();
    return kernel::cost_of_keeping * static_cast<int>(moved) / 2;
}
}  // namespace

int quotients_by_products(const kernel::Kernel& kernel, const Plan& plan, const Level& level) {
    if (!has_form(plan, level)) return 0;
    Work work = work_of(kernel);
    if (work.quotients == 0 || work.divider <= std::max(work.others, cost_of_memory(plan)))
        return 0;
    int each = kernel::cost_of(OpCode::div_, DType::Float64) + cost_of_products;
    long most = vectors_side_by_side - 1;
    double share = static_cast<double>(work.divider - work.others) / (each * work.quotients);
    return static_cast<int>(std::min(most, std::lround(vectors_side_by_side * share)));
}

}  // namespace croton::cpu
