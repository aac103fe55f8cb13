// Sizes that do not fit: found when the graph is built where types know them, else when it runs.
#include "tests/errors/row.hpp"

namespace croton::test {

using enum ErrorKind;

Rows shape_rows() {
    return {
        {"sum of 3 and 4 elements",
         Shape,
         [] {
             auto x = tensor<double>("x", {3});
             auto y = tensor<double>("y", {4});
             auto z = x + y;
         },
         {"3", "4", "axis 0", "x", "f64[3]", "y", "f64[4]", line("tensor<double>(\"x\""),
          line("tensor<double>(\"y\""), line("x + y"), "auto z = x + y;", "^"}},
        {"logits and bias of other widths",
         Shape,
         [] {
             auto x = tensor<float>("x", {32, 784});
             auto w = tensor<float>("w", {784, 10});
             auto b = tensor<float>("b", {12});
             auto logits = dot(x, w);
             auto out = logits + b;
         },
         {"10", "12", "axis 1", line("auto logits"), line("auto out"), "auto logits = dot(x, w);",
          "^"}},
        {"sum of 3 and 4 elements in a call",
         Shape,
         [] {
             auto x = vector<double>("x");
             auto y = vector<double>("y");
             auto f = function({x, y}, exp(x + y));
             f(counting({3}), counting({4}));
         },
         {"3", "4", "x", "y", "axis 0", line("x + y"), line("auto x"), line("auto y"), "^"}},
        {"sum of matrices of other widths in quick mode",
         Shape,
         [] {
             auto x = matrix<double>("x");
             auto y = matrix<double>("y");
             auto f = function({x, y}, exp(x * y), {.mode = compile::mode_named("quick")});
             f(counting({2, 3}), counting({2, 5}));
         },
         {"3", "5", "axis 1", line("x * y"), line("auto x"), line("auto y")}},
        {"second of several lines is wrong in a call",
         Shape,
         [] {
             auto x = matrix<double>("x");
             auto b = vector<double>("b");
             auto c = vector<double>("c");
             auto hidden = tanh(x + b);
             auto out = sum(hidden * c);
             auto f = function({x, b, c}, out);
             f(counting({2, 3}), counting({3}), counting({5}));
         },
         {"3", "5", line("hidden * c"), line("auto c")}},
        {"wrong sizes while a gradient is computed",
         Shape,
         [] {
             auto x = vector<double>("x");
             auto y = vector<double>("y");
             auto cost = sum(sqr(x - y));
             auto f = function({x, y}, grad(cost, x));
             f(counting({3}), counting({4}));
         },
         {"3", "4", line("x - y"), line("auto x"), line("auto y")}},
        {"inner sizes of a product",
         Shape,
         [] {
             auto a = tensor<double>("a", {2, 3});
             auto b = tensor<double>("b", {4, 5});
             auto c = dot(a, b);
         },
         {"dot", "3", "4", "f64[2,3]", "f64[4,5]", line("dot(a, b)")}},
        {"inner sizes of a product in a call",
         Shape,
         [] {
             auto a = matrix<double>("a");
             auto b = matrix<double>("b");
             auto f = function({a, b}, dot(a, b));
             f(counting({2, 3}), counting({4, 5}));
         },
         {"3", "4", "(2, 3)", "(4, 5)", line("dot(a, b)"), line("auto a"), line("auto b")}},
        {"batches of other sizes in a product",
         Shape,
         [] {
             auto a = tensor3<double>("a");
             auto b = tensor3<double>("b");
             auto f = function({a, b}, matmul(a, b));
             f(counting({2, 3, 4}), counting({3, 4, 5}));
         },
         {"2", "3", "a", "b", line("matmul(a, b)")}},
        {"scalar in matmul",
         Type,
         [] {
             auto a = scalar<double>("a");
             auto b = matrix<double>("b");
             auto c = matmul(a, b);
         },
         {"matmul", "scalar", line("matmul(a, b)")}},
        {"axes of tensordot",
         Shape,
         [] {
             auto a = tensor<double>("a", {2, 3});
             auto b = tensor<double>("b", {2, 3});
             auto c = tensordot(a, b, Axes{1}, Axes{0});
         },
         {"3", "2", "f64[2,3]", line("tensordot(a, b")}},
        {"tensordot over other numbers of axes",
         Value,
         [] {
             auto a = tensor<double>("a", {2, 3});
             auto b = tensor<double>("b", {2, 3});
             auto c = tensordot(a, b, Axes{0, 1}, Axes{0});
         },
         {"tensordot", "2", "1", line("tensordot(a, b")}},
        {"reshape to another number of elements",
         Shape,
         [] {
             auto x = tensor<double>("x", {2, 3});
             auto y = reshape(x, {4, 2});
         },
         {"6", "8", "(4, 2)", "f64[2,3]", line("reshape(x")}},
        {"reshape to another number of elements in a call",
         Shape,
         [] {
             auto x = matrix<double>("x");
             auto f = function({x}, reshape(x, {4, 2}));
             f(counting({2, 3}));
         },
         {"6", "(4, 2)", "(2, 3)", line("reshape(x"), line("auto x")}},
        {"reshape with two unknown sizes",
         Value,
         [] {
             auto x = matrix<double>("x");
             auto y = reshape(x, {-1, -1});
         },
         {"-1", "one", line("reshape(x")}},
        {"reshape with a size that does not divide",
         Shape,
         [] {
             auto x = tensor<double>("x", {2, 3});
             auto y = reshape(x, {4, -1});
         },
         {"6", "4", line("reshape(x")}},
        {"reshape to a negative size",
         Value,
         [] {
             auto x = tensor<double>("x", {2, 3});
             auto y = reshape(x, {-2, 3});
         },
         {"-2", line("reshape(x")}},
        {"concatenation of other widths",
         Shape,
         [] {
             auto a = tensor<double>("a", {2, 3});
             auto b = tensor<double>("b", {2, 4});
             auto c = concatenate({a, b}, 0);
         },
         {"concatenate", "3", "4", "axis 1", "f64[2,3]", "f64[2,4]", line("concatenate({")}},
        {"concatenation of other widths in a call",
         Shape,
         [] {
             auto a = matrix<double>("a");
             auto b = matrix<double>("b");
             auto f = function({a, b}, concatenate({a, b}, 0));
             f(counting({2, 3}), counting({2, 4}));
         },
         {"3", "4", "axis 1", "(2, 3)", "(2, 4)", line("concatenate({")}},
        {"concatenation of nothing",
         Usage,
         [] { auto c = concatenate(Args{}, 0); },
         {"concatenate"}},
        {"concatenation of other ranks",
         Type,
         [] {
             auto a = matrix<double>("a");
             auto b = vector<double>("b");
             auto c = concatenate({a, b}, 0);
         },
         {"concatenate", "f64[?,?]", "f64[?]", line("concatenate({")}},
        {"pieces that are not the whole",
         Shape,
         [] {
             auto x = vector<double>("x");
             auto pieces = split(x, {2, 3});
             auto f = function({x}, pieces[0] + sum(pieces[1]));
             f(counting({7}));
         },
         {"7", "5", line("split(x")}},
        {"broadcast to smaller sizes",
         Shape,
         [] {
             auto x = tensor<double>("x", {3});
             auto y = broadcast_to(x, {4});
         },
         {"3", "4", line("broadcast_to(x")}},
        {"broadcast to smaller sizes in a call",
         Shape,
         [] {
             auto x = vector<double>("x");
             auto f = function({x}, broadcast_to(x, {2, 4}));
             f(counting({3}));
         },
         {"3", "4", "(3,)", line("broadcast_to(x")}},
        {"promised sizes that do not come",
         Shape,
         [] {
             auto x = matrix<double>("x");
             auto f = function({x}, specify_shape(x, {2, 3}));
             f(counting({2, 4}));
         },
         {"3", "4", "axis 1", line("specify_shape(x")}},
        {"squeeze of an axis of 3",
         Shape,
         [] {
             auto x = tensor<double>("x", {1, 3});
             auto y = squeeze(x, {1});
         },
         {"3", "axis 1", line("squeeze(x")}},
        {"dropping an axis that is not 1 in a call",
         Shape,
         [] {
             auto x = matrix<double>("x");
             auto f = function({x}, dimshuffle(x, {1}));
             f(counting({2, 3}));
         },
         {"axis 0", "2", line("dimshuffle(x")}},
        {"maximum of nothing",
         Value,
         [] {
             auto x = tensor<double>("x", {0, 3});
             auto y = max(x);
         },
         {"max", "no elements", line("max(x)")}},
        {"maximum of nothing in a call",
         Value,
         [] {
             auto x = vector<double>("x");
             auto f = function({x}, max(x));
             f(counting({0}));
         },
         {"no elements", "zero-size", "(0,)", line("max(x)"), line("auto x")}},
        {"choice between rows of other widths",
         Shape,
         [] {
             auto c = tensor<bool>("c", {2});
             auto x = tensor<double>("x", {3});
             auto z = where(c, x, 0.0);
         },
         {"2", "3", line("where(c, x")}},
        {"probabilities and classes of other numbers of rows",
         Shape,
         [] {
             auto p = matrix<double>("p");
             auto y = vector<int64_t>("y");
             auto loss = mean(categorical_crossentropy(p, y));
             auto f = function({p, y}, loss);
             f(full<double>({4, 3}, 0.3), full<int64_t>({5}, 1));
         },
         {"4", "5", line("categorical_crossentropy(p, y)"), line("auto p"), line("auto y")}},
        {"a negative number of elements",
         Value,
         [] {
             auto n = scalar<int64_t>("n");
             auto f = function({n}, zeros({n}));
             f(int64_t{-3});
         },
         {"-3", line("zeros({n})")}},
        {"a batch of arrays with other numbers of rows",
         Shape,
         [] { Batches({counting({4, 2}), counting({5})}, 2); },
         {"(4, 2)", "(5,)", "rows"}},
    };
}

}  // namespace croton::test
