#include <llvm/ADT/DenseMap.h>
#include <llvm/Analysis/VectorUtils.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>

#include <utility>

#include "croton/backend/cpu/emit.hpp"
#include "croton/backend/cpu/maths/maths.hpp"

namespace croton::cpu {

using namespace llvm;

namespace {
unsigned lanes_of(Value* value) {
    auto* vector = dyn_cast<FixedVectorType>(value->getType());
    return vector ? vector->getNumElements() : 1;
}

/// Copies a straight-line scalar function into another function with every type widened.
class Widener {
  public:
    Widener(IRBuilder<>& b, unsigned lanes) : b_(b), lanes_(lanes) {}

    Value* run(Function& function, ArrayRef<Value*> arguments) {
        for (auto [parameter, argument] : zip(function.args(), arguments))
            seen_[&parameter] = argument;
        for (Instruction& i : function.getEntryBlock()) {
            if (auto* ret = dyn_cast<ReturnInst>(&i)) return get(ret->getReturnValue());
            seen_[&i] = copy(i);
        }
        return nullptr;
    }

  private:
    Type* wide(Type* type) { return lanes_ == 1 ? type : FixedVectorType::get(type, lanes_); }

    Value* get(Value* old) {
        if (auto* constant = dyn_cast<Constant>(old))
            return lanes_ == 1 ? constant
                               : ConstantVector::getSplat(ElementCount::getFixed(lanes_), constant);
        return seen_.lookup(old);
    }

    Value* copy(Instruction& i) {
        if (auto* call = dyn_cast<CallInst>(&i)) return copy_call(*call);
        if (auto* convert = dyn_cast<CastInst>(&i))
            return b_.CreateCast(convert->getOpcode(), get(i.getOperand(0)), wide(i.getType()));
        Instruction* made = i.clone();
        for (unsigned n = 0; n < i.getNumOperands(); ++n) made->setOperand(n, get(i.getOperand(n)));
        made->mutateType(wide(i.getType()));
        made->dropUnknownNonDebugMetadata();
        return b_.Insert(made);
    }

    Value* copy_call(CallInst& call) {
        Function* callee = call.getCalledFunction();
        Intrinsic::ID id = callee->getIntrinsicID();
        llvm::SmallVector<Value*, 4> arguments;
        llvm::SmallVector<Type*, 4> types;
        if (isVectorIntrinsicWithOverloadTypeAtArg(id, -1)) types.push_back(wide(call.getType()));
        for (unsigned n = 0; n < call.arg_size(); ++n) {
            bool scalar = isVectorIntrinsicWithScalarOpAtArg(id, n);
            Value* argument = call.getArgOperand(n);
            arguments.push_back(scalar ? argument : get(argument));
            if (isVectorIntrinsicWithOverloadTypeAtArg(id, static_cast<int>(n)))
                types.push_back(arguments.back()->getType());
        }
        Function* target = Intrinsic::getDeclaration(b_.GetInsertBlock()->getModule(), id, types);
        CallInst* made = b_.CreateCall(target, arguments);
        if (isa<FPMathOperator>(made)) made->copyFastMathFlags(&call);
        return made;
    }

    IRBuilder<>& b_;
    unsigned lanes_;
    DenseMap<Value*, Value*> seen_;
};

bool can_widen(Function& function) {
    if (function.size() != 1) return false;
    for (Instruction& i : function.getEntryBlock()) {
        if (isa<ReturnInst>(i) || isa<BinaryOperator>(i) || isa<UnaryOperator>(i) ||
            isa<CmpInst>(i) || isa<SelectInst>(i) || isa<CastInst>(i) || isa<FreezeInst>(i))
            continue;
        auto* call = dyn_cast<CallInst>(&i);
        Function* callee = call ? call->getCalledFunction() : nullptr;
        if (!callee || !isTriviallyVectorizable(callee->getIntrinsicID())) return false;
    }
    return true;
}
}  // namespace

Value* either(IRBuilder<>& b, Value* condition, function_ref<Value*()> yes,
              function_ref<Value*()> no) {
    Function* here = b.GetInsertBlock()->getParent();
    auto* likely = BasicBlock::Create(b.getContext(), "near", here);
    auto* rare = BasicBlock::Create(b.getContext(), "far", here);
    auto* after = BasicBlock::Create(b.getContext(), "known", here);
    b.CreateCondBr(condition, likely, rare);
    auto emit = [&](BasicBlock* block, function_ref<Value*()> code) {
        b.SetInsertPoint(block);
        Value* value = code();
        b.CreateBr(after);
        return std::pair(value, b.GetInsertBlock());
    };
    auto [first, first_end] = emit(likely, yes);
    auto [second, second_end] = emit(rare, no);
    b.SetInsertPoint(after);
    PHINode* result = b.CreatePHI(first->getType(), 2);
    result->addIncoming(first, first_end);
    result->addIncoming(second, second_end);
    return result;
}

Value* Maths::call(IRBuilder<>& b, const std::string& name, ArrayRef<Value*> arguments) {
    Module* library = library_();
    if (!library) return nullptr;
    const bool is_float = arguments[0]->getType()->getScalarType()->isFloatTy();
    auto find = [&](const std::string& of) -> Function* {
        Function* function = library->getFunction("croton_" + of + (is_float ? "_f32" : "_f64"));
        if (!function || errorToBool(function->materialize()) || function->empty()) return nullptr;
        return can_widen(*function) ? function : nullptr;
    };
    Function* function = find(name);
    if (!function) return nullptr;
    Function* near = find("near_" + name);
    if (!near) return widen(b, *function, arguments);
    // Cheaper where every lane is near; NaN is not.
    const double bound = is_float ? maths::near_angle_f32 : maths::near_angle_f64;
    Value* size = b.CreateUnaryIntrinsic(Intrinsic::fabs, arguments[0]);
    Value* inside = b.CreateFCmpOLE(size, ConstantFP::get(size->getType(), bound));
    if (inside->getType()->isVectorTy()) inside = b.CreateAndReduce(inside);
    return either(
        b, inside, [&] { return widen(b, *near, arguments); },
        [&] { return widen(b, *function, arguments); });
}

Value* Maths::widen(IRBuilder<>& b, Function& function, ArrayRef<Value*> arguments) {
    return Widener(b, lanes_of(arguments[0])).run(function, arguments);
}

}  // namespace croton::cpu
