// Functions that are made or called wrongly.
#include "tests/errors/row.hpp"

namespace croton::test {

using enum ErrorKind;

Rows function_rows() {
    return {
        {"an input is missing",
         Usage,
         [] {
             auto x = vector<double>("x");
             auto y = vector<double>("y");
             function({x}, x + y);
         },
         {"'y'", "f64[?]", "needed", "not among the inputs", line("auto y"), line("x + y")}},
        {"an input without a name is missing",
         Usage,
         [] {
             auto x = vector<double>();
             function({}, exp(x));
         },
         {"f64[?]", "not among the inputs", line("auto x"), line("exp(x)")}},
        {"an input is not used",
         Usage,
         [] {
             auto x = vector<double>("x");
             auto y = vector<double>("y");
             function({x, y}, exp(x));
         },
         {"'y'", "not used", "on_unused_input", line("auto y")}},
        {"an unknown word for unused inputs",
         Value,
         [] {
             auto x = vector<double>("x");
             function({x}, exp(x), {.on_unused_input = "scream"});
         },
         {"scream", "raise", "warn", "ignore"}},
        {"an input twice",
         Usage,
         [] {
             auto x = vector<double>("x");
             function({x, x}, exp(x));
         },
         {"'x'", "twice", line("auto x")}},
        {"two inputs of one name",
         Usage,
         [] {
             auto x = vector<double>("x");
             auto y = vector<double>("x");
             function({x, y}, x + y);
         },
         {"'x'", "two inputs", line("auto x"), line("auto y")}},
        {"a shared variable as an input",
         Usage,
         [] {
             auto w = shared(zeros<double>({3}), "w");
             function({w}, exp(w));
         },
         {"'w'", "shared", "givens", line("auto w")}},
        {"a constant as an input",
         Usage,
         [] {
             auto c = constant(counting({3}));
             function({c}, exp(c));
         },
         {"constant", line("auto c")}},
        {"nothing as an input",
         Usage,
         [] { function({Variable()}, exp(scalar<double>("x"))); },
         {"input 0", "nothing"}},
        {"nothing as an output",
         Usage,
         [] {
             auto x = scalar<double>("x");
             function({x}, Variable());
         },
         {"output 0", "nothing"}},
        {"an update of an input",
         Type,
         [] {
             auto x = vector<double>("x");
             function({x}, exp(x), {.updates = {{x, x + 1}}});
         },
         {"'x'", "shared", "update", line("auto x")}},
        {"an update of an expression",
         Type,
         [] {
             auto w = shared(zeros<double>({3}), "w");
             auto v = exp(w);
             function({}, v, {.updates = {{v, w}}});
         },
         {"shared", "update", line("exp(w)")}},
        {"an update of another dtype",
         Type,
         [] {
             auto w = shared(zeros<float>({3}), "w");
             auto next = w * counting({3});
             function({}, sum(w), {.updates = {{w, next}}});
         },
         {"'w'", "f32[?]", "f64[3]", "cast", line("auto w"), line("auto next")}},
        {"an update of another rank",
         Type,
         [] {
             auto w = shared(zeros<double>({3}), "w");
             auto next = sum(w);
             function({}, next, {.updates = {{w, next}}});
         },
         {"'w'", "f64[?]", "f64[]", line("auto w"), line("auto next")}},
        {"an update of another size",
         Type,
         [] {
             auto w = shared_of_type({DType::Float64, {3}}, zeros<double>({3}), "w");
             auto next = concatenate({w, w});
             function({}, std::vector<Out>{}, {.updates = {{w, next}}});
         },
         {"'w'", "f64[3]", "f64[6]", line("auto next")}},
        {"nothing as an update",
         Usage,
         [] {
             auto w = shared(zeros<double>({3}), "w");
             function({}, sum(w), {.updates = {{w, Variable()}}});
         },
         {"'w'", "nothing", line("auto w")}},
        {"an update twice",
         Usage,
         [] {
             auto w = shared(zeros<double>({3}), "w");
             function({}, sum(w), {.updates = {{w, w + 1}, {w, w + 2}}});
         },
         {"'w'", "twice", line("auto w")}},
        {"a replacement of another dtype",
         Type,
         [] {
             auto x = vector<float>("x");
             auto y = vector<double>("y");
             function({y}, exp(x), {.givens = {{x, y}}});
         },
         {"'x'", "f32[?]", "f64[?]", "cast", line("auto x"), line("auto y")}},
        {"a replacement of another rank",
         Type,
         [] {
             auto x = vector<double>("x");
             auto y = matrix<double>("y");
             function({y}, exp(x), {.givens = {{x, y}}});
         },
         {"'x'", "f64[?]", "f64[?,?]", line("auto x"), line("auto y")}},
        {"a replacement twice",
         Usage,
         [] {
             auto x = vector<double>("x");
             function({}, exp(x),
                      {.givens = {{x, constant(counting({3}))}, {x, constant(counting({3}))}}});
         },
         {"'x'", "twice", line("auto x")}},
        {"nothing is replaced",
         Usage,
         [] {
             auto x = vector<double>("x");
             function({x}, exp(x), {.givens = {{Variable(), x}}});
         },
         {"givens", "nothing"}},
        {"a default of another rank",
         Type,
         [] {
             auto x = vector<double>("x");
             auto f = function({In(x, "x", Array::scalar(1.0))}, exp(x));
             f();
         },
         {"'x'", "rank 1", "rank 0", line("auto x")}},
        {"too few arguments",
         Usage,
         [] {
             auto x = vector<double>("x");
             auto y = vector<double>("y");
             auto f = function({x, y}, x + y, {.name = "adding"});
             f(counting({3}));
         },
         {"adding", "'y'", "missing", "f64[?]", line("auto y")}},
        {"too many arguments",
         Usage,
         [] {
             auto x = vector<double>("x");
             auto f = function({x}, exp(x), {.name = "growing"});
             f(counting({3}), counting({3}));
         },
         {"growing", "1", "2", "'x'"}},
        {"an unknown keyword",
         Usage,
         [] {
             auto x = vector<double>("x");
             auto f = function({x}, exp(x), {.name = "growing"});
             f.call_named({}, {{"y", counting({3})}});
         },
         {"growing", "'y'", "x"}},
        {"an argument twice",
         Usage,
         [] {
             auto x = vector<double>("x");
             auto f = function({x}, exp(x), {.name = "growing"});
             f.call_named({counting({3})}, {{"x", counting({3})}});
         },
         {"growing", "'x'", "twice"}},
        {"a size that the type excludes",
         Shape,
         [] {
             auto x = tensor<double>("x", {Dim(), 3});
             auto f = function({x}, exp(x));
             f(counting({2, 4}));
         },
         {"'x'", "f64[?,3]", "(2, 4)", "axis 1", line("auto x")}},
        {"one symbol with two sizes",
         Shape,
         [] {
             auto n = Dim::symbol("batch");
             auto x = tensor<double>("x", {n, Dim()});
             auto y = tensor<double>("y", {n});
             auto f = function({x, y}, sum(x) + sum(y));
             f(counting({2, 4}), counting({3}));
         },
         {"batch", "2", "3", "'x'", "'y'", line("auto x"), line("auto y")}},
        {"one of several outputs taken for the only one",
         Usage,
         [] {
             auto x = vector<double>("x");
             auto f = function({x}, {exp(x), sin(x)});
             f(counting({3})).only();
         },
         {"2 outputs"}},
        {"a profile that nobody asked for",
         Usage,
         [] {
             auto x = vector<double>("x");
             function({x}, exp(x)).profile();
         },
         {"profile"}},
        {"a copy with a variable of another type",
         Type,
         [] {
             auto w = shared(zeros<double>({3}), "w");
             auto v = shared(zeros<float>({3}), "v");
             function({}, sum(w)).copy({{w, v}});
         },
         {"w", "v", "f64[?]", "f32[?]", line("auto w"), line("auto v")}},
        {"a copy without the variable",
         Usage,
         [] {
             auto w = shared(zeros<double>({3}), "w");
             auto v = shared(zeros<double>({3}), "v");
             function({}, sum(w)).copy({{v, w}});
         },
         {"'v'", "w"}},
        {"an unnamed function that is nothing",
         Usage,
         [] { Function()(counting({3})); },
         {"nothing", "function("}},
        {"the value of an expression without its input",
         Usage,
         [] {
             auto x = vector<double>("x");
             eval(exp(x));
         },
         {"'x'", "f64[?]", line("auto x")}},
        {"an assertion of the user",
         Value,
         [] {
             auto x = vector<double>("x");
             auto f = function({x}, assert_(x, gt(x, 0.0), "x must be positive"));
             f(counting({3}));
         },
         {"x must be positive", line("assert_(x")}},
        {"more memory than there is",
         Device,
         [] {
             auto n = scalar<int64_t>("n");
             auto f = function({n}, zeros({n, n}) + cast(arange(n), DType::Float64));
             f(int64_t{1} << 24);
         },
         {"memory", "bytes", line("zeros({n, n})")}},
        {"more bytes than can be counted",
         Device,
         [] {
             auto n = scalar<int64_t>("n");
             auto x = vector<double>("x");
             auto f = function({n, x}, zeros({n, n}) + x);
             f(int64_t{1} << 40, Array::of({1.}));
         },
         {"memory", line("zeros({n, n})")}},
    };
}

}  // namespace croton::test
