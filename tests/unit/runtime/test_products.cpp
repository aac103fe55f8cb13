// Complex products, which are the library's, from several threads at once.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <complex>
#include <thread>
#include <vector>

#include "croton/runtime/blas.hpp"

namespace croton::runtime {
namespace {

// Whether identity(rows of, n) @ identity(n) is exactly itself; `skip` rows come first.
bool product_is_right(const Array& identity, int64_t rows, int64_t skip) {
    int64_t n = identity.shape(0);
    TensorRef a = ref(identity);
    a.shape[0] = rows;
    a.data = static_cast<std::byte*>(a.data) + skip * a.strides[0];
    Array out = Array::empty(DType::Complex128, {rows, n});
    matmul(a, ref(identity), nullptr, 1, 0, ref(out));
    const auto* values = static_cast<const std::complex<double>*>(out.data());
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < n; ++j)
            if (values[i * n + j] != (j == i + skip ? 1.0 : 0.0)) return false;
    return true;
}

// More threads than cores, products just large enough to need a work buffer of the library, every
// thread another part of the identity: a buffer that two threads were given shows as ones in wrong
// places.
TEST(Products, OfManyThreadsAtOnceAreRight) {
    constexpr int64_t n = 130, rows = 60;
    Array identity = Array::zeros(DType::Complex128, {n, n});
    for (int64_t i = 0; i < n; ++i)
        static_cast<std::complex<double>*>(identity.data())[i * n + i] = 1;
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    std::atomic<int64_t> wrong = 0, products = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&, t] {
            for (; std::chrono::steady_clock::now() < end; ++products)
                if (!product_is_right(identity, rows, 10 * t)) ++wrong;
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0) << "of " << products;
    EXPECT_GT(products, 0);
}

}  // namespace
}  // namespace croton::runtime
