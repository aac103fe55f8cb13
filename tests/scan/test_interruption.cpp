// Loops that take too long are stopped, whatever they became, and leave shared variables alone.
#include <atomic>
#include <chrono>

#include "croton/base/settings.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/runtime/program.hpp"
#include "tests/scan/unrolled.hpp"

namespace croton::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int64_t endless = int64_t{1} << 45;

std::atomic<int64_t> asked = 0;
Clock::time_point stop_at;

/// While it lives, calls are asked to stop 30 ms after begin().
class Interruption {
  public:
    Interruption() {
        runtime::interrupt_requested = [] { return ++asked, Clock::now() > stop_at; };
        begin(std::chrono::hours(1));
    }
    ~Interruption() { runtime::interrupt_requested = nullptr; }
    static void begin(std::chrono::nanoseconds wait = std::chrono::milliseconds(30)) {
        asked = 0;
        stop_at = Clock::now() + wait;
    }
};

/// Calls that begin, are recorded and are replayed, each stopped; between them some that end.
void is_stopped(const Function& f, const SharedVariable& s) {
    Interruption interruption;
    for (int call = 0; call < 4; ++call) {
        Array before = s.get_value().copy();
        Interruption::begin();
        try {
            f.call({Array::scalar(endless)});
            FAIL() << "a call of 2^45 steps came to its end";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::Interrupted) << error.what();
            EXPECT_NE(std::string(error.what()).find("interrupted in"), std::string::npos)
                << error.what();
        }
        EXPECT_EQ(s.get_value().to_vector<double>(), before.to_vector<double>());
        Interruption::begin(std::chrono::hours(1));
        if (call < 2) f.call({Array::scalar(int64_t{0})});
    }
}

FunctionOptions in_mode(const char* mode, const SharedVariable& s, const Variable& next) {
    FunctionOptions options;
    options.mode = compile::mode_named(mode);
    options.updates = {{s, next}};
    return options;
}

Variable logistic(const Variable& steps, const Variable& begin) {
    return for_loop(steps, {begin}, [](const Variable&, const Variables& p) {
        return Variables{3.7 * p[0] * (1.0 - p[0])};
    })[0];
}

TEST(Interruption, StopsALoopThatIsOneKernel) {
    Variable n = input(parse_type("i64[]"), "n");
    for (const char* mode : {"fast", "quick", "check"}) {
        SCOPED_TRACE(mode);
        auto s = shared(Array::scalar(0.3), "s");
        Variable last = logistic(n, s);
        is_stopped(function({n}, {last}, in_mode(mode, s, last)), s);
    }
}

// On several threads one of which alone hears of it.
TEST(Interruption, StopsEveryThread) {
    Variable n = input(parse_type("i64[]"), "n");
    int before = settings().threads;
    settings().threads = 4;
    auto s = shared(random_array(DType::Float64, {5000}, 7), "s");
    Variable last = logistic(n, s);
    is_stopped(function({n}, {last}, in_mode("fast", s, last)), s);
    settings().threads = before;
}

TEST(Interruption, StopsALoopInsideOfALoop) {
    Variable n = input(parse_type("i64[]"), "n");
    auto s = shared(random_array(DType::Float64, {3, 3}, 7), "s");
    Variable steps = constant(Array::scalar(int64_t{5}));
    Variable outer = for_loop(steps, {s}, [&](const Variable&, const Variables& m) {
        return Variables{logistic(n, m[0]) + dot(m[0], m[0])};
    })[0];
    is_stopped(function({n}, {outer}, in_mode("fast", s, outer)), s);
}

TEST(Interruption, StopsStepsOfProducts) {
    Variable n = input(parse_type("i64[]"), "n");
    auto s = shared(random_array(DType::Float64, {20, 20}, 7), "s");
    Variable last = for_loop(n, {s}, [](const Variable&, const Variables& m) {
        return Variables{tanh(dot(m[0], m[0]))};
    })[0];
    is_stopped(function({n}, {last}, in_mode("fast", s, last)), s);
}

}  // namespace
}  // namespace croton::test
