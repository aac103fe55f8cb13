#include "croton/backend/cpu/emit_section.hpp"

namespace croton::cpu {

using namespace llvm;

// One variable or two for each accumulator, at the current width, holding what folds to nothing.
std::vector<SectionEmitter::Running> SectionEmitter::start_accumulators() {
    std::vector<Running> made;
    for (size_t n = 0; n < section_.accumulators.size(); ++n) {
        DType state = uses_.accumulators[n].state;
        Running running;
        running.type = scalars_.type(state);
        running.value = variable(running.type);
        if (is_complex(state)) running.imaginary = variable(running.type);
        write(running, scalars_.identity(section_.accumulators[n].combine, state));
        if (uses_.accumulators[n].position_slot >= 0) {
            running.position_type = scalars_.type(DType::Int64);
            running.position = variable(running.position_type);
            b_.CreateStore(scalars_.splat(b_.getInt64(INT64_MAX)), running.position);
        }
        made.push_back(running);
    }
    return made;
}

Lanes SectionEmitter::read(const Running& running) {
    return {b_.CreateLoad(running.type, running.value),
            running.imaginary ? b_.CreateLoad(running.type, running.imaginary) : nullptr};
}

void SectionEmitter::write(const Running& running, Lanes value) {
    b_.CreateStore(value.re, running.value);
    if (running.imaginary) b_.CreateStore(value.im, running.imaginary);
}

// Folds this body's values in; lanes that do not exist keep what they had.
void SectionEmitter::fold(std::vector<Running>& accumulators, Value* mask) {
    for (size_t n = 0; n < accumulators.size(); ++n) {
        const auto& what = section_.accumulators[n];
        const Running& running = accumulators[n];
        DType state = uses_.accumulators[n].state;
        Lanes next = value(what.value);
        next = scalars_.cast(next, dtypes_[static_cast<size_t>(what.value)], state);
        Lanes total = read(running);
        if (running.position) {
            Value* position = number_stream(plan_.position_stream).re;
            Scalars::Extreme best{total.re, b_.CreateLoad(running.position_type, running.position)};
            auto better = scalars_.better(what.combine, state, best, {next.re, position});
            if (mask) {
                better.value = b_.CreateSelect(mask, better.value, best.value);
                better.position = b_.CreateSelect(mask, better.position, best.position);
            }
            write(running, {better.value});
            b_.CreateStore(better.position, running.position);
            continue;
        }
        Lanes folded = scalars_.combine(what.combine, state, total, next);
        write(running, mask ? scalars_.select(mask, folded, total) : folded);
    }
}

// Lanes and copies are folded together, then with what the slot holds from earlier calls.
void SectionEmitter::finish_accumulators(std::vector<std::vector<Running>>& copies, unsigned width,
                                         std::vector<Running>& rest) {
    for (size_t n = 0; n < section_.accumulators.size(); ++n) {
        auto how = section_.accumulators[n].combine;
        const auto& where = uses_.accumulators[n];
        DType state = where.state;
        struct Partial {
            Lanes value;
            Value* position;
        };
        auto get = [&](const Running& running) {
            return Partial{read(running),
                           running.position ? b_.CreateLoad(running.position_type, running.position)
                                            : nullptr};
        };
        auto join = [&](Partial x, Partial y) -> Partial {
            if (!x.position) return {scalars_.combine(how, state, x.value, y.value), nullptr};
            auto best =
                scalars_.better(how, state, {x.value.re, x.position}, {y.value.re, y.position});
            return {{best.value}, best.position};
        };
        scalars_.set_width(width);
        Partial total = get(copies[0][n]);
        for (size_t c = 1; c < copies.size(); ++c) total = join(total, get(copies[c][n]));
        // Halves meet through memory: shuffles of wide vectors take LLVM very long. In tailored
        // code they are worth it: the section that comes next waits for what is folded.
        auto halves = [&](Value* vector, DType dtype) -> std::pair<Value*, Value*> {
            unsigned half = scalars_.width();
            if (plan_.tailored) {
                llvm::SmallVector<int, 16> low, high;
                for (unsigned i = 0; i < half; ++i) {
                    low.push_back(static_cast<int>(i));
                    high.push_back(static_cast<int>(half + i));
                }
                if (half > 1)
                    return {b_.CreateShuffleVector(vector, low),
                            b_.CreateShuffleVector(vector, high)};
                return {b_.CreateExtractElement(vector, uint64_t{0}),
                        b_.CreateExtractElement(vector, uint64_t{1})};
            }
            scalars_.set_width(2 * half);
            Value* stored = scalars_.to_memory(dtype, vector);
            scalars_.set_width(half);
            auto* place = at_function_entry().CreateAlloca(stored->getType());
            place->setAlignment(Align(64));
            b_.CreateAlignedStore(stored, place, Align(64));
            Type* type = scalars_.widened(scalars_.memory_type(dtype));
            auto align = Align(static_cast<uint64_t>(dtype_size(dtype)));
            Value* upper = b_.CreateConstInBoundsGEP1_32(type, place, 1);
            return {scalars_.from_memory(dtype, b_.CreateAlignedLoad(type, place, align)),
                    scalars_.from_memory(dtype, b_.CreateAlignedLoad(type, upper, align))};
        };
        for (unsigned lanes = width; lanes > 1; lanes /= 2) {
            scalars_.set_width(lanes / 2);
            auto [low, high] = halves(total.value.re, state);
            std::pair<Value*, Value*> positions{};
            if (total.position) positions = halves(total.position, DType::Int64);
            total = join({{low}, positions.first}, {{high}, positions.second});
        }
        scalars_.set_width(1);
        if (!rest.empty()) total = join(total, get(rest[n]));
        mask_ = nullptr;
        auto address = [&](int slot) -> Value* {
            if (row_) return row_->places[static_cast<size_t>(slot)];
            return b_.CreateIntToPtr(word(plan_.streams[static_cast<size_t>(slot)].word),
                                     b_.getPtrTy());
        };
        Value* place = address(where.slot);
        Value* position = where.position_slot >= 0 ? address(where.position_slot) : nullptr;
        total = join({load_from(place, state, nullptr),
                      position ? load_from(position, DType::Int64, nullptr).re : nullptr},
                     total);
        b_.CreateStore(scalars_.to_memory(state, total.value.re), place);
        if (total.value.im)
            b_.CreateStore(total.value.im,
                           b_.CreateConstInBoundsGEP1_32(scalars_.memory_type(state), place, 1));
        if (position) b_.CreateStore(total.position, position);
    }
}

// Running values lie in memory that is ours and longer than a row: whole vectors are loaded and
// stored, lanes that do not exist as they were.
void SectionEmitter::fold_across() {
    Value* mask = mask_;
    for (size_t n = 0; n < section_.across.size(); ++n) {
        if (uses_.across[n] < 0) continue;
        const auto& what = section_.across[n];
        DType state = plan_.streams[static_cast<size_t>(uses_.across[n])].dtype;
        mask_ = mask;
        Lanes next = value(what.value);
        next = scalars_.cast(next, dtypes_[static_cast<size_t>(what.value)], state);
        mask_ = nullptr;
        Lanes total = load_stream(uses_.across[n]);
        Lanes folded = scalars_.combine(what.combine, state, total, next);
        bool some = mask && scalars_.width() > 1;
        store_stream(uses_.across[n], some ? scalars_.select(mask, folded, total) : folded, state);
    }
    mask_ = mask;
}

// In the form with lanes along an outer axis running values lie in memory between calls.
void SectionEmitter::load_accumulators(std::vector<Running>& accumulators, Value* mask) {
    mask_ = mask;
    for (size_t n = 0; n < accumulators.size(); ++n) {
        const auto& where = uses_.accumulators[n];
        write(accumulators[n], load_stream(where.slot));
        if (where.position_slot >= 0)
            b_.CreateStore(load_stream(where.position_slot).re, accumulators[n].position);
    }
}

void SectionEmitter::store_accumulators(std::vector<Running>& accumulators, Value* mask) {
    mask_ = mask;
    for (size_t n = 0; n < accumulators.size(); ++n) {
        const auto& where = uses_.accumulators[n];
        store_stream(where.slot, read(accumulators[n]), where.state);
        if (where.position_slot < 0) continue;
        Value* position = b_.CreateLoad(accumulators[n].position_type, accumulators[n].position);
        store_stream(where.position_slot, {position}, DType::Int64);
    }
}

// --- states

std::vector<SectionEmitter::Running> SectionEmitter::start_states() {
    std::vector<Running> made;
    for (const auto& carried : section_.carried) {
        Running running;
        running.type = scalars_.type(carried.dtype);
        running.value = variable(running.type);
        if (is_complex(carried.dtype)) running.imaginary = variable(running.type);
        made.push_back(running);
    }
    return made;
}

void SectionEmitter::load_states(std::vector<Running>& states, Value* mask) {
    mask_ = mask;
    values_.assign(static_cast<size_t>(kernel_.values), {});
    for (size_t n = 0; n < states.size(); ++n) write(states[n], value(section_.carried[n].initial));
}

// All at once: what one state becomes may be what another one was.
void SectionEmitter::step_states(std::vector<Running>& states) {
    std::vector<Lanes> next;
    for (const auto& carried : section_.carried) next.push_back(value(carried.next));
    for (size_t n = 0; n < states.size(); ++n) write(states[n], next[n]);
}

}  // namespace croton::cpu
