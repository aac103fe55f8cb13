// Elements of tables at computed positions.
#include <algorithm>
#include <utility>

#include "croton/backend/cpu/emit_section.hpp"
#include "croton/base/error.hpp"

namespace croton::cpu {

using namespace llvm;
using kernel::OpCode;

Value* SectionEmitter::any(Value* condition) {
    if (scalars_.width() == 1) return condition;
    Value* bits = b_.CreateBitCast(condition, b_.getIntNTy(scalars_.width()));
    return b_.CreateICmpNE(bits, Constant::getNullValue(bits->getType()));
}

Lanes SectionEmitter::load_at(const kernel::Instruction& i) {
    DType dtype = kernel_.operands[static_cast<size_t>(i.operand)].dtype;
    bool runs = scalars_.width() > 1 && !anywhere_ && runs_.contains(i.result);
    if (runs) return {scalars_.from_memory(dtype, load_run(i))};
    Elements elements = elements_of(i);
    if (!is_complex(dtype))
        return {scalars_.from_memory(
            dtype, anywhere_ ? gather(elements.base, elements.offsets, elements.allowed, dtype)
                             : gather_or_load(elements, dtype))};
    Value* address = b_.CreateGEP(b_.getInt8Ty(), elements.base, elements.offsets);
    return load_from(b_.CreateSelect(elements.allowed, address, zeros()), dtype, mask_);
}

// Where the lanes read, each for itself, and which of them may. Notes the others as faults.
SectionEmitter::Elements SectionEmitter::elements_of(const kernel::Instruction& i) {
    const TablePlan& table = plan_.tables[static_cast<size_t>(i.operand)];
    Type* logical = scalars_.widened(b_.getInt1Ty());
    Value* allowed = mask_ && scalars_.width() > 1 ? mask_ : ConstantInt::getTrue(logical);
    Value* offsets = scalars_.splat(b_.getInt64(0));
    llvm::SmallVector<Value*, 4> indices, bad;
    for (int axis = 0; axis < table.rank; ++axis) {
        Value* index = value(i.arguments[static_cast<size_t>(axis)]).re;
        Value* size = scalars_.splat(word(table.word + 1 + axis));
        Value* stride = scalars_.splat(word(table.word + 1 + table.rank + axis));
        Value* inside = b_.CreateICmpULT(index, size);
        indices.push_back(index);
        bad.push_back(b_.CreateAnd(allowed, b_.CreateNot(inside)));
        allowed = b_.CreateAnd(allowed, inside);
        offsets = b_.CreateAdd(offsets, b_.CreateMul(index, stride));
    }
    if (table.rank > 0 && !quiet_) note_faults(i, indices, bad);
    return {base_of(table), offsets, allowed};
}

Value* SectionEmitter::base_of(const TablePlan& table) {
    return b_.CreateIntToPtr(word(table.word), b_.getPtrTy());
}

// --- told from the first lane

// The value in the first lane, which every row has.
Value* SectionEmitter::first_lane(kernel::ValueId id) {
    auto v = static_cast<size_t>(id);
    if (first_[v].re) return first_[v].re;
    unsigned width = scalars_.width();
    values_.swap(first_);
    scalars_.set_width(1);
    Value* made = needed_value(id);
    scalars_.set_width(width);
    values_.swap(first_);
    return made;
}

// Of a value that the body may have left out. Recursion is bounded by what Positions lets through.
Value* SectionEmitter::needed_value(kernel::ValueId id) {
    auto v = static_cast<size_t>(id);
    if (!values_[v].re && definitions_[v] && plan_.value_slots[v] < 0) {
        for (auto argument : definitions_[v]->arguments) needed_value(argument);
        emit_instruction(*definitions_[v]);
    }
    return value(id).re;
}

// How far the value goes from lane to lane; null: it is the same in all of them.
Value* SectionEmitter::lane_step(kernel::ValueId id) {
    if (positions_.fixed(id)) return nullptr;
    const kernel::Instruction& i = *definitions_[static_cast<size_t>(id)];
    if (i.op == OpCode::index_) {
        int stream = plan_.index_streams[static_cast<size_t>(i.axis)];
        return live_[static_cast<size_t>(stream)].step;
    }
    bool choice = i.op == OpCode::select_;
    Value* zero = b_.getInt64(0);
    Value* one = lane_step(i.arguments[choice ? 1 : 0]);
    Value* other = lane_step(i.arguments[choice ? 2 : 1]);
    if (!one) one = zero;
    if (!other) other = zero;
    if (choice) return b_.CreateSelect(first_lane(i.arguments[0]), one, other);
    return i.op == OpCode::add_ ? b_.CreateAdd(one, other) : b_.CreateSub(one, other);
}

// What the load takes to be the same in all lanes does stand still.
Value* SectionEmitter::sources_stand(const kernel::Instruction& i) {
    Value* stand = b_.getTrue();
    for (const auto* source : positions_.fixed_sources(i)) {
        int stream = source->op == OpCode::index_
                         ? plan_.index_streams[static_cast<size_t>(source->axis)]
                         : plan_.operand_streams[static_cast<size_t>(source->operand)];
        const Live& live = live_[static_cast<size_t>(stream)];
        if (!live.uniform.re)
            stand = b_.CreateAnd(stand, b_.CreateICmpEQ(live.step, b_.getInt64(0)));
    }
    return stand;
}

// Whether a row's lanes, `last` being the last one's number, lie as the load hopes, all in bounds;
// and where the first one reads.
SectionEmitter::Run SectionEmitter::run_of(const kernel::Instruction& i, Value* last) {
    const TablePlan& table = plan_.tables[static_cast<size_t>(i.operand)];
    DType dtype = kernel_.operands[static_cast<size_t>(i.operand)].dtype;
    Value *offset = b_.getInt64(0), *lane_stride = b_.getInt64(0);
    Value* alone = b_.CreateICmpEQ(last, b_.getInt64(0));  // one lane lies as it likes
    Value* holds = b_.CreateOr(alone, sources_stand(i));
    for (int axis = 0; axis < table.rank; ++axis) {
        auto argument = i.arguments[static_cast<size_t>(axis)];
        Value *first = first_lane(argument), *step = lane_step(argument);
        Value* size = word(table.word + 1 + axis);
        Value* stride = word(table.word + 1 + table.rank + axis);
        holds = b_.CreateAnd(holds, b_.CreateICmpULT(first, size));
        offset = b_.CreateAdd(offset, b_.CreateMul(first, stride));
        if (!step) continue;
        Value* end = b_.CreateAdd(first, b_.CreateMul(step, last));
        holds = b_.CreateAnd(holds, b_.CreateICmpULT(end, size));
        lane_stride = b_.CreateAdd(lane_stride, b_.CreateMul(step, stride));
    }
    Value* item = b_.getInt64(static_cast<uint64_t>(dtype_size(dtype)));
    if (positions_.reach(i) == Reach::Neighbours)
        holds = b_.CreateAnd(holds, b_.CreateOr(alone, b_.CreateICmpEQ(lane_stride, item)));
    return {holds, b_.CreateGEP(b_.getInt8Ty(), base_of(table), offset)};
}

// Before the lanes of a row: what they have in common.
void SectionEmitter::start_runs(Value* lanes) {
    runs_.clear();
    if (scalars_.width() == 1) return;
    first_.assign(static_cast<size_t>(kernel_.values), {});
    mask_ = nullptr;
    for (const auto& i : section_.body) {
        if (i.op != OpCode::load_at_ || positions_.spare(i.result)) continue;
        Reach reach = positions_.reach(i);
        if (reach == Reach::Scattered) continue;
        Run run = run_of(i, b_.CreateSub(lanes, b_.getInt64(1)));
        if (reach == Reach::Same) {
            DType dtype = kernel_.operands[static_cast<size_t>(i.operand)].dtype;
            Value* safe = b_.CreateSelect(run.holds, run.first, zeros());
            run.element = b_.CreateAlignedLoad(scalars_.memory_type(dtype), safe, Align(1));
        }
        runs_[i.result] = run;
    }
}

// Rows of a table lie anywhere, and no hardware foresees where: the memory of one that comes some
// rows later is asked for while this one is computed.
void SectionEmitter::prefetch_runs(Value* row) {
    constexpr uint64_t rows_ahead = 4, line = 64;
    bool quiet = std::exchange(quiet_, true);
    Value* last = b_.CreateSub(word(rows_word), b_.getInt64(1));
    Value* then =
        b_.CreateBinaryIntrinsic(Intrinsic::smin, b_.CreateAdd(row, b_.getInt64(rows_ahead)), last);
    Value* ahead = b_.CreateSub(then, row);
    move_rows(ahead);
    first_.assign(static_cast<size_t>(kernel_.values), {});
    for (const auto& i : section_.body) {
        if (!positions_.far_rows(i)) continue;
        Value* address = run_of(i, b_.getInt64(0)).first;
        for (uint64_t n = 0; n < 8; ++n) prefetch(address, n * line);
    }
    move_rows(b_.CreateNeg(ahead));
    quiet_ = quiet;
}

void SectionEmitter::prefetch(Value* address, uint64_t offset) {
    b_.CreateIntrinsic(Intrinsic::prefetch, {b_.getPtrTy()},
                       {b_.CreateConstGEP1_64(b_.getInt8Ty(), address, offset), b_.getInt32(0),
                        b_.getInt32(3), b_.getInt32(1)});
}

bool SectionEmitter::has_far_rows() const {
    return width_ > 1 && std::any_of(section_.body.begin(), section_.body.end(),
                                     [&](const auto& i) { return positions_.far_rows(i); });
}

Value* SectionEmitter::load_run(const kernel::Instruction& i) {
    const Run& run = runs_.at(i.result);
    DType dtype = kernel_.operands[static_cast<size_t>(i.operand)].dtype;
    auto near = [&]() -> Value* {
        if (run.element) return b_.CreateVectorSplat(scalars_.width(), run.element);
        auto item = static_cast<uint64_t>(dtype_size(dtype));
        Value* before = lanes_before_;
        if (copies_before_ > 0) before = b_.CreateAdd(before, b_.getInt64(copies_before_ * width_));
        Value* passed = b_.CreateMul(before, b_.getInt64(item));
        return load_near(b_.CreateGEP(b_.getInt8Ty(), run.first, passed), dtype);
    };
    return choose(run.holds, near, [&] { return load_anywhere(i, dtype); });
}

Value* SectionEmitter::load_near(Value* address, DType dtype) {
    Type* type = scalars_.widened(scalars_.memory_type(dtype));
    if (!mask_) return b_.CreateAlignedLoad(type, address, Align(1));
    return b_.CreateMaskedLoad(type, address, Align(1), mask_, Constant::getNullValue(type));
}

// Inside of a branch: what is computed here is not seen after it.
Value* SectionEmitter::load_anywhere(const kernel::Instruction& i, DType dtype) {
    auto kept = values_;
    anywhere_ = true;
    for (auto argument : i.arguments) needed_value(argument);
    Elements elements = elements_of(i);
    Value* gathered = gather(elements.base, elements.offsets, elements.allowed, dtype);
    anywhere_ = false;
    values_ = std::move(kept);
    return gathered;
}

Value* SectionEmitter::choose(Value* condition, const std::function<Value*()>& yes,
                              const std::function<Value*()>& no) {
    if (auto* known = dyn_cast<ConstantInt>(condition); known && known->isOne()) return yes();
    auto& context = module_.getContext();
    auto* then = BasicBlock::Create(context, "then", function_);
    auto* otherwise = BasicBlock::Create(context, "otherwise", function_);
    auto* after = BasicBlock::Create(context, "chosen", function_);
    b_.CreateCondBr(condition, then, otherwise);
    b_.SetInsertPoint(then);
    Value* one = yes();
    auto* then_end = b_.GetInsertBlock();
    b_.CreateBr(after);
    b_.SetInsertPoint(otherwise);
    Value* other = no();
    auto* otherwise_end = b_.GetInsertBlock();
    b_.CreateBr(after);
    b_.SetInsertPoint(after);
    auto* result = b_.CreatePHI(one->getType(), 2);
    result->addIncoming(one, then_end);
    result->addIncoming(other, otherwise_end);
    return result;
}

// --- each lane for itself

// Neighbouring elements are loaded as one vector, whatever expression their positions come from.
Value* SectionEmitter::gather_or_load(const Elements& e, DType dtype) {
    if (scalars_.width() == 1) return gather(e.base, e.offsets, e.allowed, dtype);
    Value* first = b_.CreateExtractElement(e.offsets, uint64_t{0});
    Value* steps = b_.CreateMul(
        scalars_.iota(), scalars_.splat(b_.getInt64(static_cast<uint64_t>(dtype_size(dtype)))));
    Value* same = b_.CreateICmpEQ(e.offsets, b_.CreateAdd(scalars_.splat(first), steps));
    Value* wrong = b_.CreateNot(b_.CreateAnd(same, e.allowed));
    if (mask_) wrong = b_.CreateAnd(wrong, mask_);
    return choose(
        any(wrong), [&] { return gather(e.base, e.offsets, e.allowed, dtype); },
        [&] {
            Value* address = b_.CreateGEP(b_.getInt8Ty(), e.base, first);
            return load_near(address, dtype);
        });
}

// Where lanes that are out of bounds read.
Value* SectionEmitter::zeros() {
    if (zeros_) return zeros_;
    auto* zeros = at_function_entry().CreateAlloca(ArrayType::get(b_.getInt64Ty(), 2));
    IRBuilder<> entry(entry_, entry_->begin());
    entry.CreateStore(Constant::getNullValue(zeros->getAllocatedType()), zeros);
    return zeros_ = zeros;
}

Value* SectionEmitter::gather(Value* base, Value* offsets, Value* allowed, DType dtype) {
    Type* element = scalars_.memory_type(dtype);
    unsigned width = scalars_.width();
    Value* addresses = b_.CreateGEP(b_.getInt8Ty(), base, offsets);
    auto align = Align(static_cast<uint64_t>(dtype_size(real_dtype(dtype))));
    if (width > 1 && level_.masks && dtype_size(dtype) >= 4) {
        Type* type = scalars_.widened(element);
        return b_.CreateMaskedGather(type, addresses, align, allowed, Constant::getNullValue(type));
    }
    addresses = b_.CreateSelect(allowed, addresses, scalars_.splat(zeros()));
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
