#include "croton/backend/cpu/emit_section.hpp"
#include "croton/base/error.hpp"

namespace croton::cpu {

using namespace llvm;
using kernel::OpCode;
using kernel::SectionKind;

void SectionEmitter::emit_body(Value* mask) {
    mask_ = mask;
    values_.assign(static_cast<size_t>(kernel_.values), {});
    for (const auto& i : section_.body) {
        emit_instruction(i);
        if (i.result < 0) continue;
        auto id = static_cast<size_t>(i.result);
        if (plan_.kept_streams[id] >= 0) store_stream(plan_.kept_streams[id], values_[id], i.dtype);
        if (uses_.kind != SectionKind::Outer) continue;
        if (plan_.value_slots[id] >= 0) store_stream(plan_.value_slots[id], values_[id], i.dtype);
    }
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
    if (int slot = plan_.value_slots[v]; slot >= 0) {
        DType stored = plan_.streams[static_cast<size_t>(slot)].dtype;
        Lanes kept = load_stream(slot);
        bool position =
            definitions_[v] == nullptr && stored == DType::Int64 && dtypes_[v] == DType::Int64;
        values_[v] = scalars_.cast(kept, stored, dtypes_[v]);
        if (position) {  // an ArgMax over nothing is 0; a sum is never this number by accident
            for (const auto& section : plan_.sections)
                for (const auto& a : section.accumulators)
                    if (a.position_slot == slot) {
                        Value* none = scalars_.splat(b_.getInt64(INT64_MAX));
                        values_[v].re = b_.CreateSelect(b_.CreateICmpEQ(kept.re, none),
                                                        scalars_.splat(b_.getInt64(0)), kept.re);
                    }
        }
        return values_[v];
    }
    CROTON_ASSERT(definitions_[v] && is_rematerialised(definitions_[v]->op));
    emit_instruction(*definitions_[v]);
    return values_[v];
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
    bool whole = live.buffer && masked_throughout();  // fill_rests has seen to the last one
    return load_from(b_.CreateLoad(b_.getPtrTy(), live.at),
                     plan_.streams[static_cast<size_t>(stream)].dtype, whole ? nullptr : mask_);
}

void SectionEmitter::store_stream(int stream, Lanes value, DType dtype) {
    const Stream& target = plan_.streams[static_cast<size_t>(stream)];
    (void)dtype;
    Value* address = b_.CreateLoad(b_.getPtrTy(), live_[static_cast<size_t>(stream)].at);
    auto align = Align(static_cast<uint64_t>(dtype_size(real_dtype(target.dtype))));
    if (is_complex(target.dtype)) {
        Type* element = scalars_.memory_type(target.dtype);
        b_.CreateAlignedStore(value.re, address, align);
        b_.CreateAlignedStore(value.im, b_.CreateConstInBoundsGEP1_32(element, address, 1), align);
        return;
    }
    Value* stored = scalars_.to_memory(target.dtype, value.re);
    if (mask_ && scalars_.width() > 1)
        b_.CreateMaskedStore(stored, address, align, mask_);
    else
        b_.CreateAlignedStore(stored, address, align);
}

Lanes SectionEmitter::number_stream(int stream) {
    const Live& live = live_[static_cast<size_t>(stream)];
    Value* first = scalars_.splat(b_.CreateLoad(b_.getInt64Ty(), live.at));
    return {scalars_.width() == 1 ? first : b_.CreateAdd(first, live.offsets)};
}

// --- tables

Value* SectionEmitter::any(Value* condition) {
    if (scalars_.width() == 1) return condition;
    Value* bits = b_.CreateBitCast(condition, b_.getIntNTy(scalars_.width()));
    return b_.CreateICmpNE(bits, Constant::getNullValue(bits->getType()));
}

Lanes SectionEmitter::load_at(const kernel::Instruction& i) {
    const TablePlan& table = plan_.tables[static_cast<size_t>(i.operand)];
    DType dtype = kernel_.operands[static_cast<size_t>(i.operand)].dtype;
    Type* logical = scalars_.widened(b_.getInt1Ty());
    Value* allowed = mask_ ? mask_ : ConstantInt::getTrue(logical);
    Value* offsets = scalars_.splat(b_.getInt64(0));
    Value* faults = ConstantInt::getFalse(logical);
    llvm::SmallVector<Value*, 4> indices, bad;
    for (int axis = 0; axis < table.rank; ++axis) {
        Value* index = value(i.arguments[static_cast<size_t>(axis)]).re;
        Value* size = scalars_.splat(word(table.word + 1 + axis));
        Value* stride = scalars_.splat(word(table.word + 1 + table.rank + axis));
        Value* inside = b_.CreateICmpULT(index, size);
        indices.push_back(index);
        bad.push_back(b_.CreateAnd(allowed, b_.CreateNot(inside)));
        faults = b_.CreateOr(faults, bad.back());
        allowed = b_.CreateAnd(allowed, inside);
        offsets = b_.CreateAdd(offsets, b_.CreateMul(index, stride));
    }
    if (table.rank > 0) note_faults(i, indices, bad);
    Value* base = b_.CreateIntToPtr(word(table.word), b_.getPtrTy());
    if (!is_complex(dtype))
        return {scalars_.from_memory(dtype, gather_or_load(base, offsets, allowed, dtype))};
    if (!zeros_) zeros_ = gather(base, offsets, nullptr, dtype);  // only makes the zeros
    Value* address = b_.CreateSelect(allowed, b_.CreateGEP(b_.getInt8Ty(), base, offsets), zeros_);
    return load_from(address, dtype, mask_);
}

// Neighbouring elements are loaded as one vector, whatever expression their positions come from.
Value* SectionEmitter::gather_or_load(Value* base, Value* offsets, Value* allowed, DType dtype) {
    if (scalars_.width() == 1) return gather(base, offsets, allowed, dtype);
    Value* first = b_.CreateExtractElement(offsets, uint64_t{0});
    Value* steps = b_.CreateMul(
        scalars_.iota(), scalars_.splat(b_.getInt64(static_cast<uint64_t>(dtype_size(dtype)))));
    Value* same = b_.CreateICmpEQ(offsets, b_.CreateAdd(scalars_.splat(first), steps));
    Value* wrong = b_.CreateNot(b_.CreateAnd(same, allowed));
    if (mask_) wrong = b_.CreateAnd(wrong, mask_);
    Type* type = scalars_.widened(scalars_.memory_type(dtype));
    auto& context = module_.getContext();
    auto* scattered = BasicBlock::Create(context, "scattered", function_);
    auto* adjacent = BasicBlock::Create(context, "adjacent", function_);
    auto* after = BasicBlock::Create(context, "gathered", function_);
    b_.CreateCondBr(any(wrong), scattered, adjacent);
    b_.SetInsertPoint(scattered);
    Value* gathered = gather(base, offsets, allowed, dtype);
    auto* scattered_end = b_.GetInsertBlock();
    b_.CreateBr(after);
    b_.SetInsertPoint(adjacent);
    Value* address = b_.CreateGEP(b_.getInt8Ty(), base, first);
    Value* loaded = mask_ ? static_cast<Value*>(b_.CreateMaskedLoad(type, address, Align(1), mask_,
                                                                    Constant::getNullValue(type)))
                          : b_.CreateAlignedLoad(type, address, Align(1));
    b_.CreateBr(after);
    b_.SetInsertPoint(after);
    auto* result = b_.CreatePHI(type, 2);
    result->addIncoming(gathered, scattered_end);
    result->addIncoming(loaded, adjacent);
    return result;
}

Value* SectionEmitter::gather(Value* base, Value* offsets, Value* allowed, DType dtype) {
    Type* element = scalars_.memory_type(dtype);
    unsigned width = scalars_.width();
    if (!zeros_) {  // where lanes that are out of bounds read
        auto* zeros = at_function_entry().CreateAlloca(ArrayType::get(b_.getInt64Ty(), 2));
        IRBuilder<> entry(entry_, entry_->begin());
        entry.CreateStore(Constant::getNullValue(zeros->getAllocatedType()), zeros);
        zeros_ = zeros;
    }
    if (!allowed) return zeros_;
    Value* addresses = b_.CreateGEP(b_.getInt8Ty(), base, offsets);
    auto align = Align(static_cast<uint64_t>(dtype_size(real_dtype(dtype))));
    if (width > 1 && level_.masks && dtype_size(dtype) >= 4) {
        Type* type = scalars_.widened(element);
        return b_.CreateMaskedGather(type, addresses, align, allowed, Constant::getNullValue(type));
    }
    addresses = b_.CreateSelect(allowed, addresses, scalars_.splat(zeros_));
    if (width == 1) return b_.CreateAlignedLoad(element, addresses, align);
    Value* all = PoisonValue::get(scalars_.widened(element));
    for (unsigned lane = 0; lane < width; ++lane) {
        Value* address = b_.CreateExtractElement(addresses, lane);
        all = b_.CreateInsertElement(all, b_.CreateAlignedLoad(element, address, align), lane);
    }
    return all;
}

void SectionEmitter::note_faults(const kernel::Instruction& i, ArrayRef<Value*> indices,
                                 ArrayRef<Value*> bad) {
    unsigned width = scalars_.width();
    const TablePlan& table = plan_.tables[static_cast<size_t>(i.operand)];
    Value* faults = bad[0];
    for (Value* more : bad.drop_front()) faults = b_.CreateOr(faults, more);
    auto entry = at_function_entry();
    Value* kept_indices = entry.CreateAlloca(ArrayType::get(b_.getInt64Ty(), width));
    Value* kept_bad = entry.CreateAlloca(ArrayType::get(b_.getInt8Ty(), width));
    Value* fault = b_.CreateIntToPtr(word(fault_word), b_.getPtrTy());
    Type* word_type = b_.getInt64Ty();
    auto callee = module_.getOrInsertFunction(
        "croton_note_fault", FunctionType::get(b_.getVoidTy(),
                                               {b_.getPtrTy(), word_type, word_type, word_type,
                                                b_.getPtrTy(), b_.getPtrTy(), word_type},
                                               false));
    when(any(faults), [&] {
        for (size_t axis = 0; axis < indices.size(); ++axis) {
            Value* size = word(table.word + 1 + static_cast<int>(axis));
            b_.CreateAlignedStore(indices[axis], kept_indices, Align(8));
            b_.CreateAlignedStore(b_.CreateZExt(bad[axis], scalars_.widened(b_.getInt8Ty())),
                                  kept_bad, Align(1));
            b_.CreateCall(callee,
                          {fault, b_.getInt64(static_cast<uint64_t>(i.operand)), b_.getInt64(axis),
                           size, kept_indices, kept_bad, b_.getInt64(width)});
        }
    });
}

}  // namespace croton::cpu
