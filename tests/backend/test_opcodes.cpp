// Every opcode over every dtype that it takes, on edge values and random ones.
#include "croton/kernel/builder.hpp"
#include "tests/backend/contract.hpp"
#include "tests/backend/values.hpp"

namespace croton::contract {
namespace {

using kernel::Builder;
using kernel::OpCode;
using kernel::Scalar;
using kernel::SectionKind;
using kernel::Typing;

std::vector<OpCode> computing_opcodes() {
    std::vector<OpCode> result;
    for (int op = 0; op < kernel::opcode_count; ++op)
        if (kernel::info(static_cast<OpCode>(op)).typing != Typing::chosen)
            result.push_back(static_cast<OpCode>(op));
    return result;
}

// Where the interpreter (correctly rounded for float32, libm for float64) and a back end may
// differ. Opcodes that are not listed are exact.
Tolerance tolerance_of(OpCode op, DType dtype) {
    if (is_complex(dtype)) {
        switch (op) {
            case OpCode::neg_:
            case OpCode::conj_:
            case OpCode::real_:
            case OpCode::imag_:
            case OpCode::select_: return {};
            case OpCode::tan_:
            case OpCode::pow_: return {256, 0};  // of a power's large exponent times log
            case OpCode::add_:
            case OpCode::sub_: return {2, 0};
            default: return {16, 1e-30};
        }
    }
    switch (op) {
        case OpCode::tan_: return {6};
        case OpCode::sin_:
        case OpCode::cos_:
        case OpCode::tanh_:
        case OpCode::sigmoid_: return {4, 0, true};
        case OpCode::erf_:
        case OpCode::erfc_:
        case OpCode::sinh_:
        case OpCode::cosh_:
        case OpCode::asinh_:
        case OpCode::acosh_:
        case OpCode::atanh_:
        case OpCode::asin_:
        case OpCode::acos_:
        case OpCode::atan_:
        case OpCode::atan2_: return {5, 0, true};
        case OpCode::pow_:
        case OpCode::exp_:
        case OpCode::exp2_:
        case OpCode::expm1_:
        case OpCode::log_:
        case OpCode::log2_:
        case OpCode::log10_:
        case OpCode::log1p_:
        case OpCode::softplus_:
        case OpCode::cbrt_:
        case OpCode::hypot_:
        case OpCode::angle_: return {3, 0, true};
        case OpCode::minimum_:
        case OpCode::maximum_: return {};
        default: return {0, 0, true};
    }
}

size_t add_kernel(Batch& batch, OpCode op, DType dtype) {
    Builder b(cat(kernel::info(op).name, "_", dtype_short(dtype)), 1, 0);
    bool select = kernel::info(op).typing == Typing::select;
    SmallVector<int, 3> inputs;
    const char* names[] = {"x", "y", "z"};
    for (int n = 0; n < kernel::info(op).arguments; ++n)
        inputs.push_back(b.input(names[n], select && n == 0 ? DType::Bool : dtype));
    b.begin(SectionKind::Map);
    std::vector<Scalar> arguments;
    for (int input : inputs) arguments.push_back(b.load(input));
    Scalar result = b.emit(op, arguments);
    b.store(b.output("out", result.dtype()), result);
    return batch.add(b.finish());
}

// All pairs of edge values (single ones for one argument), then as many random ones.
template <class T>
void set_values(Problem& problem, size_t first, size_t arguments, Random& random) {
    auto edges = edge_values<T>();
    std::vector<T> x, y;
    for (T a : edges)
        for (T b : edges) x.push_back(arguments == 1 ? b : a), y.push_back(b);
    if (arguments == 1) x.resize(edges.size());
    for (int n = 0; n < 500; ++n) {
        x.push_back(random_value<T>(random));
        if (arguments > 1) y.push_back(random_value<T>(random));
    }
    problem.operands[first].set(x);
    if (arguments > 1) problem.operands[first + 1].set(y);
}

template <class T>
int64_t count_values(size_t arguments) {
    auto edges = std::ssize(edge_values<T>());
    return (arguments == 1 ? edges : edges * edges) + 500;
}

class Opcodes : public testing::TestWithParam<Target> {};

TEST_P(Opcodes, AgreeOnEdgeAndRandomValues) {
    Random random(1);
    Batch batch;
    for (OpCode op : computing_opcodes())
        for (int d = 0; d < dtype_count; ++d) {
            auto dtype = static_cast<DType>(d);
            if (!kernel::takes(op, dtype)) continue;
            size_t kernel = add_kernel(batch, op, dtype);
            bool select = kernel::info(op).typing == Typing::select;
            size_t arguments = static_cast<size_t>(kernel::info(op).arguments) - (select ? 1 : 0);
            visit_dtype(dtype, [&](auto tag) {
                using T = decltype(tag);
                auto& problem = batch.problem(kernel, {count_values<T>(arguments)}, random);
                set_values<T>(problem, select ? 1 : 0, arguments, random);
                problem.tolerances = {tolerance_of(op, dtype)};
            });
        }
    ASSERT_GT(batch.kernels.size(), 350u);
    check_or_skip(GetParam(), batch, random);
}

// Every stored dtype to every other one, on all bit patterns of the 16-bit floats.
TEST_P(Opcodes, CastsAgree) {
    Random random(2);
    Batch batch;
    for (int from = 0; from < dtype_count; ++from)
        for (int to = 0; to < dtype_count; ++to) {
            auto source = static_cast<DType>(from), target = static_cast<DType>(to);
            Builder b(cat(dtype_short(source), "_to_", dtype_short(target)), 1, 0);
            int x = b.input("x", source), y = b.output("y", target);
            b.begin(SectionKind::Map);
            b.store(y, b.load(x));
            size_t kernel = batch.add(b.finish());
            visit_dtype(source, [&](auto tag) {
                using T = decltype(tag);
                bool half = detail::is_half_type<T>;
                auto& problem = batch.problem(kernel, {half ? 65536 : 2000}, random);
                problem.tolerances = {{0, 0, true}};
                if constexpr (detail::is_half_type<T>) {
                    int bits = 0;
                    problem.operands[0].template fill<T>([&] {
                        T value;
                        value.bits = static_cast<uint16_t>(bits++);
                        return value;
                    });
                }
            });
        }
    check_or_skip(GetParam(), batch, random);
}

// Values halfway between two 16-bit floats, and near them: rounding to nearest even.
TEST_P(Opcodes, StoresRoundHalfToEven) {
    Random random(3);
    Batch batch;
    for (const char* to : {"f16", "bf16"}) {
        size_t kernel = batch.add(cat("kernel round rank 1 outer 0 { in x: f32 out y: ", to,
                                      " map { %0 = f32 load x f32 store y %0 } }"));
        auto& problem = batch.problem(kernel, {1 << 17}, random);
        uint32_t n = 0;
        bool half = std::string_view(to) == "f16";
        problem.operands[0].fill<float>([&] {
            uint32_t place = n++ / 2;
            float low = half ? 0 : std::bit_cast<float>(place << 16);
            float high = half ? 0 : std::bit_cast<float>((place << 16) | 0x8000u);
            if (half) {
                Half a, b;
                a.bits = static_cast<uint16_t>(place);
                b.bits = static_cast<uint16_t>(place + 1);
                low = static_cast<float>(a);
                high = (low + static_cast<float>(b)) / 2;
            }
            return n % 2 ? high : std::nextafter(high, low);
        });
        problem.tolerances = {{0, 0, true}};
    }
    check_or_skip(GetParam(), batch, random);
}

TEST_P(Opcodes, BitcastsAgree) {
    Random random(4);
    Batch batch;
    for (int from = 0; from < dtype_count; ++from)
        for (int to = 0; to < dtype_count; ++to) {
            auto source = static_cast<DType>(from), target = static_cast<DType>(to);
            auto number = [](DType d) {
                return is_integer(d) || d == DType::Float32 || d == DType::Float64;
            };
            if (!number(source) || !number(target) || dtype_size(source) != dtype_size(target))
                continue;
            Builder b(cat(dtype_short(source), "_as_", dtype_short(target)), 1, 0);
            int x = b.input("x", source), y = b.output("y", target);
            b.begin(SectionKind::Map);
            b.store(y, b.bitcast(b.load(x), target));
            batch.problem(batch.add(b.finish()), {1000}, random).tolerances = {{0, 0, true}};
        }
    check_or_skip(GetParam(), batch, random);
}

TEST_P(Opcodes, ConstantsOfEveryDtypeAreExact) {
    Random random(5);
    Batch batch;
    for (int d = 0; d < dtype_count; ++d)
        visit_dtype(static_cast<DType>(d), [&](auto tag) {
            using T = decltype(tag);
            Builder b(cat("constants_", dtype_short(dtype_of<T>())), 1, 0);
            auto values = edge_values<T>();
            b.begin(SectionKind::Map);
            for (size_t n = 0; n < std::min<size_t>(values.size(), 30); ++n) {
                Scalar value;
                if constexpr (detail::is_complex_type<T>)
                    value =
                        b.constant(dtype_of<T>(), convert_number<std::complex<double>>(values[n]));
                else if constexpr (std::is_integral_v<T>)
                    value = b.constant(dtype_of<T>(), static_cast<int64_t>(values[n]));
                else
                    value = b.constant(dtype_of<T>(), convert_number<double>(values[n]));
                b.store(b.output(cat("out", n), dtype_of<T>()), value);
            }
            batch.problem(batch.add(b.finish()), {3}, random).tolerances = {{0, 0, true}};
        });
    check_or_skip(GetParam(), batch, random);
}

// Either half of a product of 32-bit numbers in 64 bits, which vectors put together from products
// of every second lane; signed ones and shifts by less are beside them.
TEST_P(Opcodes, HalvesOfProducts) {
    Random random(7);
    Batch batch;
    for (const char* wide : {"u64", "i64"}) {
        std::string text =
            "kernel halves rank 1 outer 0 { in x: u32 out high: u32 out low: u32 out near: u32"
            " out half: i32 map { %0 = u32 load x %1 = W cast %0 %2 = W constant 3528531795"
            " %3 = W mul %1, %2 %4 = W constant 32 %5 = W shift_right %3, %4 %6 = u32 cast %5"
            " %7 = u32 cast %3 %8 = W constant 31 %9 = W shift_right %3, %8 %10 = u32 cast %9"
            " %11 = i32 cast %5 u32 store high %6 u32 store low %7 u32 store near %10"
            " i32 store half %11 } }";
        for (size_t at; (at = text.find(" W ")) != std::string::npos;)
            text.replace(at + 1, 1, wide);
        size_t kernel = batch.add(text);
        for (int64_t length : {1, 7, 40, 1000}) batch.problem(kernel, {length}, random);
    }
    check_or_skip(GetParam(), batch, random);
}

// Vector loops have remainders: every length from 0 to 70, for a function and for a conversion.
TEST_P(Opcodes, EveryLengthIsRight) {
    Random random(6);
    Batch batch;
    size_t function = batch.add(
        "kernel f rank 1 outer 0 { in x: f32 out y: f32 map { %0 = f32 load x %1 = f32 tanh %0"
        " f32 store y %1 } }");
    size_t mixed = batch.add(
        "kernel f rank 1 outer 0 { in x: u8 in z: f64 in h: f16 out y: i16 out w: b1 map {"
        " %0 = u8 load x %1 = i64 cast %0 %2 = f64 load z %3 = f64 cast %1 %4 = f64 add %2, %3"
        " %5 = b1 lt %3, %2 %6 = i16 cast %4 %7 = f32 load h %8 = b1 isnan %7 %9 = b1 bit_or %5, %8"
        " i16 store y %6 b1 store w %9 } }");
    for (int64_t length = 0; length <= 70; ++length)
        for (int offset = 0; offset < 3; ++offset) {
            Layout layout;
            layout.offset = offset;
            auto& problem = batch.problem(function, {length}, random, {layout, layout});
            problem.tolerances = {{4, 0, true}};
            batch.problem(mixed, {length}, random, {layout, layout, layout, layout, layout});
        }
    check_or_skip(GetParam(), batch, random);
}

// Bodies that compute long from a position run two vectors side by side; heavy ones that load bring
// the last lanes of a row into a vector of their own: every length of rows that follow each other.
TEST_P(Opcodes, LongBodiesOfEveryLength) {
    Random random(8);
    Batch batch;
    Builder b("mixed_up", 2, 0);
    int seed = b.input("seed", DType::UInt32, 3), out = b.output("out", DType::UInt32);
    b.begin(SectionKind::Map);
    Scalar word =
        b.cast(b.index(1), DType::UInt32) + b.cast(b.index(0), DType::UInt32) * uint64_t{977};
    word = b.bit_xor(word, b.load(seed));
    for (int round = 0; round < 40; ++round)
        word =
            b.bit_xor(word * uint64_t{0x9E3779B1}, b.shift_right(word, b.like(word, uint64_t{13})));
    b.store(out, word);
    size_t mixed_up = batch.add(b.finish());
    size_t heavy = batch.add(
        "kernel heavy rank 2 outer 0 { in x: f32 in h: f16 in s: f32 out y: f32 map {"
        " %0 = f32 load x %1 = f32 load h %2 = f32 load s %3 = f32 atan %0 %4 = f32 mul %3, %1"
        " %5 = f32 add %4, %2 %6 = f32 erf %5 f32 store y %6 } }");
    Layout one_a_row;
    one_a_row.broadcast = 2;
    for (int64_t length = 0; length <= 140; length += length < 70 ? 1 : 7) {
        batch.problem(mixed_up, {3, length}, random);
        Layout apart;
        apart.offset = static_cast<int>(length % 5);
        // Rows do not follow each other in memory where the operand beside them is broadcast.
        auto& p = batch.problem(heavy, {3, length}, random, {apart, {}, one_a_row});
        for (size_t k = 0; k < 3; ++k) fill_between(p.operands[k], random, -2, 2);
        p.tolerances = {{4, 1e-6}};
    }
    check_or_skip(GetParam(), batch, random);
}

INSTANTIATE_TEST_SUITE_P(Backends, Opcodes, testing::ValuesIn(all_targets()),
                         [](const auto& info) { return info.param.text(); });

}  // namespace
}  // namespace croton::contract
