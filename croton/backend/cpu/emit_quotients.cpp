// Quotients of float64 made of products, with the bits of the division.
//
// An estimate of 1/b is good to 2^-14; a cubic step and one of Newton's bring it to 2^-83, rounded
// once: y, off by less than B 2^-106 + 2^-83 of itself, if b's digits are a whole number B below
// 2^53. Then q = a y is less than 1.5 units in the last place from a/b, r = a - b q is exact where
// it matters, and the quotient is q + r y, rounded once. (Markstein, "Computation of elementary
// functions on the IBM RISC System/6000 processor", IBM Journal of Research and Development 34,
// 1990; Cornea, Harrison, Tang, "Scientific Computing on Itanium-based Systems", Intel Press 2002.)
//
// Why it is right: before it is rounded, q + r y is off by what q was off times the error of y. a/b
// is never halfway between two neighbours, but at least 1/(2B) units from there; where it is near,
// q is one of the two and about half a unit off, and y serves if its error is below 1/(B + 1): so
// it is if B < 2^53 - 2^23. Other points halfway are only in reach of divisors nearer to 2^53, too.
// Such ones, one in 2^28, are left to the division: 1/(2 - 2^-52) would come out wrong. So are a
// and b outside of [2^-256, 2^256), zeros, and what is no number; between these bounds nothing on
// the way leaves the normal numbers.
#include <llvm/IR/IntrinsicsX86.h>

#include "croton/backend/cpu/emit.hpp"
#include "croton/backend/cpu/quotients.hpp"

namespace croton::cpu {

using namespace llvm;

namespace {
constexpr unsigned lanes_of_vector = 8;
constexpr uint64_t least_power = uint64_t{1023 - 256} << 52;  // 2^-256
constexpr uint64_t beyond = uint64_t{3} << 61;                // of what is left, if out of range
constexpr uint64_t near_ones = uint64_t{1} << 24;
constexpr uint64_t upper_digits = (uint64_t{1} << 52) - near_ones;

Value* part(IRBuilder<>& b, Value* all, unsigned vector) {
    llvm::SmallVector<int, lanes_of_vector> lanes;
    for (unsigned i = 0; i < lanes_of_vector; ++i)
        lanes.push_back(static_cast<int>(vector * lanes_of_vector + i));
    return b.CreateShuffleVector(all, lanes);
}

Value* joined(IRBuilder<>& b, ArrayRef<Value*> parts) {
    if (parts.size() == 1) return parts[0];
    Value* low = joined(b, parts.take_front(parts.size() / 2));
    Value* high = joined(b, parts.drop_front(parts.size() / 2));
    auto lanes = 2 * cast<FixedVectorType>(low->getType())->getNumElements();
    llvm::SmallVector<int, 64> all;
    for (unsigned i = 0; i < lanes; ++i) all.push_back(static_cast<int>(i));
    return b.CreateShuffleVector(low, high, all);
}
}  // namespace

// Begins code whose quotients are shared out: of eight vectors, so many take products.
void Scalars::share_quotients(int of_eight) {
    shared_ = of_eight;
    quotients_ = 0;
    auto* type = FixedVectorType::get(b_.getInt64Ty(), lanes_of_vector);
    outside_ = Constant::getNullValue(type);
    digits_ = Constant::getAllOnesValue(FixedVectorType::get(b_.getInt1Ty(), lanes_of_vector));
}

// Ends it: whether all of them were in the range that products serve.
Value* Scalars::quotients_hold() {
    shared_ = 0;
    Value* some = b_.CreateAnd(outside_, ConstantInt::get(outside_->getType(), beyond));
    Value* inside = b_.CreateICmpEQ(some, Constant::getNullValue(some->getType()));
    return b_.CreateAndReduce(b_.CreateAnd(inside, digits_));
}

// Exponents are counted from the least one, so that those beyond the range have one of two bits.
// Digits that are nearly all ones become nearly all zeros, and carry.
void Scalars::note_range(Value* a, Value* b) {
    auto* type = outside_->getType();
    auto number = [&](uint64_t value) { return ConstantInt::get(type, value); };
    Value* over = b_.CreateSub(b_.CreateBitCast(a, type), number(least_power));
    Value* under = b_.CreateSub(b_.CreateBitCast(b, type), number(least_power - near_ones));
    outside_ = b_.CreateOr(b_.CreateOr(outside_, over), under);
    Value* upper = b_.CreateAnd(under, number(upper_digits));
    digits_ = b_.CreateAnd(digits_, b_.CreateICmpNE(upper, number(0)));
}

Value* Scalars::quotient_of_products(Value* a, Value* b) {
    Type* type = a->getType();
    auto fused = [&](Value* x, Value* y, Value* z) {
        return b_.CreateIntrinsic(Intrinsic::fma, {type}, {x, y, z});
    };
    auto rest = [&](Value* x, Value* y, Value* z) { return fused(b_.CreateFNeg(x), y, z); };
    Value* one = ConstantFP::get(type, 1);
    note_range(a, b);
    Value* y = b_.CreateIntrinsic(Intrinsic::x86_avx512_rcp14_pd_512, {},
                                  {b, Constant::getNullValue(type), b_.getInt8(0xFF)});
    Value* e = rest(b, y, one);
    y = fused(y, fused(e, e, e), y);
    y = fused(y, rest(b, y, one), y);
    Value* q = b_.CreateFMul(a, y);
    return fused(rest(b, q, a), y, q);
}

// One vector in eight, or more of them, is left to the divider: evenly, and other ones each time,
// so that none of them has nothing but divisions.
Value* Scalars::shared_quotient(Value* x, Value* y) {
    constexpr unsigned all = vectors_side_by_side;
    const unsigned divided = all - static_cast<unsigned>(shared_);
    llvm::SmallVector<Value*, all> parts;
    for (unsigned n = 0; n < all; ++n) {
        Value *a = part(b_, x, n), *b = part(b_, y, n);
        bool divides = (n + quotients_) * divided % all < divided;
        parts.push_back(divides ? b_.CreateFDiv(a, b) : quotient_of_products(a, b));
    }
    ++quotients_;
    return joined(b_, parts);
}

}  // namespace croton::cpu
