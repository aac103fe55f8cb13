// Loops that take long ask whether to go on; what they are told they say in their fault.
#include "tests/backend/contract.hpp"

namespace croton::contract {
namespace {

class StopAfter : public kernel::Stop {
  public:
    explicit StopAfter(int times) : left_(times) {}
    bool asked() override { return ++asked_, left_-- <= 0; }
    int times_asked() const { return asked_; }

  private:
    int left_, asked_ = 0;
};

constexpr const char* doubling = R"(kernel doubling rank 2 outer 1 {
  in begin: f64 broadcast 1 out last: f64
  outer { %0 = f64 load begin }
  loop { %1 = f64 state %0 %2 = f64 add %1, %1 %3 = f64 next %2 of %1 }
  outer { f64 store last %3 }
})";

/// A launch of so many lanes and steps; nobody waits for 2^45 of them.
struct Doubling {
    Doubling(int64_t lanes, int64_t steps)
        : begin(static_cast<size_t>(lanes), 1.0), last(begin.size(), -1.0), extents{lanes, steps} {}

    kernel::Launch launch(kernel::Stop* stop) { return {extents, pointers, strides, sizes, stop}; }

    std::vector<double> begin, last;
    int64_t extents[2];
    int64_t step[2] = {8, 0};
    void* pointers[2] = {begin.data(), last.data()};
    const int64_t* strides[2] = {step, step};
    const int64_t* sizes[2] = {nullptr, nullptr};
};

class Stops : public testing::TestWithParam<Target> {
  protected:
    void SetUp() override {
        try {
            set_ = compile(GetParam(), {&kernel_, 1});
        } catch (const Error& error) {
            GTEST_SKIP() << error.what();
        }
    }
    kernel::Kernel kernel_ = kernel::parse(doubling);
    std::shared_ptr<const runtime::KernelSet> set_;
};

TEST_P(Stops, LoopsAskNowAndThen) {
    for (int64_t lanes : {1, 3, 16, 5000}) {
        Doubling many(lanes, int64_t{1} << 45);
        StopAfter stop(3);
        kernel::Fault fault = set_->run(0, many.launch(&stop), 0, lanes);
        EXPECT_TRUE(fault.stopped && fault.any());
        EXPECT_EQ(fault.operand, -1);
        EXPECT_EQ(stop.times_asked(), 4);
        EXPECT_EQ(std::count(many.last.begin(), many.last.end(), -1.0), lanes);
    }
}

TEST_P(Stops, PreparedLaunchesToo) {
    Doubling many(20, int64_t{1} << 45);
    StopAfter stop(2);
    kernel::Launch launch = many.launch(&stop);
    auto prepared = runtime::prepare_launch(*set_, 0, kernel_, launch);
    EXPECT_TRUE(prepared->run());
    EXPECT_TRUE(prepared->fault().stopped);
    EXPECT_EQ(stop.times_asked(), 3);
}

// A launch that was stopped can be made again, and goes on where it is not told to stop.
TEST_P(Stops, WhoeverIsNotToldGoesOn) {
    Doubling some(20, 200'000);
    StopAfter later(1'000'000);
    EXPECT_FALSE(set_->run(0, some.launch(&later), 0, 20).any());
    EXPECT_GT(later.times_asked(), 0);
    EXPECT_EQ(some.last[7], std::numeric_limits<double>::infinity());
    Doubling few(20, 10);
    EXPECT_FALSE(set_->run(0, few.launch(nullptr), 0, 20).any());
    EXPECT_EQ(few.last, std::vector<double>(20, 1024.0));
}

INSTANTIATE_TEST_SUITE_P(Backends, Stops, testing::ValuesIn(all_targets()),
                         [](const auto& info) { return info.param.text(); });

}  // namespace
}  // namespace croton::contract
