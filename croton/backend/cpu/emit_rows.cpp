#include "croton/backend/cpu/emit_rows.hpp"

namespace croton::cpu {

using namespace llvm;

RowEmitter::RowEmitter(Function& function, const Plan& plan, const Scalars& types,
                       BasicBlock& start)
    : function_(function), plan_(plan) {
    row_.entry = &start;
    row_.places.resize(plan.streams.size());
    start_places(types);
    head_ = end_ = BasicBlock::Create(function.getContext(), "row", &function);
    IRBuilder<> b(&start);
    Type* number = b.getInt64Ty();
    b.CreateBr(head_);
    b.SetInsertPoint(head_);
    number_ = b.CreatePHI(number, 2);
    number_->addIncoming(b.getInt64(0), &start);
}

// Of what some section uses.
void RowEmitter::start_places(const Scalars& types) {
    auto& context = function_.getContext();
    for (const SectionPlan& section : plan_.sections) {
        for (int s : section.ins) start_place(s, PointerType::get(context, 0));
        for (int s : section.outs) start_place(s, PointerType::get(context, 0));
        for (int s : section.numbers) start_place(s, Type::getInt64Ty(context));
    }
    for (size_t s = 0; s < plan_.streams.size(); ++s)
        if (plan_.streams[s].kind == StreamKind::Slot)
            start_place(static_cast<int>(s), types.memory_type(plan_.streams[s].dtype));
}

void RowEmitter::start_place(int s, Type* type) {
    AllocaInst*& place = row_.places[static_cast<size_t>(s)];
    if (place) return;
    const Stream& stream = plan_.streams[static_cast<size_t>(s)];
    BasicBlock& first = function_.getEntryBlock();
    place = IRBuilder<>(&first, first.begin()).CreateAlloca(type);
    if (stream.kind == StreamKind::Slot) return;
    IRBuilder<> b(row_.entry);
    Value* where = word(b, stream.word);
    b.CreateStore(type->isPointerTy() ? b.CreateIntToPtr(where, type) : where, place);
}

Value* RowEmitter::word(IRBuilder<>& b, int number) const {
    auto* type = b.getInt64Ty();
    return b.CreateLoad(type, b.CreateConstInBoundsGEP1_64(type, function_.getArg(0),
                                                           static_cast<uint64_t>(number)));
}

void RowEmitter::add(SectionEmitter& section) { end_ = section.emit(function_, end_, row_); }

void RowEmitter::finish(std::vector<AllocaInst*>& variables) {
    IRBuilder<> entry(row_.entry->getTerminator()), b(end_);
    Value* rows = word(entry, rows_word);
    move_places(b);
    Value* next = b.CreateAdd(number_, b.getInt64(1), "", true, true);
    number_->addIncoming(next, end_);
    auto* done = BasicBlock::Create(function_.getContext(), "done", &function_);
    b.CreateCondBr(b.CreateICmpSLT(next, rows), head_, done);
    b.SetInsertPoint(done);
    b.CreateRetVoid();
    for (AllocaInst* place : row_.places)
        if (place) variables.push_back(place);
}

// To the next row; kept and running values are the same for all.
void RowEmitter::move_places(IRBuilder<>& b) {
    for (size_t s = 0; s < row_.places.size(); ++s) {
        AllocaInst* place = row_.places[s];
        if (!place || plan_.streams[s].kind >= StreamKind::Slot) continue;
        IRBuilder<> entry(row_.entry->getTerminator());
        Value* step = word(entry, plan_.streams[s].word + 1);
        Value* at = b.CreateLoad(place->getAllocatedType(), place);
        bool address = at->getType()->isPointerTy();
        b.CreateStore(address ? b.CreateGEP(b.getInt8Ty(), at, step) : b.CreateAdd(at, step),
                      place);
    }
}

}  // namespace croton::cpu
