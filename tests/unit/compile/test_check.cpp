// Check mode names what is guilty of a wrong value.
#include <gtest/gtest.h>

#include <algorithm>

#include "croton/base/error.hpp"
#include "croton/base/format.hpp"
#include "croton/compile/check.hpp"
#include "croton/compile/pipeline.hpp"
#include "croton/kernel/kernel.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/scan.hpp"
#include "croton/ops/special.hpp"
#include "croton/rewrite/rule.hpp"
#include "croton/runtime/backend.hpp"

namespace croton::compile {
namespace {

// The interpreter with sines for cosines.
class WrongBackend : public runtime::Backend {
  public:
    std::string_view name() const override { return "wrong"; }
    std::shared_ptr<const runtime::KernelSet> compile(std::span<const kernel::Kernel> kernels,
                                                      runtime::CompileStats* stats) const override {
        std::vector<kernel::Kernel> wrong;
        for (const auto& k : kernels) {
            std::string text = kernel::print(k);
            for (size_t at; (at = text.find("cos")) != std::string::npos;)
                text.replace(at, 3, "sin");
            wrong.push_back(kernel::parse(text));
        }
        return runtime::backend("interp").compile(wrong, stats);
    }
};

std::string verdict(const BuildRequest& request, const Array& argument, const Array& result) {
    try {
        check_results(request, std::vector{argument}, std::vector{result});
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Compile);
        return error.what();
    }
    return "";
}

TEST(Check, NamesTheKernelOrSaysThatTheValueDoesNotComeBack) {
    runtime::backend("interp");
    runtime::register_backend(std::make_unique<WrongBackend>());
    auto x = input(parse_type("f64[?]"), "x");
    BuildRequest request;
    request.inputs = {x};
    request.outputs = {cos(x) + 1.0};
    request.name = "waves";
    request.mode = mode_named("fast");
    request.mode.backend = "interp";
    Array zeros = Array::of({0., 0.});
    EXPECT_EQ(verdict(request, zeros, Array::of({2., 2.})), "");
    std::string stray = verdict(request, zeros, Array::of({2., 1.}));
    EXPECT_NE(stray.find("waves gave a wrong value that does not come back"), stray.npos) << stray;
    request.mode.backend = "wrong";
    std::string kernel = verdict(request, zeros, Array::of({1., 1.}));
    for (const char* phrase : {"of function waves", "on back end wrong", "test_check.cpp"})
        EXPECT_NE(kernel.find(phrase), kernel.npos) << kernel;
}

TEST(Check, NamesTheRuleAndItsRowAndTheUsersLine) {
    Variable a = wildcard("a");
    const int row = __LINE__ + 1;
    const rewrite::Rules wrong = {{"sine is cosine", sin(a), cos(a)}};
    const rewrite::Rules right = {{"sign and size", sign(a) * abs(a), a}};
    auto x = input(parse_type("f64[?]"), "x");
    BuildRequest request;
    request.inputs = {x};
    const int user = __LINE__ + 1;
    Variable sine = sin(x);
    request.outputs = {sign(x) * abs(x) + log(sine + 2.0) * 1.0};
    request.name = "waves";
    request.mode = mode_named("check").with_rules({"own", {&right, &wrong}});
    request.mode.backend = "interp";
    Array at = Array::of({0.5, 1.});
    std::string said = verdict(request, at, Array::of({7., 7.}));
    for (const std::string& phrase :
         {std::string("of function waves changes its values: rule 'sine is cosine'"),
          cat("test_check.cpp:", row), std::string("turned sin(x) into cos(x)"),
          cat("test_check.cpp:", user)})
        EXPECT_NE(said.find(phrase), said.npos) << phrase << "\n" << said;
    // Without the rule nothing is wrong but the value that was shown.
    request.mode = request.mode.excluding({"sine is cosine"});
    said = verdict(request, at, Array::of({7., 7.}));
    EXPECT_NE(said.find("does not come back"), said.npos) << said;
}

// Rules that fire in a loop's body are found too, and rows about loops are among the steps.
TEST(Check, NamesTheRuleInsideOfALoop) {
    Variable a = wildcard("a");
    const rewrite::Rules wrong = {{"sine is cosine", sin(a), cos(a)}};
    auto x = input(parse_type("f64[?]"), "x");
    auto body = [](const Step& step) {
        Variable next = sin(step.states[0]) * 1.0 + 0.0;
        return StepResult({next, next});
    };
    Variables made = scan(body, {.outputs_info = {x, {}}, .n_steps = 100}).outputs;
    BuildRequest request;
    request.inputs = {x};
    request.outputs = {at(made[0], {-1}), exp(log(made[1])) * 1.0};
    request.name = "waves";
    request.mode = mode_named("check").with_rules({"own", {&wrong}});
    request.mode.backend = "interp";
    std::string said;
    try {
        check_results(request, std::vector{Array::of({0.5, 1.})},
                      std::vector{Array::of({7., 7.}), Array::of({7.})});
    } catch (const Error& error) {
        said = error.what();
    }
    for (const char* phrase : {"of function waves changes its values: rule 'sine is cosine'",
                               "turned sin(", "test_check.cpp"})
        EXPECT_NE(said.find(phrase), said.npos) << phrase << "\n" << said;
}

// A function compiled with a rule of the caller's own fires it, and so does the caller's next one:
// the cache of graphs knows nothing of such rules.
TEST(OwnRules, RunWithThoseOfTheHouse) {
    Variable a = wildcard("a");
    const rewrite::Rules own = {{"cosine of sine", cos(sin(a)), a * 3.0}};
    auto x = input(parse_type("f64[?]"), "x");
    Variables graph = {cos(sin(x)) + 0.0};
    auto with = mode_named("fast").with_rules({"own", {&own}});
    std::vector<Event> events;
    auto rewritten = rewrite_graph(graph, with, &events)[0];
    EXPECT_EQ(rewritten.op()->name, "mul");
    EXPECT_TRUE(std::any_of(events.begin(), events.end(),
                            [](const Event& event) { return event.what == "cosine of sine"; }));
    EXPECT_EQ(rewrite_graph(graph, mode_named("fast"), nullptr)[0].op()->name, "cos");
}

}  // namespace
}  // namespace croton::compile
