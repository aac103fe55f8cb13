// What verify refuses, and the questions asked of kernels.
#include <gtest/gtest.h>

#include "croton/base/error.hpp"
#include "croton/kernel/builder.hpp"

namespace croton::kernel {
namespace {

std::string verify_error(const Kernel& kernel) {
    try {
        verify(kernel);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Internal);
        return error.what();
    }
    return "no error";
}

// A kernel of rank 2, outer 1 with operands of every kind around the given sections.
std::string verify_sections(const std::string& sections) {
    return verify_error(
        parse("kernel k rank 2 outer 1 { in x: f32 in h: f16 in c: c64"
              " table t: i32 rank 1 out y: f32 " +
              sections + " }"));
}

TEST(Verify, BrokenRulesAreNamed) {
    const std::string stored = " outer { %90 = f32 constant 0 f32 store y %90 }";
    const std::pair<const char*, const char*> rows[] = {
        {"map { }", "output 4 is stored 0 times, not once"},
        {"map { %0 = f32 load x f32 store y %0 f32 store y %0 }", "is stored 2 times"},
        {"map { %1 = f32 load x f32 store y %1 }", "%1 is not in 0..values"},
        {"map { %0 = f32 load x %0 = f32 load x f32 store y %0 }", "%0 is defined twice"},
        {"map { %1 = f32 neg %0 %0 = f32 load x f32 store y %1 }",
         "%0 is used before its definition"},
        {"map { %0 = f32 load x } outer { f32 store y %0 }", "%0 is not visible here"},
        {"reduce { %0 = f32 load x %1 = f32 fold any %0 }", "any does not take float32"},
        {"reduce { %0 = f32 load x %1 = f32 fold argmax %0 }", "gives int64, not float32"},
        {"map { %0 = f32 load x %1 = f32 fold sum %0 f32 store y %0 }",
         "only a reduce section has accumulators"},
        {"map { %0 = f32 load x across sum %0 into y }",
         "operand 4 is folded across axis 0 and lies along it"},
        {"map { %0 = f32 load x across argmax %0 into y }", "cannot be folded across here"},
        {"map { %0 = f32 load x across any %0 into y }", "cannot be folded across here"},
        {"map { %0 = c64 load c across sum %0 into y }", "folds complex64 into float32"},
        {"map { %0 = f32 load x across sum %0 into x }", "operand 0 is not an output"},
        {"map { %0 = f16 load h f32 store y %0 }", "has dtype float16, not float32"},
        {"map { %0 = f32 load y f32 store y %0 }", "operand 4 is not an input"},
        {"map { %0 = f32 load #9 f32 store y %0 }", "there is no operand 9"},
        {"map { %0 = f32 load x f32 store x %0 }", "operand 0 is not an output"},
        {"map { %0 = c64 load c c64 store y %0 }", "has dtype complex64, not float32"},
        {"outer { %0 = i64 index axis 1 }", "axis 1 is not in 0..1"},
        {"map { %0 = i64 index axis 2 }", "axis 2 is not in 0..2"},
        {"map { %0 = i32 extent axis 0 }", "has dtype int32, not int64"},
        {"map { %0 = i64 size t axis 1 }", "axis 1 is not in 0..1"},
        {"map { %0 = i64 size x axis 0 }", "operand 0 is not a table"},
        {"map { %0 = i32 constant 1 %1 = i32 load_at t %0 }", "a position is int32, not int64"},
        {"map { %0 = f32 load x %1 = c64 load c %2 = f32 add %0, %1 }",
         "arguments differ: float32 and complex64"},
        {"map { %0 = c64 load c %1 = b1 lt %0, %0 }", "does not take complex64"},
        {"map { %0 = f32 load x %1 = f32 lt %0, %0 }", "gives bool, not float32"},
        {"map { %0 = c64 load c %1 = c64 abs %0 }", "gives float32, not complex64"},
        {"map { %0 = f32 load x %1 = f32 select %0, %0, %0 }", "the condition is float32"},
        {"map { %0 = f32 load x %1 = f64 bitcast %0 }", "are not numbers of one size"},
        {"map { %0 = f32 load x %1 = f16 cast %0 }", "float16 is for storage only"},
    };
    for (auto [sections, phrase] : rows) {
        std::string message = verify_sections(sections);
        EXPECT_NE(message.find(phrase), std::string::npos) << sections << "\n  gives: " << message;
        EXPECT_NE(message.find("kernel 'k'"), std::string::npos);
    }
}

TEST(Verify, WrongShapesOfAKernel) {
    EXPECT_NE(verify_error(parse("kernel k rank 1 outer 2 { }")).find("outer 2"),
              std::string::npos);
    EXPECT_NE(verify_error(parse("kernel k rank 65 outer 0 { }")).find("rank 65"),
              std::string::npos);
    EXPECT_NE(verify_error(parse("kernel k rank 1 outer 0 { in x: f32 broadcast 1 }"))
                  .find("along an axis that is not there"),
              std::string::npos);
    Kernel kernel = parse("kernel k rank 0 outer 0 { }");
    kernel.values = 1;
    EXPECT_NE(verify_error(kernel).find("%0 is never defined"), std::string::npos);
}

TEST(Verify, MessagesNameTheInstruction) {
    EXPECT_NE(verify_sections("outer { } map { %0 = f32 load x %1 = f32 add %0, %7 }")
                  .find("section 1, instruction 1 (add)"),
              std::string::npos);
}

TEST(Kernel, OperandsAskedForTheirSizesAloneAreNotLoaded) {
    Kernel k = parse(
        "kernel k rank 1 outer 0 { in x: f64 in y: f64 table t: f64 rank 2 table u: f64 rank 1 "
        "out z: f64 map { %0 = f64 load y %1 = i64 size t axis 1 %2 = i64 constant 0 "
        "%3 = f64 load_at u %2 %4 = f64 add %0, %3 f64 store z %4 } }");
    EXPECT_EQ(loaded_operands(k), (std::vector<bool>{false, true, false, true, false}));
}

TEST(Kernel, WhatCanBeSplit) {
    auto split = [](std::string_view text) { return can_split(parse(text)); };
    EXPECT_FALSE(split("kernel k rank 0 outer 0 { map { } }"));
    EXPECT_TRUE(split("kernel k rank 1 outer 0 { map { } }"));
    EXPECT_TRUE(split("kernel k rank 2 outer 1 { reduce { } map { } }"));
    EXPECT_FALSE(split("kernel k rank 2 outer 0 { reduce { } map { } }"));
    EXPECT_FALSE(split("kernel k rank 2 outer 0 { reduce { } }"));
}

TEST(Kernel, WhatCanShareMemory) {
    Kernel k = parse(
        "kernel k rank 2 outer 1 { in x: f32 in z: f32 in h: f16 in unused: f32 out y: f32 out w: "
        "f32"
        " map { %0 = f32 load x f32 store y %0 %1 = f32 load h }"
        " map { %2 = f32 load z f32 store w %2 } }");
    EXPECT_TRUE(can_share(k, 0, 4));
    EXPECT_TRUE(can_share(k, 0, 5));
    EXPECT_FALSE(can_share(k, 1, 4));  // z is still to be read when y is written
    EXPECT_TRUE(can_share(k, 1, 5));
    EXPECT_FALSE(can_share(k, 2, 5));  // another dtype
    EXPECT_TRUE(can_share(k, 3, 4));
    EXPECT_FALSE(can_share(k, 4, 5));
}

TEST(Builder, EqualInstructionsAreEmittedOnce) {
    Builder b("k", 2, 1);
    int x = b.input("x", DType::Float32), y = b.output("y", DType::Float32);
    b.begin(SectionKind::Outer);
    Scalar two = b.constant(DType::Float32, 2.0);
    b.begin(SectionKind::Map);
    Scalar a = b.load(x) * 2.0, c = b.load(x) * two;
    EXPECT_EQ(a.id, c.id);
    EXPECT_NE(b.constant(DType::Float32, 0.0).id, b.constant(DType::Float32, -0.0).id);
    b.store(y, a);
    b.begin(SectionKind::Reduce);
    EXPECT_NE(b.load(x).id, a.id);  // what a Map computed is out of reach
    EXPECT_EQ((b.load(x) * 2.0).dtype(), DType::Float32);
    Kernel kernel = b.finish();
    verify(kernel);
}

TEST(Builder, DtypesFollowFromTheArguments) {
    Builder b("k", 0, 0);
    int h = b.input("h", DType::Float16), z = b.input("z", DType::Complex128);
    b.begin(SectionKind::Map);
    EXPECT_EQ(b.load(h).dtype(), DType::Float32);
    EXPECT_EQ(b.abs(b.load(z)).dtype(), DType::Float64);
    EXPECT_EQ(b.lt(b.load(h), b.load(h)).dtype(), DType::Bool);
    EXPECT_EQ(b.complex(b.load(h), b.load(h)).dtype(), DType::Complex64);
    EXPECT_EQ(b.cast(b.load(h), DType::BFloat16).id, b.load(h).id);
    Scalar condition = b.isnan(b.load(h));
    EXPECT_EQ(b.select(condition, b.load(z), b.load(z)).dtype(), DType::Complex128);
    verify(b.finish());
}

}  // namespace
}  // namespace croton::kernel
