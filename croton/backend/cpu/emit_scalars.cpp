#include <llvm/IR/PatternMatch.h>

#include <cmath>

#include "croton/backend/cpu/emit.hpp"
#include "croton/base/error.hpp"

namespace croton::cpu {

using namespace llvm;
using kernel::Combine;
using kernel::OpCode;

namespace {
bool is_float(DType dtype) { return dtype == DType::Float32 || dtype == DType::Float64; }
std::string opcode_name(OpCode op) { return std::string(kernel::info(op).name); }
std::string helper_name(OpCode op, DType dtype) {
    return "croton_call_" + opcode_name(op) + "_" + std::string(dtype_short(dtype));
}
}  // namespace

// --- types and constants

Type* Scalars::scalar_type(DType dtype) const {
    auto& context = b_.getContext();
    DType part = real_dtype(dtype);
    if (is_bool(part)) return Type::getInt1Ty(context);
    if (part == DType::Float32) return Type::getFloatTy(context);
    if (part == DType::Float64) return Type::getDoubleTy(context);
    CROTON_ASSERT(is_integer(part));
    return Type::getIntNTy(context, static_cast<unsigned>(8 * dtype_size(part)));
}

Type* Scalars::widened(Type* scalar) const {
    return width_ == 1 ? scalar : FixedVectorType::get(scalar, width_);
}

Value* Scalars::splat(Value* scalar) {
    return width_ == 1 ? scalar : b_.CreateVectorSplat(width_, scalar);
}

Value* Scalars::iota() {
    if (width_ == 1) return b_.getInt64(0);
    llvm::SmallVector<uint64_t, 16> numbers;
    for (unsigned i = 0; i < width_; ++i) numbers.push_back(i);
    return ConstantDataVector::get(b_.getContext(), numbers);
}

Value* Scalars::number(DType dtype, double value) {
    return ConstantFP::get(type(real_dtype(dtype)), value);
}

Value* Scalars::integers(DType dtype, int64_t value) {
    return ConstantInt::get(type(dtype), static_cast<uint64_t>(value), true);
}

Lanes Scalars::constant(DType dtype, std::complex<double> number, int64_t integer) {
    auto part = [&](double value) {
        // The exact float, NaN's payload aside: APFloat rounds as C++ does.
        if (real_dtype(dtype) == DType::Float32)
            return ConstantFP::get(type(dtype), APFloat(static_cast<float>(value)));
        return ConstantFP::get(type(dtype), APFloat(value));
    };
    if (is_complex(dtype)) return {part(number.real()), part(number.imag())};
    if (is_floating(dtype)) return {part(number.real())};
    return {integers(dtype, integer)};
}

// --- conversions

Value* Scalars::float_to_integer(Value* x, DType to) {
    DType from = x->getType()->getScalarType()->isFloatTy() ? DType::Float32 : DType::Float64;
    // As convert_number: the hardware's answer for int64 (the smallest out of range), then wrap.
    Value* inside = b_.CreateAnd(b_.CreateFCmpOGE(x, number(from, -0x1p63)),
                                 b_.CreateFCmpOLT(x, number(from, 0x1p63)));
    Value* safe = b_.CreateSelect(inside, x, number(from, 0));
    Value* wide = b_.CreateFPToSI(safe, type(DType::Int64));
    wide = b_.CreateSelect(inside, wide, integers(DType::Int64, INT64_MIN));
    if (to == DType::UInt64) {
        Value* upper = b_.CreateAnd(b_.CreateFCmpOGE(x, number(from, 0x1p63)),
                                    b_.CreateFCmpOLT(x, number(from, 0x1p64)));
        Value* shifted =
            b_.CreateFSub(b_.CreateSelect(upper, x, number(from, 0x1p63)), number(from, 0x1p63));
        Value* high = b_.CreateXor(b_.CreateFPToSI(shifted, type(DType::Int64)),
                                   integers(DType::Int64, INT64_MIN));
        return b_.CreateSelect(upper, high, wide);
    }
    return b_.CreateTrunc(wide, type(to));
}

Lanes Scalars::cast(Lanes x, DType from, DType to) {
    if (from == to) return x;
    if (is_complex(to)) {
        DType part = real_dtype(to);
        if (!is_complex(from)) return {cast(x, from, part).re, number(part, 0)};
        return {cast({x.re}, real_dtype(from), part).re, cast({x.im}, real_dtype(from), part).re};
    }
    if (is_bool(to)) {
        if (is_integer(from)) return {b_.CreateICmpNE(x.re, integers(from, 0))};
        Value* some = b_.CreateFCmpUNE(x.re, number(from, 0));
        if (is_complex(from)) some = b_.CreateOr(some, b_.CreateFCmpUNE(x.im, number(from, 0)));
        return {some};
    }
    from = real_dtype(from);
    Type* target = type(to);
    if (is_float(from) && is_float(to)) return {b_.CreateFPCast(x.re, target)};
    if (is_float(from)) return {float_to_integer(x.re, to)};
    bool with_sign = is_signed_integer(from);
    if (is_float(to))
        return {with_sign ? b_.CreateSIToFP(x.re, target) : b_.CreateUIToFP(x.re, target)};
    if (Value* half = half_of_product(x.re, target)) return {half};
    return {b_.CreateIntCast(x.re, target, with_sign)};
}

// x is the product of numbers of 32 bits in 64, or that shifted right by 32, and its lower half is
// wanted (the arithmetic of counter-based random numbers). Processors multiply every second lane
// into 64 bits: the halves of two such products are put together, nothing is widened or narrowed.
Value* Scalars::half_of_product(Value* x, Type* target) {
    using namespace PatternMatch;
    if (width_ < 4 || !target->isIntOrIntVectorTy(32) || !x->getType()->isIntOrIntVectorTy(64))
        return nullptr;
    Value *wide = nullptr, *narrow = nullptr;
    bool upper = match(x, m_LShr(m_Value(wide), m_SpecificInt(32)));
    const APInt* factor = nullptr;
    if (!match(upper ? wide : x, m_Mul(m_ZExt(m_Value(narrow)), m_APInt(factor)))) return nullptr;
    if (narrow->getType() != target || factor->getActiveBits() > 32) return nullptr;
    Type* pairs = FixedVectorType::get(b_.getInt64Ty(), width_ / 2);
    Value *both = b_.CreateBitCast(narrow, pairs), *by = ConstantInt::get(pairs, *factor);
    Value* even = b_.CreateMul(b_.CreateAnd(both, ConstantInt::get(pairs, 0xFFFFFFFF)), by);
    Value* odd = b_.CreateMul(b_.CreateLShr(both, ConstantInt::get(pairs, 32)), by);
    llvm::SmallVector<int, 16> lanes;
    for (int i = 0; i < static_cast<int>(width_); ++i)
        lanes.push_back(i / 2 * 2 + (upper ? 1 : 0) + i % 2 * static_cast<int>(width_));
    return b_.CreateShuffleVector(b_.CreateBitCast(even, target), b_.CreateBitCast(odd, target),
                                  lanes);
}

Lanes Scalars::bitcast(Lanes x, DType from, DType to) {
    CROTON_ASSERT(dtype_size(from) == dtype_size(to));
    if (is_bool(from)) x.re = b_.CreateZExt(x.re, type(DType::UInt8));
    if (is_bool(to)) return {b_.CreateICmpNE(x.re, integers(from, 0))};
    if (is_complex(from) == is_complex(to)) return {b_.CreateBitCast(x.re, type(to)), x.im};
    CROTON_ASSERT(dtype_size(from) == 8);  // the only common size: complex64 and 64-bit scalars
    if (is_complex(from)) {
        auto half = [&](Value* part) {
            return b_.CreateZExt(b_.CreateBitCast(part, type(DType::UInt32)), type(DType::UInt64));
        };
        Value* bits = b_.CreateOr(half(x.re), b_.CreateShl(half(x.im), 32));
        return {b_.CreateBitCast(bits, type(to))};
    }
    Value* bits = b_.CreateBitCast(x.re, type(DType::UInt64));
    auto half = [&](Value* word) {
        return b_.CreateBitCast(b_.CreateTrunc(word, type(DType::UInt32)), type(DType::Float32));
    };
    return {half(bits), half(b_.CreateLShr(bits, 32))};
}

Value* Scalars::bits_of(Value* x, DType dtype) {
    return b_.CreateBitCast(x, type(dtype == DType::Float32 ? DType::Int32 : DType::Int64));
}

// --- memory

Type* Scalars::memory_type(DType dtype) const {
    if (is_bool(dtype)) return Type::getInt8Ty(b_.getContext());
    if (dtype == DType::Float16 || dtype == DType::BFloat16)
        return Type::getInt16Ty(b_.getContext());
    return scalar_type(dtype);
}

Value* Scalars::from_memory(DType dtype, Value* stored) {
    if (is_bool(dtype)) return b_.CreateICmpNE(stored, integers(DType::UInt8, 0));
    if (dtype == DType::Float16) return half_to_float(stored);
    if (dtype == DType::BFloat16) {
        Value* bits = b_.CreateShl(b_.CreateZExt(stored, type(DType::UInt32)), 16);
        return b_.CreateBitCast(bits, type(DType::Float32));
    }
    return stored;
}

Value* Scalars::to_memory(DType dtype, Value* value) {
    if (is_bool(dtype)) return b_.CreateZExt(value, type(DType::UInt8));
    if (dtype == DType::Float16) return float_to_half(value);
    if (dtype == DType::BFloat16) return float_to_bhalf(value);
    return value;
}

Value* Scalars::half_to_float(Value* bits) {
    if (level_.f16c)
        return b_.CreateFPExt(b_.CreateBitCast(bits, widened(Type::getHalfTy(b_.getContext()))),
                              type(DType::Float32));
    auto word = [&](int64_t value) { return integers(DType::UInt32, value); };
    Value* wide = b_.CreateZExt(bits, type(DType::UInt32));
    Value* sign = b_.CreateShl(b_.CreateAnd(wide, word(0x8000)), 16);
    Value* body = b_.CreateShl(b_.CreateAnd(wide, word(0x7fff)), 13);
    // Scaling by 2^112 moves the exponent to its new bias and makes subnormals normal.
    Value* scaled = b_.CreateFMul(b_.CreateBitCast(body, type(DType::Float32)),
                                  number(DType::Float32, 0x1p112));
    Value* special = b_.CreateICmpUGE(body, word(0x0f800000));
    Value* result = b_.CreateSelect(special, b_.CreateOr(body, word(0x7f800000)),
                                    b_.CreateBitCast(scaled, type(DType::UInt32)));
    return b_.CreateBitCast(b_.CreateOr(result, sign), type(DType::Float32));
}

Value* Scalars::float_to_half(Value* value) {
    if (level_.f16c) {
        Type* half = widened(Type::getHalfTy(b_.getContext()));
        return b_.CreateBitCast(b_.CreateFPTrunc(value, half), type(DType::UInt16));
    }
    auto word = [&](int64_t number) { return integers(DType::UInt32, number); };
    Value* all = b_.CreateBitCast(value, type(DType::UInt32));
    Value* sign = b_.CreateAnd(b_.CreateLShr(all, 16), word(0x8000));
    Value* body = b_.CreateAnd(all, word(0x7fffffff));
    Value* payload = b_.CreateAnd(b_.CreateLShr(body, 13), word(0x3ff));
    // Subnormal results: adding 0.5 leaves the rounded fraction in the low bits.
    Value* magic =
        b_.CreateFAdd(b_.CreateBitCast(body, type(DType::Float32)), number(DType::Float32, 0.5));
    Value* small = b_.CreateSub(b_.CreateBitCast(magic, type(DType::UInt32)), word(0x3f000000));
    Value* odd = b_.CreateAnd(b_.CreateLShr(body, 13), word(1));
    Value* normal = b_.CreateLShr(b_.CreateAdd(b_.CreateAdd(body, word(0xc8000fff)), odd), 13);
    Value* result = b_.CreateSelect(b_.CreateICmpULT(body, word(0x38800000)), small, normal);
    result = b_.CreateSelect(b_.CreateICmpUGE(body, word(0x477ff000)), word(0x7c00), result);
    result = b_.CreateSelect(b_.CreateICmpUGT(body, word(0x7f800000)),
                             b_.CreateOr(payload, word(0x7e00)), result);
    return b_.CreateTrunc(b_.CreateOr(result, sign), type(DType::UInt16));
}

Value* Scalars::float_to_bhalf(Value* value) {
    auto word = [&](int64_t number) { return integers(DType::UInt32, number); };
    Value* bits = b_.CreateBitCast(value, type(DType::UInt32));
    Value* upper = b_.CreateLShr(bits, 16);
    Value* odd = b_.CreateAnd(upper, word(1));
    Value* rounded = b_.CreateLShr(b_.CreateAdd(b_.CreateAdd(bits, word(0x7fff)), odd), 16);
    Value* nan = b_.CreateFCmpUNO(value, value);
    Value* result = b_.CreateSelect(nan, b_.CreateOr(upper, word(0x40)), rounded);
    return b_.CreateTrunc(result, type(DType::UInt16));
}

// --- opcodes

Lanes Scalars::select(Value* condition, Lanes x, Lanes y) {
    return {b_.CreateSelect(condition, x.re, y.re),
            x.im ? b_.CreateSelect(condition, x.im, y.im) : nullptr};
}

Lanes Scalars::compute(OpCode op, DType dtype, ArrayRef<Lanes> a) {
    if (op == OpCode::select_) return select(a[0].re, a[1], a[2]);
    if (op == OpCode::complex_) return {a[0].re, a[1].re};
    if (is_complex(dtype)) return complex(op, dtype, a);
    if (is_bool(dtype)) return {boolean(op, a)};
    return {is_float(dtype) ? floating(op, dtype, a) : integer(op, dtype, a)};
}

Value* Scalars::compare(OpCode op, DType dtype, Value* x, Value* y) {
    bool real = is_float(dtype), with_sign = is_signed_integer(dtype);
    auto pick = [&](CmpInst::Predicate f, CmpInst::Predicate s, CmpInst::Predicate u) {
        return b_.CreateCmp(real ? f : with_sign ? s : u, x, y);
    };
    switch (op) {
        case OpCode::lt_: return pick(CmpInst::FCMP_OLT, CmpInst::ICMP_SLT, CmpInst::ICMP_ULT);
        case OpCode::le_: return pick(CmpInst::FCMP_OLE, CmpInst::ICMP_SLE, CmpInst::ICMP_ULE);
        case OpCode::gt_: return pick(CmpInst::FCMP_OGT, CmpInst::ICMP_SGT, CmpInst::ICMP_UGT);
        case OpCode::ge_: return pick(CmpInst::FCMP_OGE, CmpInst::ICMP_SGE, CmpInst::ICMP_UGE);
        case OpCode::eq_: return pick(CmpInst::FCMP_OEQ, CmpInst::ICMP_EQ, CmpInst::ICMP_EQ);
        case OpCode::ne_: return pick(CmpInst::FCMP_UNE, CmpInst::ICMP_NE, CmpInst::ICMP_NE);
        default: return nullptr;
    }
}

// The smaller or larger one; a NaN in either wins.
Value* Scalars::extreme(bool largest, DType dtype, Value* x, Value* y) {
    Value* first = compare(largest ? OpCode::gt_ : OpCode::lt_, dtype, x, y);
    Value* result = b_.CreateSelect(first, x, y);
    if (!is_float(dtype)) return result;
    return b_.CreateSelect(b_.CreateFCmpUNO(x, x), x, result);
}

Value* Scalars::boolean(OpCode op, ArrayRef<Lanes> a) {
    Value *x = a[0].re, *y = a.size() > 1 ? a[1].re : nullptr;
    switch (op) {
        case OpCode::bit_and_:
        case OpCode::minimum_: return b_.CreateAnd(x, y);
        case OpCode::bit_or_:
        case OpCode::maximum_: return b_.CreateOr(x, y);
        case OpCode::bit_xor_: return b_.CreateXor(x, y);
        case OpCode::bit_not_: return b_.CreateNot(x);
        default: break;
    }
    if (Value* result = compare(op, DType::Bool, x, y)) return result;
    fail(ErrorKind::Internal, "opcode ", opcode_name(op), " does not take bool");
}

Value* Scalars::divide(OpCode op, DType dtype, Value* x, Value* y) {
    Value *zero = integers(dtype, 0), *one = integers(dtype, 1);
    Value* by_zero = b_.CreateICmpEQ(y, zero);
    if (!is_signed_integer(dtype)) {
        Value* safe = b_.CreateSelect(by_zero, one, y);
        Value* result = op == OpCode::floor_div_ ? b_.CreateUDiv(x, safe) : b_.CreateURem(x, safe);
        return b_.CreateSelect(by_zero, zero, result);
    }
    // Division by -1 traps for the smallest integer: it is a negation instead.
    Value* by_minus_one = b_.CreateICmpEQ(y, integers(dtype, -1));
    Value* safe = b_.CreateSelect(b_.CreateOr(by_zero, by_minus_one), one, y);
    Value* rest = b_.CreateSRem(x, safe);
    Value* uneven =
        b_.CreateAnd(b_.CreateICmpNE(rest, zero), b_.CreateICmpSLT(b_.CreateXor(x, y), zero));
    if (op == OpCode::floor_div_) {
        Value* quotient = b_.CreateSDiv(x, safe);
        quotient = b_.CreateSelect(uneven, b_.CreateSub(quotient, one), quotient);
        quotient = b_.CreateSelect(by_minus_one, b_.CreateNeg(x), quotient);
        return b_.CreateSelect(by_zero, zero, quotient);
    }
    if (op == OpCode::floor_mod_) rest = b_.CreateSelect(uneven, b_.CreateAdd(rest, y), rest);
    return b_.CreateSelect(b_.CreateOr(by_zero, by_minus_one), zero, rest);
}

Value* Scalars::shift(OpCode op, DType dtype, Value* x, Value* count) {
    int64_t bits = 8 * dtype_size(dtype);
    Value* inside = b_.CreateICmpULT(count, integers(dtype, bits));
    if (op == OpCode::shift_right_ && is_signed_integer(dtype))
        return b_.CreateAShr(x, b_.CreateSelect(inside, count, integers(dtype, bits - 1)));
    Value* safe = b_.CreateSelect(inside, count, integers(dtype, 0));
    Value* moved = op == OpCode::shift_left_ ? b_.CreateShl(x, safe) : b_.CreateLShr(x, safe);
    if (auto* known = dyn_cast<Constant>(inside); known && known->isAllOnesValue()) return moved;
    return b_.CreateSelect(inside, moved, integers(dtype, 0));
}

Value* Scalars::sign(DType dtype, Value* x) {
    auto constant = [&](int64_t value) -> Value* {
        return is_float(dtype) ? number(dtype, static_cast<double>(value)) : integers(dtype, value);
    };
    Value* zero = constant(0);
    Value* rest = zero;
    if (is_float(dtype)) rest = b_.CreateSelect(b_.CreateFCmpUNO(x, x), x, zero);
    if (!is_unsigned(dtype))
        rest = b_.CreateSelect(compare(OpCode::lt_, dtype, x, zero), constant(-1), rest);
    return b_.CreateSelect(compare(OpCode::gt_, dtype, x, zero), constant(1), rest);
}

Value* Scalars::integer(OpCode op, DType dtype, ArrayRef<Lanes> a) {
    Value *x = a[0].re, *y = a.size() > 1 ? a[1].re : nullptr;
    switch (op) {
        case OpCode::add_: return b_.CreateAdd(x, y);
        case OpCode::sub_: return b_.CreateSub(x, y);
        case OpCode::mul_: return b_.CreateMul(x, y);
        case OpCode::neg_: return b_.CreateNeg(x);
        case OpCode::abs_:
            if (is_unsigned(dtype)) return x;
            return b_.CreateBinaryIntrinsic(Intrinsic::abs, x, b_.getFalse());
        case OpCode::sign_: return sign(dtype, x);
        case OpCode::minimum_: return extreme(false, dtype, x, y);
        case OpCode::maximum_: return extreme(true, dtype, x, y);
        case OpCode::floor_div_:
        case OpCode::floor_mod_:
        case OpCode::fmod_: return divide(op, dtype, x, y);
        case OpCode::bit_and_: return b_.CreateAnd(x, y);
        case OpCode::bit_or_: return b_.CreateOr(x, y);
        case OpCode::bit_xor_: return b_.CreateXor(x, y);
        case OpCode::bit_not_: return b_.CreateNot(x);
        case OpCode::shift_left_:
        case OpCode::shift_right_: return shift(op, dtype, x, y);
        case OpCode::pow_: {
            bool with_sign = is_signed_integer(dtype);
            DType wide = with_sign ? DType::Int64 : DType::UInt64;
            Value* arguments[] = {cast({x}, dtype, wide).re, cast({y}, dtype, wide).re};
            Value* power = per_lane(helper_name(op, wide), scalar_type(wide), arguments);
            return cast({power}, wide, dtype).re;
        }
        default: break;
    }
    if (Value* result = compare(op, dtype, x, y)) return result;
    fail(ErrorKind::Internal, "opcode ", opcode_name(op), " does not take ", dtype_name(dtype));
}

// Rounding on machines without the instruction: adding and taking away 2^mantissa rounds to even.
Value* Scalars::round(OpCode op, DType dtype, Value* x) {
    if (level_.rounds) {
        Intrinsic::ID id = op == OpCode::floor_   ? Intrinsic::floor
                           : op == OpCode::ceil_  ? Intrinsic::ceil
                           : op == OpCode::trunc_ ? Intrinsic::trunc
                                                  : Intrinsic::rint;
        return b_.CreateUnaryIntrinsic(id, x);
    }
    Value* size = b_.CreateUnaryIntrinsic(Intrinsic::fabs, x);
    Value* magic = number(dtype, dtype == DType::Float32 ? 0x1p23 : 0x1p52);
    Value* nearest = b_.CreateFSub(b_.CreateFAdd(size, magic), magic);
    Value* one = number(dtype, 1);
    auto with_sign = [&](Value* value) {
        return b_.CreateBinaryIntrinsic(Intrinsic::copysign, value, x);
    };
    Value* result = with_sign(nearest);
    if (op == OpCode::floor_)
        result = b_.CreateSelect(b_.CreateFCmpOGT(result, x), b_.CreateFSub(result, one), result);
    if (op == OpCode::ceil_)
        result = with_sign(
            b_.CreateSelect(b_.CreateFCmpOLT(result, x), b_.CreateFAdd(result, one), result));
    if (op == OpCode::trunc_)
        result = with_sign(
            b_.CreateSelect(b_.CreateFCmpOGT(nearest, size), b_.CreateFSub(nearest, one), nearest));
    return b_.CreateSelect(b_.CreateFCmpOLT(size, magic), result, x);
}

Value* Scalars::function(OpCode op, DType dtype, ArrayRef<Lanes> a) {
    llvm::SmallVector<Value*, 2> arguments;
    for (const Lanes& argument : a) arguments.push_back(argument.re);
    if (Value* result = maths_.call(b_, opcode_name(op), arguments)) return result;
    return per_lane(helper_name(op, dtype), scalar_type(dtype), arguments);
}

// fmod, floor_mod and floor_div take as many steps as the quotient has digits. Where it is short in
// all lanes there is one division, with the bits of the others.
Value* Scalars::whole_quotient(OpCode op, DType dtype, Value* x, Value* y) {
    const bool single = dtype == DType::Float32;
    auto size_of = [&](Value* v) {
        return cast({b_.CreateUnaryIntrinsic(Intrinsic::fabs, v)}, dtype, DType::Float64).re;
    };
    auto bound = [&](double value) { return number(DType::Float64, value); };
    Value *over = size_of(x), *under = size_of(y);
    // Remainders of float64 have no digit below the least number.
    Value* inside = b_.CreateAnd(b_.CreateFCmpOGT(under, bound(single ? 0 : 0x1p-900)),
                                 b_.CreateFCmpOLT(under, bound(single ? INFINITY : 0x1p900)));
    Value* most = b_.CreateFMul(under, bound(single ? 0x1p21 : 0x1p50));
    inside = b_.CreateAnd(inside, b_.CreateFCmpOLE(over, most));
    return either(
        b_, b_.CreateAndReduce(inside), [&] { return near_quotient(op, dtype, x, y); },
        [&] {
            Value* arguments[] = {x, y};
            return per_lane(helper_name(op, dtype), scalar_type(dtype), arguments);
        });
}

// In float64: quotients of float32 are there exact enough to be cut off, and so is what they leave;
// those of float64 may be rounded up to the next whole number, which shows in what is left.
Value* Scalars::near_quotient(OpCode op, DType dtype, Value* x, Value* y) {
    constexpr DType wide = DType::Float64;
    Value *over = cast({x}, dtype, wide).re, *under = cast({y}, dtype, wide).re;
    auto with_sign = [&](Value* size, Value* sign) {
        return b_.CreateBinaryIntrinsic(Intrinsic::copysign, size, sign);
    };
    Value *zero = number(wide, 0), *whole = round(OpCode::trunc_, wide, b_.CreateFDiv(over, under));
    Value* rest = nullptr;
    if (dtype == DType::Float32) {
        rest = b_.CreateFSub(over, b_.CreateFMul(whole, under));
    } else {
        rest = b_.CreateIntrinsic(Intrinsic::fma, {over->getType()},
                                  {b_.CreateFNeg(whole), under, over});
        Value* past = b_.CreateFCmpOLT(b_.CreateFMul(with_sign(number(wide, 1), over), rest), zero);
        whole =
            b_.CreateSelect(past, b_.CreateFSub(whole, with_sign(number(wide, 1), whole)), whole);
        rest = b_.CreateSelect(past, b_.CreateFAdd(rest, with_sign(under, over)), rest);
    }
    Value* none = b_.CreateFCmpOEQ(rest, zero);
    Value* other_sign = b_.CreateXor(b_.CreateFCmpOLT(rest, zero), b_.CreateFCmpOLT(under, zero));
    Value* below = b_.CreateAnd(other_sign, b_.CreateNot(none));
    if (op == OpCode::floor_div_) {
        whole = b_.CreateSelect(below, b_.CreateFSub(whole, number(wide, 1)), whole);
        return cast({whole}, wide, dtype).re;
    }
    Value* narrow = cast({rest}, wide, dtype).re;
    if (op == OpCode::fmod_) return with_sign(narrow, x);
    Value* added = b_.CreateSelect(below, b_.CreateFAdd(narrow, y), narrow);
    return b_.CreateSelect(none, with_sign(number(dtype, 0), y), added);
}

Value* Scalars::per_lane(const std::string& helper, Type* result, ArrayRef<Value*> arguments) {
    llvm::SmallVector<Type*, 2> types;
    for (Value* argument : arguments) types.push_back(argument->getType()->getScalarType());
    auto callee = b_.GetInsertBlock()->getModule()->getOrInsertFunction(
        helper, FunctionType::get(result, types, false));
    if (width_ == 1) return b_.CreateCall(callee, arguments);
    Value* all = PoisonValue::get(widened(result));
    for (unsigned lane = 0; lane < width_; ++lane) {
        llvm::SmallVector<Value*, 2> own;
        for (Value* argument : arguments) own.push_back(b_.CreateExtractElement(argument, lane));
        all = b_.CreateInsertElement(all, b_.CreateCall(callee, own), lane);
    }
    return all;
}

Value* Scalars::floating(OpCode op, DType dtype, ArrayRef<Lanes> a) {
    Value *x = a[0].re, *y = a.size() > 1 ? a[1].re : nullptr;
    switch (op) {
        case OpCode::add_: return b_.CreateFAdd(x, y);
        case OpCode::sub_: return b_.CreateFSub(x, y);
        case OpCode::mul_: return b_.CreateFMul(x, y);
        case OpCode::div_:
            return shared_ > 0 && dtype == DType::Float64 ? shared_quotient(x, y)
                                                          : b_.CreateFDiv(x, y);
        case OpCode::neg_: return b_.CreateFNeg(x);
        case OpCode::abs_: return b_.CreateUnaryIntrinsic(Intrinsic::fabs, x);
        case OpCode::sign_: return sign(dtype, x);
        case OpCode::minimum_: return extreme(false, dtype, x, y);
        case OpCode::maximum_: return extreme(true, dtype, x, y);
        case OpCode::floor_:
        case OpCode::ceil_:
        case OpCode::trunc_:
        case OpCode::rint_: return round(op, dtype, x);
        case OpCode::sqrt_: return b_.CreateUnaryIntrinsic(Intrinsic::sqrt, x);
        case OpCode::floor_div_:
        case OpCode::floor_mod_:
        case OpCode::fmod_:
            if (width_ == 1 || (dtype == DType::Float64 && !level_.fuses)) break;
            return whole_quotient(op, dtype, x, y);
        case OpCode::copysign_: return b_.CreateBinaryIntrinsic(Intrinsic::copysign, x, y);
        case OpCode::isnan_: return b_.CreateFCmpUNO(x, x);
        case OpCode::isinf_:
            return b_.CreateFCmpOEQ(b_.CreateUnaryIntrinsic(Intrinsic::fabs, x),
                                    number(dtype, INFINITY));
        case OpCode::signbit_: {
            Value* bits = bits_of(x, dtype);
            return b_.CreateICmpSLT(bits, Constant::getNullValue(bits->getType()));
        }
        default: break;
    }
    if (a.size() == 2)
        if (Value* result = compare(op, dtype, x, y)) return result;
    return function(op, dtype, a);
}

Lanes Scalars::complex_helper(const std::string& helper, DType dtype, ArrayRef<Lanes> a) {
    CROTON_ASSERT(width_ == 1);  // kernels with complex values run one lane at a time
    Type* part = scalar_type(dtype);
    Function* here = b_.GetInsertBlock()->getParent();
    IRBuilder<> entry(&here->getEntryBlock(), here->getEntryBlock().begin());
    auto count = static_cast<unsigned>(2 * a.size());
    Value* given = entry.CreateAlloca(ArrayType::get(part, count));
    Value* result = entry.CreateAlloca(ArrayType::get(part, 2));
    for (unsigned i = 0; i < count; ++i)
        b_.CreateStore(i % 2 ? a[i / 2].im : a[i / 2].re,
                       b_.CreateConstInBoundsGEP1_32(part, given, i));
    auto callee = b_.GetInsertBlock()->getModule()->getOrInsertFunction(
        helper, FunctionType::get(b_.getVoidTy(), {b_.getPtrTy(), b_.getPtrTy()}, false));
    b_.CreateCall(callee, {given, result});
    return {b_.CreateLoad(part, result),
            b_.CreateLoad(part, b_.CreateConstInBoundsGEP1_32(part, result, 1))};
}

Lanes Scalars::complex(OpCode op, DType dtype, ArrayRef<Lanes> a) {
    DType part = real_dtype(dtype);
    Lanes x = a[0], y = a.size() > 1 ? a[1] : Lanes{};
    switch (op) {
        case OpCode::add_: return {b_.CreateFAdd(x.re, y.re), b_.CreateFAdd(x.im, y.im)};
        case OpCode::sub_: return {b_.CreateFSub(x.re, y.re), b_.CreateFSub(x.im, y.im)};
        case OpCode::mul_:
            return {b_.CreateFSub(b_.CreateFMul(x.re, y.re), b_.CreateFMul(x.im, y.im)),
                    b_.CreateFAdd(b_.CreateFMul(x.re, y.im), b_.CreateFMul(x.im, y.re))};
        case OpCode::neg_: return {b_.CreateFNeg(x.re), b_.CreateFNeg(x.im)};
        case OpCode::abs_: {
            Lanes parts[] = {{x.re}, {x.im}};
            return {function(OpCode::hypot_, part, parts)};
        }
        case OpCode::angle_: {
            Lanes parts[] = {{x.im}, {x.re}};
            return {function(OpCode::atan2_, part, parts)};
        }
        case OpCode::real_: return {x.re};
        case OpCode::imag_: return {x.im};
        case OpCode::conj_: return {x.re, b_.CreateFNeg(x.im)};
        case OpCode::eq_:
            return {b_.CreateAnd(b_.CreateFCmpOEQ(x.re, y.re), b_.CreateFCmpOEQ(x.im, y.im))};
        case OpCode::ne_:
            return {b_.CreateOr(b_.CreateFCmpUNE(x.re, y.re), b_.CreateFCmpUNE(x.im, y.im))};
        default: return complex_helper(helper_name(op, dtype), dtype, a);
    }
}

// --- folds

Lanes Scalars::identity(Combine combine, DType state) {
    DType part = real_dtype(state);
    auto lowest_or_highest = [&](bool highest) -> Lanes {
        if (is_float(part)) return {number(part, highest ? INFINITY : -INFINITY)};
        if (is_bool(part)) return {ConstantInt::get(type(part), highest)};
        auto bits = static_cast<unsigned>(8 * dtype_size(part));
        bool with_sign = is_signed_integer(part);
        APInt value = highest
                          ? (with_sign ? APInt::getSignedMaxValue(bits) : APInt::getMaxValue(bits))
                          : (with_sign ? APInt::getSignedMinValue(bits) : APInt::getMinValue(bits));
        return {ConstantInt::get(type(part), value)};
    };
    switch (combine) {
        case Combine::Sum: return constant(state, 0, 0);
        case Combine::Prod: return constant(state, 1, 1);
        case Combine::Max:
        case Combine::ArgMax: return lowest_or_highest(false);
        case Combine::Min:
        case Combine::ArgMin: return lowest_or_highest(true);
        case Combine::Any: return {integers(DType::Bool, 0)};
        case Combine::All: return {ConstantInt::getTrue(type(DType::Bool))};
    }
    return {};
}

Lanes Scalars::combine(Combine how, DType state, Lanes total, Lanes next) {
    Lanes both[] = {total, next};
    switch (how) {
        case Combine::Sum: return compute(OpCode::add_, state, both);
        case Combine::Prod: return compute(OpCode::mul_, state, both);
        case Combine::Max: return compute(OpCode::maximum_, state, both);
        case Combine::Min: return compute(OpCode::minimum_, state, both);
        case Combine::Any: return {b_.CreateOr(total.re, next.re)};
        case Combine::All: return {b_.CreateAnd(total.re, next.re)};
        case Combine::ArgMax:
        case Combine::ArgMin: break;
    }
    fail(ErrorKind::Internal, "positions are folded by better()");
}

// The first of the most extreme; a NaN beats all numbers. Equal values compare by position, which
// also makes the first element beat the identity.
Scalars::Extreme Scalars::better(Combine how, DType state, Extreme best, Extreme next) {
    auto op = how == Combine::ArgMax ? OpCode::gt_ : OpCode::lt_;
    Value* wins = compare(op, state, next.value, best.value);
    Value* ties = compare(OpCode::eq_, state, next.value, best.value);
    if (is_float(state)) {
        Value* nan = b_.CreateFCmpUNO(next.value, next.value);
        Value* both = b_.CreateAnd(nan, b_.CreateFCmpUNO(best.value, best.value));
        wins = b_.CreateOr(wins, b_.CreateAnd(nan, b_.CreateFCmpORD(best.value, best.value)));
        ties = b_.CreateOr(ties, both);
    }
    Value* earlier = b_.CreateICmpSLT(next.position, best.position);
    wins = b_.CreateOr(wins, b_.CreateAnd(ties, earlier));
    return {b_.CreateSelect(wins, next.value, best.value),
            b_.CreateSelect(wins, next.position, best.position)};
}

}  // namespace croton::cpu
