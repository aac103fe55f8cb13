// What a launch needs of a kernel beside its code: the plan, and what folds begin with.
#include <algorithm>
#include <cstring>
#include <limits>

#include "croton/backend/cpu/launch.hpp"
#include "croton/backend/cpu/quotients.hpp"

namespace croton::cpu {

using kernel::Combine;
using kernel::SectionKind;

namespace {
template <class T>
void put(Identity& identity, T value) {
    std::memcpy(identity.bytes, &value, sizeof value);
}

Identity identity_of(Combine combine, DType state) {
    Identity identity;
    identity.item = dtype_size(state);
    visit_dtype(state, [&](auto tag) {
        using T = decltype(tag);
        using Limits = std::numeric_limits<T>;
        if constexpr (!std::is_same_v<T, Half> && !std::is_same_v<T, BHalf>) {
            if (combine == Combine::Sum || combine == Combine::Any) put(identity, T(0));
            if (combine == Combine::Prod || combine == Combine::All) put(identity, T(1));
            if constexpr (Limits::is_specialized) {
                bool low = combine == Combine::Max || combine == Combine::ArgMax;
                bool high = combine == Combine::Min || combine == Combine::ArgMin;
                if (low)
                    put(identity, Limits::has_infinity ? static_cast<T>(-Limits::infinity())
                                                       : Limits::lowest());
                if (high) put(identity, Limits::has_infinity ? Limits::infinity() : Limits::max());
            }
        }
    });
    return identity;
}
}  // namespace

// What is there is copied behind itself: twice as much each time.
void Identity::fill(char* to, int64_t count) const {
    if (count <= 0) return;
    auto one = static_cast<size_t>(item), all = one * static_cast<size_t>(count);
    std::memcpy(to, bytes, one);
    for (size_t done = one; done < all; done *= 2)
        std::memcpy(to + done, to, std::min(done, all - done));
}

std::shared_ptr<Program> make_program(const kernel::Kernel& kernel, const Level& level) {
    auto program = std::make_shared<Program>();
    program->kernel = kernel;
    program->plan = make_plan(kernel);
    program->plan.by_products = quotients_by_products(kernel, program->plan, level);
    program->copier = block_copier(level.name);
    program->can_split = kernel::can_split(kernel);
    for (size_t s = 0; s < kernel.sections.size(); ++s) {
        auto& identities = program->identities.emplace_back();
        if (kernel.sections[s].kind == SectionKind::Loop) continue;
        for (size_t n = 0; n < kernel.sections[s].accumulators.size(); ++n) {
            const auto& plan = program->plan.sections[s].accumulators[n];
            Identity identity = identity_of(kernel.sections[s].accumulators[n].combine, plan.state);
            identity.slot = plan.slot;
            identities.push_back(identity);
            if (plan.position_slot < 0) continue;
            Identity position;
            position.slot = plan.position_slot;
            position.item = 8;
            put(position, std::numeric_limits<int64_t>::max());
            identities.push_back(position);
        }
    }
    for (const RunningPlan& running : program->plan.running) {
        DType state = program->plan.streams[static_cast<size_t>(running.stream)].dtype;
        program->running_start.push_back(identity_of(running.combine, state));
    }
    return program;
}

}  // namespace croton::cpu
