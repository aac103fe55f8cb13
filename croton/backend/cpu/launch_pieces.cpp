// A reduction over everything: in pieces.
#include <algorithm>

#include "croton/backend/cpu/launcher.hpp"
#include "croton/backend/cpu/partial.hpp"
#include "croton/runtime/threads.hpp"

namespace croton::cpu {

using kernel::Fault;
using kernel::SectionKind;

namespace {
constexpr int64_t most_pieces = 64;
}  // namespace

// Of the whole launch, whichever part of it this is.
bool Launcher::one_outer_index() const {
    return std::all_of(launch_.extents, launch_.extents + plan_.outer,
                       [](int64_t extent) { return extent == 1; });
}

Launcher::Cut Launcher::cut_of(const Axes& inner) {
    int64_t wanted = std::min<int64_t>(inner.points() / piece_points, most_pieces);
    Cut cut;
    for (int a = 1; a < inner.count; ++a)
        if (inner.extents[cut.axis] < std::min(wanted, inner.extents[a])) cut.axis = a;
    int64_t extent = inner.extents[cut.axis], whole = cut.axis == inner.count - 1 ? 64 : 1;
    cut.length = (extent + wanted - 1) / wanted;
    cut.length = (cut.length + whole - 1) / whole * whole;
    cut.pieces = (extent + cut.length - 1) / cut.length;
    return cut;
}

void Launcher::run_pieces(Axes& inner) {
    take_rows();
    Cut cut = cut_of(inner);
    Order order = order_of(inner, best_lane(inner));
    KeptRows kept(plan_.kept_bytes * inner.points(), nullptr);
    place_kept(kept, inner, order, 1);
    auto slots = std::make_unique<char[]>(plan_.streams.size() * 16);
    place_slots(slots.get(), 1);
    set_steps({});
    for (size_t n = 0; n < plan_.sections.size(); ++n) {
        const SectionPlan& section = plan_.sections[n];
        if (section.kind == SectionKind::Outer)
            call(section_selector(n, false), section, {}, false);
        else
            run_in_pieces(n, inner, order, cut);
    }
}

// Each piece folds into accumulators of its own, which are folded together in order.
void Launcher::run_in_pieces(size_t section, const Axes& inner, const Order& order,
                             const Cut& cut) {
    start_slots(section, 1);
    size_t bytes = (16 * program_.identities[section].size() + 63) / 64 * 64;
    auto pieces = static_cast<size_t>(cut.pieces);
    auto partials = std::make_unique<char[]>(pieces * bytes);
    auto faults = std::make_unique<Fault[]>(pieces);
    runtime::parallel_for(cut.pieces, 1, [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) {
            Launcher piece(*this);
            auto n = static_cast<size_t>(i);
            piece.run_piece(section, inner, order, cut, i, partials.get() + n * bytes);
            faults[n] = piece.fault_;
        }
    });
    for (size_t n = pieces; n-- > 0;)
        if (faults[n].operand >= 0) fault_ = faults[n];
    for (size_t n = 0; n < pieces; ++n) fold_piece(section, partials.get() + n * bytes);
}

void Launcher::run_piece(size_t section, Axes inner, const Order& order, const Cut& cut,
                         int64_t number, char* partials) {
    int64_t extents[64], first = number * cut.length;
    std::copy(inner.extents, inner.extents + inner.count, extents);
    extents[cut.axis] = std::min(cut.length, inner.extents[cut.axis] - first);
    inner.extents = extents;
    for (int s = 0; s < streams_; ++s) at_[s] += first * inner.stride(cut.axis, s);
    for (const Identity& identity : program_.identities[section]) {
        set_slot(identity.slot, partials, false);
        partials += 16;
    }
    start_slots(section, 1);
    Nest nest = nest_of(inner, order);
    look_ahead(nest, {});
    set_steps(nest);
    const SectionPlan& what = plan_.sections[section];
    bool packed = needs_packing(what, nest);
    walk(inner, order.loops, order.loop_count,
         [&] { call(section_selector(section, false), what, nest, packed); });
}

void Launcher::fold_piece(size_t section, char* partials) {
    auto kept = [&](int slot) {
        return reinterpret_cast<void*>(frame_[plan_.streams[static_cast<size_t>(slot)].word]);
    };
    for (size_t n = 0; n < plan_.sections[section].accumulators.size(); ++n) {
        const AccumulatorPlan& plan = plan_.sections[section].accumulators[n];
        Partial total{kept(plan.slot), nullptr}, next{partials, nullptr};
        partials += 16;
        if (plan.position_slot >= 0) {
            total.position = static_cast<int64_t*>(kept(plan.position_slot));
            next.position = reinterpret_cast<int64_t*>(partials);
            partials += 16;
        }
        auto combine = program_.kernel.sections[section].accumulators[n].combine;
        fold_partial(combine, plan.state, total, next);
    }
}

}  // namespace croton::cpu
