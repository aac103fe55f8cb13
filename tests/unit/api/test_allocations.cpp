// What a call asks the system for once calls of its shape have been made: the list of its results.
// Arrays come from the memory that earlier ones gave back.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "croton/api/function.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"

namespace {
std::atomic<int> allocations{0};

void* counted(std::size_t bytes) {
    ++allocations;
    if (void* memory = std::malloc(bytes ? bytes : 1)) return memory;
    throw std::bad_alloc();
}

void* counted_or_null(std::size_t bytes) noexcept {
    ++allocations;
    return std::malloc(bytes ? bytes : 1);
}

// Not inlined: where its caller is, but operator new is not, g++ warns that the two do not match.
[[gnu::noinline]] void give_back(void* memory) noexcept { std::free(memory); }
}  // namespace

// All forms: under the address sanitizer the ones that do not throw are not made of the ones that
// do.
void* operator new(std::size_t bytes) { return counted(bytes); }
void* operator new[](std::size_t bytes) { return counted(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    return counted_or_null(bytes);
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
    return counted_or_null(bytes);
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give_back(memory); }

namespace croton {
namespace {

template <class... Arrays>
int allocations_of(const Function& f, const Arrays&... arrays) {
    for (int i = 0; i < 4; ++i) f(arrays...);
    int before = allocations;
    f(arrays...);
    return allocations - before;
}

TEST(Allocations, ACallAsksForItsResultsOnly) {
    auto x = input(parse_type("f64[?]"), "x"), number = input(parse_type("f64[]"), "number");
    auto m = input(parse_type("f64[?,?]"), "m");
    Array vector = Array::of({1., 2., 3.}), scalar = Array::scalar(1.5);
    Array matrix = Array::of({1., 2., 3., 4.}).reshape({2, 2});
    EXPECT_EQ(allocations_of(function({number}, number + 1.0), scalar), 1);
    EXPECT_EQ(allocations_of(function({x}, {exp(x), sum(x), x / sum(exp(x))}), vector), 1);
    EXPECT_EQ(allocations_of(function({m, x}, {m + transpose(m), sum(m, 0), size_of(x, 0)}), matrix,
                             vector),
              1);
    EXPECT_EQ(
        allocations_of(function({x}, std::vector<Out>{}, {.on_unused_input = "ignore"}), vector),
        0);
    auto w = shared(Array::of({1., 2., 3.}), "w");
    EXPECT_EQ(allocations_of(function({x}, sum(w), {.updates = {{w, w + x}}}), vector), 1);
}

}  // namespace
}  // namespace croton
