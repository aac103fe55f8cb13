// dtypes and ranks that do not fit.
#include "tests/errors/row.hpp"

namespace croton::test {

using enum ErrorKind;

Rows type_rows() {
    return {
        {"bool minus bool",
         Type,
         [] {
             auto a = vector<bool>("a");
             auto b = vector<bool>("b");
             auto c = a - b;
         },
         {"sub", "bool", "xor", "b1[?]", line("a - b")}},
        {"bits of floats",
         Type,
         [] {
             auto x = vector<double>("x");
             auto y = bitwise_and(x, x);
         },
         {"bitwise_and", "integers", "f64", line("bitwise_and(x, x)")}},
        {"order of complex numbers",
         Type,
         [] {
             auto z = vector<std::complex<double>>("z");
             auto y = lt(z, z);
         },
         {"lt", "complex", "c128[?]", line("lt(z, z)")}},
        {"a number that an integer dtype cannot hold",
         Value,
         [] {
             auto x = vector<int8_t>("x");
             auto y = x + 1000;
         },
         {"1000", "int8", line("x + 1000")}},
        {"maximum of complex numbers",
         Type,
         [] {
             auto z = vector<std::complex<float>>("z");
             auto y = max(z);
         },
         {"max", "complex", line("max(z)")}},
        {"softmax of integers",
         Type,
         [] {
             auto x = matrix<std::complex<double>>("x");
             auto y = softmax(x, 1);
         },
         {"softmax", "complex", line("softmax(x")}},
        {"classes that are floats",
         Type,
         [] {
             auto p = matrix<double>("p");
             auto y = vector<double>("y");
             auto loss = categorical_crossentropy(p, y);
         },
         {"f64[?,?]", "f64[?]", "integer", line("categorical_crossentropy(p, y)")}},
        {"a float as an index",
         Type,
         [] {
             auto x = vector<double>("x");
             auto i = scalar<double>("i");
             auto y = at(x, {i});
         },
         {"integer", "f64[]", line("at(x")}},
        {"floats as positions",
         Type,
         [] {
             auto x = vector<double>("x");
             auto i = vector<float>("i");
             auto y = take(x, i);
         },
         {"take", "integer", "f32", line("take(x, i)")}},
        {"a float size",
         Type,
         [] {
             auto n = scalar<double>("n");
             auto y = zeros({n, 3});
         },
         {"integer", "f64", line("zeros({n")}},
        {"a vector as a condition",
         Type,
         [] {
             auto c = vector<bool>("c");
             auto y = ifelse(c, 1.0, 2.0);
         },
         {"ifelse", "scalar", "b1[?]", line("ifelse(c")}},
        {"a matrix where a vector is promised",
         Type,
         [] {
             auto x = vector<double>("x");
             auto f = function({x}, sum(x));
             f(counting({2, 3}));
         },
         {"'x'", "rank 1", "rank 2", "(2, 3)", line("auto x")}},
        {"a float64 array for a float32 input",
         Type,
         [] {
             auto x = matrix<float>("x");
             auto f = function({x}, sum(x));
             f(counting({2, 3}));
         },
         {"'x'", "float32", "float64", "allow_input_downcast", line("auto x")}},
        {"floats for an integer input",
         Type,
         [] {
             auto i = vector<int32_t>("i");
             auto f = function({i}, sum(i));
             f(counting({3}));
         },
         {"'i'", "int32", "float64", "allow_input_downcast", line("auto i")}},
        {"downcast refused",
         Type,
         [] {
             auto x = scalar<float>("x");
             auto f = function({x}, x * 2, {.allow_input_downcast = false});
             f(0.1);
         },
         {"'x'", "float32", "float64", line("auto x")}},
        {"a strict input",
         Type,
         [] {
             auto x = vector<double>("x");
             In in(x);
             in.strict = true;
             auto f = function({in}, sum(x));
             f(counting({3}, DType::Float32));
         },
         {"'x'", "float64", "float32", "strict", line("auto x")}},
        {"a shared variable set to another dtype",
         Type,
         [] {
             auto w = shared(zeros<float>({3}), "w");
             w.set_value(counting({3}));
         },
         {"'w'", "f32", "f64", line("auto w")}},
        {"a shared variable set to another rank",
         Type,
         [] {
             auto w = shared(zeros<float>({3}), "w");
             w.set_value(zeros<float>({3, 3}));
         },
         {"'w'", "f32[?]", "f32[3,3]", line("auto w")}},
        {"transposed axes of another rank",
         Value,
         [] {
             auto x = matrix<double>("x");
             auto y = transpose(x, {0, 1, 2});
         },
         {"transpose", "3", "2", "f64[?,?]", line("transpose(x")}},
        {"stack of other ranks",
         Type,
         [] {
             auto x = matrix<double>("x");
             auto y = vector<double>("y");
             auto z = stack({x, y});
         },
         {"stack", "f64[?,?]", "f64[?]", line("stack({")}},
        {"elements read as another dtype",
         Type,
         [] { counting({3}).data_as<float>(); },
         {"float64", "float32"}},
        {"several elements read as one",
         Shape,
         [] { counting({3}).item<double>(); },
         {"(3,)", "one"}},
        {"an array of values that do not fill its shape",
         Value,
         [] { Array::of(std::vector<double>{1, 2, 3}, {2, 2}); },
         {"3", "(2, 2)"}},
        {"an array reshaped to other sizes",
         Shape,
         [] { counting({6}).reshape({4, 2}); },
         {"6 elements", "(4, 2)"}},
        {"a random draw of integers as floats",
         Type,
         [] {
             RandomStream random(1);
             auto x = random.uniform({3}, 0.0, 1.0, DType::Int32);
         },
         {"random_uniform", "int32", line("random.uniform")}},
    };
}

}  // namespace croton::test
