// Eight vectors at a time, for kernels that wait for the divider: quotients.hpp. What they compute
// is stored once it is known that all quotients were in the range that products serve; else the
// group is computed again by divisions, by the code that serves the last lanes of a row.
#include "croton/backend/cpu/emit_section.hpp"

namespace croton::cpu {

using namespace llvm;

namespace {
// Numbers that products do not serve (zeros above all) come in swarms: after one of them so many
// groups are computed by divisions alone.
constexpr uint64_t patience = 32;
}  // namespace

void SectionEmitter::start_groups() {
    if (!shares_quotients()) return;
    waiting_ = variable(b_.getInt64Ty());
    b_.CreateStore(b_.getInt64(0), waiting_);
}

void SectionEmitter::emit_groups(Value* count) {
    loop(b_.getInt64(0), count, b_.getInt64(width_), [&](Value* done) {
        scalars_.set_width(width_);
        lanes_before_ = done;
        copies_before_ = 0;
        emit_group(b_.CreateSub(count, done));
        advance(width_);
    });
}

void SectionEmitter::emit_group(Value* left) {
    auto block = [&](const char* name) {
        return BasicBlock::Create(module_.getContext(), name, function_);
    };
    auto *fast = block("products"), *hold = block("hold"), *fail = block("fail");
    auto *slow = block("divisions"), *after = block("group");
    Value* waiting = b_.CreateLoad(b_.getInt64Ty(), waiting_);
    Value* whole = b_.CreateICmpSGE(left, b_.getInt64(width_));
    Value* tried = b_.CreateICmpEQ(waiting, b_.getInt64(0));
    b_.CreateCondBr(b_.CreateAnd(whole, tried), fast, slow);

    b_.SetInsertPoint(fast);
    std::vector<Unstored> unstored;
    unstored_ = &unstored;
    scalars_.share_quotients(plan_.by_products);
    emit_body(nullptr);
    unstored_ = nullptr;
    b_.CreateCondBr(scalars_.quotients_hold(), hold, fail);
    b_.SetInsertPoint(hold);
    for (const Unstored& store : unstored) store_stream(store.stream, store.value, store.dtype);
    b_.CreateBr(after);
    b_.SetInsertPoint(fail);
    b_.CreateStore(b_.getInt64(patience), waiting_);
    b_.CreateBr(slow);

    b_.SetInsertPoint(slow);
    waiting = b_.CreateLoad(b_.getInt64Ty(), waiting_);
    b_.CreateStore(b_.CreateBinaryIntrinsic(Intrinsic::usub_sat, waiting, b_.getInt64(1)),
                   waiting_);
    Value* mask = tail_mask(left);
    fill_rests(mask, left);
    emit_body(mask);
    b_.CreateBr(after);
    b_.SetInsertPoint(after);
}

}  // namespace croton::cpu
