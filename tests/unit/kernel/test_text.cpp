// The text form: round trips, and errors that name their place.
#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "croton/base/error.hpp"
#include "croton/kernel/builder.hpp"

namespace croton::kernel {
namespace {

std::string parse_error(std::string_view text) {
    try {
        parse(text);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Value);
        return error.what();
    }
    return "no error";
}

void expect_round_trip(const Kernel& kernel) {
    std::string text = print(kernel);
    EXPECT_TRUE(parse(text) == kernel) << text << print(parse(text));
}

TEST(Text, PrintsAsTheReadmeShows) {
    Builder b("axpy", 1, 0);
    int x = b.input("x", DType::Float16, 1), y = b.output("y", DType::Float32);
    b.begin(SectionKind::Map);
    b.store(y, b.load(x) * 2.5);
    EXPECT_EQ(print(b.finish()),
              "kernel axpy rank 1 outer 0 {\n"
              "  in x: f16 broadcast 0\n"
              "  out y: f32\n"
              "  map {\n"
              "    %0 = f32 load x\n"
              "    %1 = f32 constant 2.5\n"
              "    %2 = f32 mul %0, %1\n"
              "    f32 store y %2\n"
              "  }\n"
              "}\n");
}

TEST(Text, EveryKindOfInstructionComesBack) {
    Builder b("all", 3, 1);
    int x = b.input("x", DType::BFloat16, 5);
    int t = b.table("t", DType::Complex64, 2), point = b.table("point", DType::Int8, 0);
    int y = b.output("y", DType::Complex128), n = b.output("n", DType::Int64);
    b.begin(SectionKind::Outer);
    Scalar i = b.index(0), e = b.extent(2), s = b.size(t, 1);
    Scalar at[] = {i, e};
    Scalar z = b.load_at(t, at), p = b.load_at(point, {});
    b.begin(SectionKind::Reduce);
    Scalar v = b.load(x);
    Scalar best = b.accumulate(Combine::ArgMin, v), any = b.accumulate(Combine::Any, v);
    b.begin(SectionKind::Map);
    Scalar chosen = b.select(any, best, b.cast(p, DType::Int64) + s);
    b.store(n, chosen);
    b.store(y, b.cast(b.conj(z), DType::Complex128));
    Kernel kernel = b.finish();
    verify(kernel);
    expect_round_trip(kernel);
}

TEST(Text, ConstantsKeepTheirBits) {
    Builder b("constants", 0, 0);
    b.begin(SectionKind::Map);
    const double inf = std::numeric_limits<double>::infinity();
    const double numbers[] = {0.0,
                              -0.0,
                              0.1,
                              1e300,
                              5e-324,
                              inf,
                              -inf,
                              std::numeric_limits<double>::quiet_NaN(),
                              -std::numeric_limits<double>::quiet_NaN(),
                              std::bit_cast<double>(0x7ff8000000001234),
                              std::bit_cast<double>(0xfff8000000000001),
                              123456789.123,
                              -1e-7};
    for (DType dtype : {DType::Float32, DType::Float64})
        for (double number : numbers) b.constant(dtype, number);
    for (double number : numbers) b.constant(DType::Complex128, std::complex<double>(1, number));
    for (int d = 0; d < 9; ++d)
        for (int64_t number :
             {int64_t{0}, int64_t{-1}, int64_t{5}, std::numeric_limits<int64_t>::min(),
              std::numeric_limits<int64_t>::max()})
            b.constant(static_cast<DType>(d), number);
    Kernel kernel = b.finish();
    EXPECT_GT(kernel.values, 60);  // none was taken for another
    expect_round_trip(kernel);
}

TEST(Text, OddAndEqualNamesComeBack) {
    Builder b("a \"name\"\nwith \\ everything", 1, 0);
    const int inputs[] = {b.input("same", DType::Int32), b.input("same", DType::Int32),
                          b.input("", DType::Int32), b.input("a b", DType::Int32),
                          b.input("axis", DType::Int32)};
    int out = b.output("map", DType::Int32);
    b.begin(SectionKind::Map);
    Scalar sum = b.load(inputs[0]);
    for (int input : inputs) sum = sum + b.load(input);
    b.store(out, sum);
    expect_round_trip(b.finish());
}

TEST(Text, CommentsAndLayoutAreFree) {
    Kernel a = parse(
        "kernel k rank 0 outer 0 { // nothing\n\n in x:f32 out y:float32 map{%0=f32 load x"
        " f32 store y %0 }} // done");
    verify(a);
    EXPECT_EQ(a.operands.size(), 2u);
    expect_round_trip(a);
}

TEST(Text, ErrorsNameThePlace) {
    const std::pair<const char*, const char*> rows[] = {
        {"", "expected 'kernel', found 'the end of the text'"},
        {"kernel k rank x", "line 1, column 15: expected a whole number, found 'x'"},
        {"kernel k rank 1 outer 0 {\n  in x f32\n}", "line 2, column 8: expected ':', found 'f32'"},
        {"kernel k rank 1 outer 0 { in x: f33 }", "expected a dtype, found 'f33'"},
        {"kernel k rank 1 outer 0 { while }",
         "expected in, out, table, outer, map, reduce, loop or '}'"},
        {"kernel k rank 1 outer 0 { map { %0 = f32 fly %1 } }", "expected an opcode, found 'fly'"},
        {"kernel k rank 1 outer 0 { map { %0 = f32 load z } }", "expected an operand, found 'z'"},
        {"kernel k rank 1 outer 0 { map { %0 = f32 add %1 } }", "expected ',', found '}'"},
        {"kernel k rank 1 outer 0 { map { %0 = f32 constant abc } }", "expected a number"},
        {"kernel k rank 1 outer 0 { map { %0 = i32 constant 1.5 } }", "expected a whole number"},
        {"kernel k rank 1 outer 0 { map { %0 = f32 constant nan:1 } }", "the bits of a NaN"},
        {"kernel k rank 1 outer 0 { map { %0 = f32 fold mean %1 } }", "expected sum, prod"},
        {"kernel k rank 1 outer 0 { in x: f32 broadcast 64 }", "expected an axis"},
        {"kernel \"k rank 1", "this quote is not closed"},
        {"kernel k rank 1 outer 0 { } }", "expected the end of the text, found '}'"},
        {"kernel k rank 99999999999 outer 0 { }", "expected a whole number"},
    };
    for (auto [text, phrase] : rows)
        EXPECT_NE(parse_error(text).find(phrase), std::string::npos)
            << text << "\n  gives: " << parse_error(text);
}

// Every prefix of a kernel's text, and every text with one character changed: an error or a kernel,
// never a crash.
TEST(Text, DamagedTextsAreErrors) {
    std::string text =
        "kernel k rank 2 outer 1 { in x: f32 table t: i8 rank 2 out y: c64 broadcast 1\n"
        "outer { %0 = i64 index axis 0 %1 = i8 load_at t %0, %0 }\n"
        "reduce { %2 = f32 load x %3 = f32 constant -1.5e-3 %4 = f32 mul %2, %3"
        " %5 = f32 fold max %4 } outer { %6 = c64 constant (1, nan) c64 store y %6 } }";
    verify(parse(text));
    int errors = 0;
    for (size_t n = 0; n < text.size(); ++n)
        for (const char* junk : {"", "%", "9", "x", "\"", "-", "\xff", "{"}) {
            std::string damaged = *junk ? text : text.substr(0, n);
            if (*junk) damaged[n] = *junk;
            try {
                verify(parse(damaged));
            } catch (const Error& error) {
                errors += error.kind() == ErrorKind::Value || error.kind() == ErrorKind::Internal;
            }
        }
    EXPECT_GT(errors, 1000);
}

TEST(Text, NamesOfOpcodesAndCombinesComeBack) {
    for (int op = 0; op < opcode_count; ++op)
        EXPECT_EQ(opcode_from_name(info(static_cast<OpCode>(op)).name), static_cast<OpCode>(op));
    EXPECT_EQ(opcode_from_name("fly"), std::nullopt);
    EXPECT_EQ(combine_from_name("argmax"), Combine::ArgMax);
    EXPECT_EQ(combine_from_name("mean"), std::nullopt);
}

}  // namespace
}  // namespace croton::kernel
