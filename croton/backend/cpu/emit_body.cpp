#include "croton/backend/cpu/emit_section.hpp"
#include "croton/base/error.hpp"

namespace croton::cpu {

using namespace llvm;
using kernel::OpCode;
using kernel::SectionKind;

void SectionEmitter::emit_body(Value* mask) {
    mask_ = mask;
    values_.assign(static_cast<size_t>(kernel_.values), {});
    for (size_t n = 0; states_ && n < states_->size(); ++n)
        values_[static_cast<size_t>(section_.carried[n].current)] = read((*states_)[n]);
    for (const auto& i : section_.body) {
        if (i.result >= 0 && scalars_.width() > 1 && positions_.spare(i.result)) continue;
        emit_instruction(i);
        if (i.result < 0) continue;
        auto id = static_cast<size_t>(i.result);
        if (plan_.kept_streams[id] >= 0) store_stream(plan_.kept_streams[id], values_[id], i.dtype);
        if (uses_.kind != SectionKind::Outer) continue;
        if (plan_.value_slots[id] >= 0) store_stream(plan_.value_slots[id], values_[id], i.dtype);
    }
    fold_across();
}

void SectionEmitter::emit_instruction(const kernel::Instruction& i) {
    Lanes result;
    auto operand = static_cast<size_t>(i.operand);
    auto uniform = [&](int number) { return Lanes{scalars_.splat(word(number))}; };
    switch (i.op) {
        case OpCode::constant_: result = scalars_.constant(i.dtype, i.number, i.integer); break;
        case OpCode::index_:
            result = number_stream(plan_.index_streams[static_cast<size_t>(i.axis)]);
            break;
        case OpCode::extent_: result = uniform(extents_word + i.axis); break;
        case OpCode::size_: result = uniform(plan_.tables[operand].word + 1 + i.axis); break;
        case OpCode::load_: result = load_stream(plan_.operand_streams[operand]); break;
        case OpCode::load_at_: result = load_at(i); break;
        case OpCode::store_:
            store_stream(plan_.operand_streams[operand], value(i.arguments[0]), i.dtype);
            return;
        case OpCode::cast_:
        case OpCode::bitcast_: {
            Lanes x = value(i.arguments[0]);
            DType from = dtypes_[static_cast<size_t>(i.arguments[0])];
            result = i.op == OpCode::cast_ ? scalars_.cast(x, from, i.dtype)
                                           : scalars_.bitcast(x, from, i.dtype);
            break;
        }
        default: {
            llvm::SmallVector<Lanes, 3> arguments;
            for (auto argument : i.arguments) arguments.push_back(value(argument));
            size_t which = i.op == OpCode::select_ ? 1 : 0;
            DType dtype = dtypes_[static_cast<size_t>(i.arguments[which])];
            result = scalars_.compute(i.op, dtype, arguments);
        }
    }
    values_[static_cast<size_t>(i.result)] = result;
}

// From this copy of the body, from a slot, or computed anew.
Lanes SectionEmitter::value(kernel::ValueId id) {
    auto v = static_cast<size_t>(id);
    if (values_[v].re) return values_[v];
    if (int kept = plan_.kept_streams[v]; kept >= 0) return values_[v] = load_stream(kept);
    if (int slot = plan_.value_slots[v]; slot >= 0) return values_[v] = slot_value(slot, v);
    CROTON_ASSERT(definitions_[v] && is_rematerialised(definitions_[v]->op));
    emit_instruction(*definitions_[v]);
    return values_[v];
}

// What is the same in all lanes is converted once.
Lanes SectionEmitter::slot_value(int slot, size_t v) {
    unsigned width = scalars_.width();
    bool uniform = live_[static_cast<size_t>(slot)].uniform.re;
    if (uniform) scalars_.set_width(1);
    DType stored = plan_.streams[static_cast<size_t>(slot)].dtype;
    Lanes kept = load_stream(slot), result = scalars_.cast(kept, stored, dtypes_[v]);
    if (is_position(slot) && !definitions_[v]) {  // an ArgMax over nothing is 0
        Value* none = scalars_.splat(b_.getInt64(INT64_MAX));
        result.re = b_.CreateSelect(b_.CreateICmpEQ(kept.re, none), scalars_.splat(b_.getInt64(0)),
                                    kept.re);
    }
    scalars_.set_width(width);
    if (!uniform) return result;
    return {scalars_.splat(result.re), result.im ? scalars_.splat(result.im) : nullptr};
}

bool SectionEmitter::is_position(int slot) const {
    for (const auto& section : plan_.sections)
        for (const auto& a : section.accumulators)
            if (a.position_slot == slot) return true;
    return false;
}

// --- streams

Lanes SectionEmitter::load_from(Value* address, DType dtype, Value* mask) {
    Type* element = scalars_.memory_type(dtype);
    auto align = Align(static_cast<uint64_t>(dtype_size(real_dtype(dtype))));
    if (is_complex(dtype))
        return {b_.CreateAlignedLoad(element, address, align),
                b_.CreateAlignedLoad(element, b_.CreateConstInBoundsGEP1_32(element, address, 1),
                                     align)};
    Type* type = scalars_.widened(element);
    Value* stored = mask && scalars_.width() > 1
                        ? static_cast<Value*>(b_.CreateMaskedLoad(type, address, align, mask,
                                                                  Constant::getNullValue(type)))
                        : b_.CreateAlignedLoad(type, address, align);
    return {scalars_.from_memory(dtype, stored)};
}

Lanes SectionEmitter::load_stream(int stream) {
    const Live& live = live_[static_cast<size_t>(stream)];
    if (live.uniform.re)
        return {scalars_.splat(live.uniform.re),
                live.uniform.im ? scalars_.splat(live.uniform.im) : nullptr};
    if (plan_.streams[static_cast<size_t>(stream)].apart > 1 && scalars_.width() > 1)
        return load_apart(stream);
    bool whole = live.buffer && masked_throughout();  // fill_rests has seen to the last one
    return load_from(where(stream), plan_.streams[static_cast<size_t>(stream)].dtype,
                     whole ? nullptr : mask_);
}

// Lanes some items apart: all between them are loaded, and shuffled out. Of the rest of a row only
// what is there is read.
Lanes SectionEmitter::load_apart(int stream) {
    const Live& live = live_[static_cast<size_t>(stream)];
    const Stream& what = plan_.streams[static_cast<size_t>(stream)];
    Value* at = where(stream);
    if (mask_) {
        Value* offsets = b_.CreateMul(scalars_.iota(), scalars_.splat(live.step));
        return {scalars_.from_memory(what.dtype, gather(at, offsets, mask_, what.dtype))};
    }
    Type* type = scalars_.widened(scalars_.memory_type(what.dtype));
    return {scalars_.from_memory(what.dtype, pick(type, at, static_cast<unsigned>(what.apart)))};
}

Value* SectionEmitter::pick(Type* type, Value* address, unsigned apart) {
    auto* element = cast<VectorType>(type)->getElementType();
    int lanes = static_cast<int>(scalars_.width());
    auto behind = [&](unsigned vectors) {
        return b_.CreateConstInBoundsGEP1_32(type, address, vectors);
    };
    auto align = Align(element->getPrimitiveSizeInBits() / 8);
    if (apart == 1) return b_.CreateAlignedLoad(type, address, align);
    llvm::SmallVector<int, 32> first, second;
    if (apart == 3) {
        for (int i = 0; i < lanes; ++i) {
            bool early = 3 * i < 2 * lanes;  // in the first two vectors
            first.push_back(early ? 3 * i : 0);
            second.push_back(early ? i : 3 * i - lanes);
        }
        Value* two =
            b_.CreateShuffleVector(pick(type, address, 1), pick(type, behind(1), 1), first);
        return b_.CreateShuffleVector(two, pick(type, behind(2), 1), second);
    }
    for (int i = 0; i < lanes; ++i) first.push_back(2 * i);
    Value* low = pick(type, address, apart / 2);
    return b_.CreateShuffleVector(low, pick(type, behind(apart / 2), apart / 2), first);
}

void SectionEmitter::store_stream(int stream, Lanes value, DType dtype) {
    if (unstored_) return unstored_->push_back({stream, value, dtype});
    const Stream& target = plan_.streams[static_cast<size_t>(stream)];
    (void)dtype;
    Value* address = where(stream);
    auto align = Align(static_cast<uint64_t>(dtype_size(real_dtype(target.dtype))));
    if (is_complex(target.dtype)) {
        Type* element = scalars_.memory_type(target.dtype);
        b_.CreateAlignedStore(value.re, address, align);
        b_.CreateAlignedStore(value.im, b_.CreateConstInBoundsGEP1_32(element, address, 1), align);
        return;
    }
    Value* stored = scalars_.to_memory(target.dtype, value.re);
    uint64_t bytes = scalars_.width() * static_cast<uint64_t>(target.item);
    if (mask_ && scalars_.width() > 1)
        b_.CreateMaskedStore(stored, address, align, mask_);
    else if (target.streaming && scalars_.width() > 1)
        b_.CreateAlignedStore(stored, address, Align(std::min<uint64_t>(64, bytes)))
            ->setMetadata(
                LLVMContext::MD_nontemporal,
                MDNode::get(module_.getContext(), ConstantAsMetadata::get(b_.getInt32(1))));
    else
        b_.CreateAlignedStore(stored, address, align);
}

Lanes SectionEmitter::number_stream(int stream) {
    const Live& live = live_[static_cast<size_t>(stream)];
    Value* first = scalars_.splat(b_.CreateLoad(b_.getInt64Ty(), live.at));
    return {scalars_.width() == 1 ? first : b_.CreateAdd(first, live.offsets)};
}

}  // namespace croton::cpu
