// Result dtypes against NumPy's, read from numpy_dtypes.txt; Croton's own choices are listed here.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "croton/base/settings.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/special.hpp"

namespace croton::test {

namespace {

const std::vector<std::string> columns = {"b1",  "i8",  "i16", "i32", "i64", "u8",  "u16",
                                          "u32", "u64", "f16", "f32", "f64", "c64", "c128"};

Variable vector_of(std::string_view dtype) {
    return input(tensor_type(*dtype_from_name(dtype), 1), "x");
}

// A short dtype name, or "-" for a Type error.
std::string result_of(const std::string& op, Variables inputs) {
    if (op == "where") inputs.insert(inputs.begin(), vector_of("b1"));
    try {
        return std::string(dtype_short(apply(*find_op(op), std::move(inputs))[0].dtype()));
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::Type) return "-";
        throw;
    }
}

bool one_of(const std::string& op, std::initializer_list<const char*> ops) {
    return std::find(ops.begin(), ops.end(), op) != ops.end();
}

// Where Croton means to differ.
bool deviates(const std::string& op, const std::vector<std::string>& operands,
              const std::string& numpy, const std::string& ours) {
    bool complex = false, half = false, discrete = true;
    for (const auto& operand : operands) {
        complex |= operand[0] == 'c';
        half |= operand == "f16";
        discrete &= one_of(operand.substr(0, 1), {"b", "i", "u"});
    }
    // Orders, roundings and inverse functions of complex numbers are not offered.
    if (complex && ours == "-") return true;
    // float16 is for storage: it never comes out of integers.
    if (numpy == "f16" && ours == "f32" && !half) return true;
    // 1/x of integers is true division; roundings and conj leave integers and bool as they are.
    if (op == "reciprocal" && discrete && ours == "f64") return true;
    if (one_of(op, {"rint", "conj"}) && discrete && ours == operands[0]) return true;
    return false;
}

void expect_dtype(const std::string& op, const Variables& inputs,
                  const std::vector<std::string>& operands, const std::string& numpy) {
    std::string ours = result_of(op, inputs);
    if (ours == numpy) return;
    EXPECT_TRUE(deviates(op, operands, numpy, ours))
        << op << "(" << join(operands) << ") is " << ours << ", in NumPy " << numpy;
}

std::ifstream numpy_table() {
    const char* folder = std::getenv("CROTON_TESTS_DIR");
    std::ifstream file((folder ? std::string(folder) : "tests") + "/ops/numpy_dtypes.txt");
    EXPECT_TRUE(file.good()) << "run this in the root of the repository";
    return file;
}

TEST(Dtypes, AreNumPys) {
    const std::vector<std::pair<std::string, Array>> numbers = {
        {"True", Array::scalar(true)},
        {"1", Array::scalar(int64_t{1})},
        {"1.5", Array::scalar(1.5)},
        {"1j", Array::scalar(std::complex<double>(0, 1))}};
    auto file = numpy_table();
    std::string line;
    int checked = 0;
    while (std::getline(file, line)) {
        if (line[0] == '#') continue;
        std::istringstream words(line);
        std::string kind, op, left, numpy;
        words >> kind >> op;
        if (kind == "binary") words >> left;
        for (const auto& right : columns) {
            words >> numpy;
            ++checked;
            if (kind == "binary")
                expect_dtype(op, {vector_of(left), vector_of(right)}, {left, right}, numpy);
            else
                expect_dtype(op, {vector_of(right)}, {right}, numpy);
        }
        for (size_t i = 0; kind == "binary" && i < numbers.size(); ++i) {
            words >> numpy;
            ++checked;
            bool complex = i == 3;
            expect_dtype(op, {vector_of(left), weak_constant(numbers[i].second)},
                         {left, complex ? "c (plain)" : "u (plain)"}, numpy);
        }
        ASSERT_TRUE(words) << line;
    }
    EXPECT_GT(checked, 8000);
}

TEST(Dtypes, PlainNumbersBecomeConstantsOfTheArraysDtype) {
    Variable x = vector_of("f32");
    Variable y = x + 1;
    EXPECT_EQ(y.dtype(), DType::Float32);
    ASSERT_EQ(y.input(1).kind(), NodeKind::Constant);
    EXPECT_EQ(y.input(1).dtype(), DType::Float32);
    EXPECT_FALSE(y.input(1).node().weak);
    EXPECT_EQ((vector_of("u8") + true).dtype(), DType::UInt8);
    EXPECT_EQ((2 * vector_of("bf16")).dtype(), DType::BFloat16);
}

TEST(Dtypes, NumbersThatDoNotFitAreErrors) {
    try {
        vector_of("u8") + 300;
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Value);
        EXPECT_NE(std::string(error.what()).find("300 does not fit in uint8"), std::string::npos)
            << error.what();
    }
    EXPECT_THROW(vector_of("u8") - -1, Error);
    EXPECT_EQ((vector_of("i8") + -128).dtype(), DType::Int8);
    EXPECT_EQ((vector_of("u8") < -1).dtype(), DType::Bool);  // compared in a wider dtype
}

TEST(Dtypes, OnlyPlainNumbers) {
    EXPECT_EQ(add(1, 2).dtype(), DType::Int64);
    EXPECT_EQ(add(1, 2.5).dtype(), DType::Float64);
    EXPECT_EQ(exp(1).dtype(), DType::Float64);
}

TEST(Dtypes, FloatXDecidesWhatIntegersBecome) {
    auto before = settings().float_x;
    settings().float_x = "float32";
    EXPECT_EQ((vector_of("i32") / vector_of("i32")).dtype(), DType::Float32);
    EXPECT_EQ((vector_of("i32") * 1.5).dtype(), DType::Float32);
    EXPECT_EQ((vector_of("f64") * 1.5).dtype(), DType::Float64);
    EXPECT_EQ(exp(1).dtype(), DType::Float32);
    settings().float_x = before;
}

TEST(Dtypes, MistakesSayWhatToDo) {
    auto message = [](auto&& build) -> std::string {
        try {
            build();
        } catch (const Error& error) {
            return error.what();
        }
        return "no error";
    };
    EXPECT_NE(message([] { vector_of("b1") - vector_of("b1"); }).find("logical_xor"),
              std::string::npos);
    EXPECT_NE(message([] { vector_of("f32") & vector_of("i32"); }).find("integers or bool"),
              std::string::npos);
    EXPECT_NE(message([] { pow(vector_of("i32"), -2); }).find("floating exponent"),
              std::string::npos);
    EXPECT_NE(message([] { lt(vector_of("c64"), 1); }).find("not complex"), std::string::npos);
}

}  // namespace
}  // namespace croton::test
