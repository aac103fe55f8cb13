// Ops of the user's own, graphs called as ops, choices.
#include "tests/errors/row.hpp"

namespace croton::test {

using enum ErrorKind;

namespace {
/// An op whose parts can be made to go wrong.
struct Faults {
    bool throws = false, throws_number = false, types_throw = false;
    size_t results = 1;
    DType dtype = DType::Float64;
    bool other_rank = false, other_size = false;
};
class Faulty : public UserOp {
  public:
    explicit Faulty(Faults faults) : faults_(faults) {}
    std::string name() const override { return "Faulty"; }
    std::vector<TensorType> types(std::span<const TensorType> inputs) const override {
        if (faults_.types_throw) throw std::out_of_range("no such type");
        return {{inputs[0].dtype, {3}}};
    }
    std::vector<Array> perform(std::span<const Array>) const override {
        if (faults_.throws) throw std::runtime_error("the valve is stuck");
        if (faults_.throws_number) throw 42;
        Sizes shape = faults_.other_rank ? Sizes{3, 1} : faults_.other_size ? Sizes{4} : Sizes{3};
        return std::vector<Array>(faults_.results, Array::zeros(faults_.dtype, shape));
    }

  private:
    Faults faults_;
};
Variable faulty(Arg x, Faults faults) { return user_op_one(std::make_shared<Faulty>(faults), {x}); }
void run(const Variable& x, const Variable& y) { function({x}, y * 2.0)(counting({3})); }
}  // namespace

Rows user_rows() {
    return {
        {"a user op throws",
         Value,
         [] {
             auto x = vector<double>("x");
             auto y = faulty(x, {.throws = true});
             run(x, y);
         },
         {"Faulty", "the valve is stuck", line("faulty(x"), line("auto x"), "(3,)"}},
        {"a user op throws what is no exception",
         Value,
         [] {
             auto x = vector<double>("x");
             auto y = faulty(x, {.throws_number = true});
             run(x, y);
         },
         {"Faulty", "exception", line("faulty(x")}},
        {"a user op throws while its types are asked for",
         Value,
         [] {
             auto x = vector<double>("x");
             auto y = faulty(x, {.types_throw = true});
         },
         {"Faulty", "no such type", line("faulty(x")}},
        {"a user op gives too few results",
         Usage,
         [] {
             auto x = vector<double>("x");
             auto y = faulty(x, {.results = 0});
             run(x, y);
         },
         {"Faulty", "0 results", "1", line("faulty(x")}},
        {"a user op gives another dtype",
         Type,
         [] {
             auto x = vector<double>("x");
             auto y = faulty(x, {.dtype = DType::Float32});
             run(x, y);
         },
         {"Faulty", "float32", "float64", line("faulty(x")}},
        {"a user op gives another rank",
         Type,
         [] {
             auto x = vector<double>("x");
             auto y = faulty(x, {.other_rank = true});
             run(x, y);
         },
         {"Faulty", "(3, 1)", "f64[3]", line("faulty(x")}},
        {"a user op gives another size",
         Shape,
         [] {
             auto x = vector<double>("x");
             auto y = faulty(x, {.other_size = true});
             run(x, y);
         },
         {"Faulty", "(4,)", "f64[3]", line("faulty(x")}},
        {"a user op that is nothing",
         Usage,
         [] {
             auto x = vector<double>("x");
             auto y = user_op_one(nullptr, {x});
         },
         {"nothing", line("user_op_one(nullptr")}},
        {"a called graph that needs more",
         Usage,
         [] {
             auto x = vector<double>("x");
             auto y = vector<double>("y");
             Callable scale({x}, {x * y}, "scale");
         },
         {"scale", "'y'", line("auto y")}},
        {"a called graph with too few arguments",
         Usage,
         [] {
             auto x = vector<double>("x");
             auto y = vector<double>("y");
             Callable scale({x, y}, {x * y}, "scale");
             auto z = scale({x});
         },
         {"scale", "2", "1", line("scale({x})")}},
        {"a called graph with another rank",
         Type,
         [] {
             auto x = vector<double>("x");
             Callable twice({x}, {x * 2.0}, "twice");
             auto m = matrix<double>("m");
             auto z = twice({m});
         },
         {"twice", "'x'", "f64[?]", "f64[?,?]", line("twice({m})"), line("auto m")}},
        {"a called graph with another dtype",
         Type,
         [] {
             auto x = vector<float>("x");
             Callable twice({x}, {x * 2.0}, "twice");
             auto m = vector<double>("m");
             auto z = twice({m});
         },
         {"twice", "'x'", "f32[?]", "f64[?]", line("twice({m})")}},
        {"sizes inside of a called graph",
         Shape,
         [] {
             auto x = vector<double>("x");
             auto y = vector<double>("y");
             Callable distance({x, y}, {sum(sqr(x - y))}, "distance");
             auto a = vector<double>("a");
             auto b = vector<double>("b");
             auto f = function({a, b}, distance({a, b}));
             f(counting({3}), counting({4}));
         },
         {"3", "4", line("sqr(x - y)"), line("auto a")}},
        {"a position inside of a called graph",
         Index,
         [] {
             auto x = vector<double>("x");
             Callable third({x}, {at(x, {2})}, "third");
             auto a = vector<double>("a");
             auto f = function({a}, third({a}));
             f(counting({2}));
         },
         {"2", "axis 0", "size 2", line("at(x, {2})")}},
        {"a nested user op throws in a called graph",
         Value,
         [] {
             auto x = vector<double>("x");
             Callable inner({x}, {faulty(x, {.throws = true})}, "inner");
             Callable outer({x}, {inner({x}) * 2.0}, "outer");
             auto a = vector<double>("a");
             auto f = function({a}, outer({a}));
             f(counting({2}));
         },
         {"Faulty", "the valve is stuck", line("{faulty(x")}},
        {"choices of other ranks",
         Type,
         [] {
             auto c = scalar<bool>("c");
             auto x = vector<double>("x");
             auto y = matrix<double>("y");
             auto z = ifelse(c, x, y);
         },
         {"ifelse", "f64[?]", "f64[?,?]", line("ifelse(c"), line("auto x"), line("auto y")}},
        {"choices of other numbers",
         Usage,
         [] {
             auto c = scalar<bool>("c");
             auto x = vector<double>("x");
             auto z = ifelse(c, Variables{x, x}, Variables{x});
         },
         {"ifelse", "2", "1", line("ifelse(c")}},
        {"a choice by a complex number",
         Type,
         [] {
             auto c = scalar<std::complex<double>>("c");
             auto z = ifelse(c, 1.0, 2.0);
         },
         {"ifelse", "condition", "c128[]", line("ifelse(c")}},
        {"wrong sizes in the branch taken",
         Shape,
         [] {
             auto c = scalar<bool>("c");
             auto x = vector<double>("x");
             auto y = vector<double>("y");
             auto z = ifelse(c, x + y, x);
             auto f = function({c, x, y}, z);
             f(true, counting({3}), counting({4}));
         },
         {"3", "4", line("x + y"), line("auto x"), line("auto y")}},
        {"a user op throws in the branch taken",
         Value,
         [] {
             auto c = scalar<bool>("c");
             auto x = vector<double>("x");
             auto z = ifelse(c, faulty(x, {.throws = true}), x);
             auto f = function({c, x}, z);
             f(true, counting({3}));
         },
         {"Faulty", "the valve is stuck", line("faulty(x")}},
    };
}

}  // namespace croton::test
