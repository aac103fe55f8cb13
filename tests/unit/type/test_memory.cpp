// Memory for arrays: aligned, and kept for the next array of its size.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "croton/base/error.hpp"
#include "croton/type/array.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define CROTON_TEST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CROTON_TEST_ASAN 1
#endif
#endif

namespace croton {
namespace {

TEST(Memory, IsAlignedAndApart) {
    std::vector<std::shared_ptr<void>> blocks;
    std::vector<std::pair<std::byte*, size_t>> places;
    for (size_t bytes :
         {0ul, 1ul, 8ul, 63ul, 64ul, 400ul, 513ul, 5000ul, 70000ul, 1ul << 20, 5ul << 20})
        for (int i = 0; i < 3; ++i) {
            blocks.push_back(allocate_aligned(bytes));
            auto* data = static_cast<std::byte*>(blocks.back().get());
            EXPECT_EQ(reinterpret_cast<uintptr_t>(data) % 64, 0u) << bytes;
            std::memset(data, static_cast<int>(blocks.size()), bytes);
            places.emplace_back(data, bytes);
        }
    for (size_t i = 0; i < places.size(); ++i)
        for (size_t k = 0; k < places[i].second; ++k)
            ASSERT_EQ(places[i].first[k], static_cast<std::byte>(i + 1)) << "block " << i;
}

// As the data of an empty std::vector; the undefined-behaviour sanitizer sees what is done with it.
TEST(Memory, OfNothingMayBeNowhere) {
    Array nowhere = Array::view(DType::Float64, {0, 3}, {24, 8}, nullptr, nullptr);
    Array copy = nowhere.copy();
    EXPECT_EQ(copy.shape(), (Sizes{0, 3}));
    nowhere.assign(copy);
    EXPECT_TRUE(nowhere.identical(copy) && copy.identical(nowhere));
}

TEST(Memory, OfADeadArrayComesBack) {
#ifdef CROTON_TEST_ASAN
    GTEST_SKIP() << "nothing is kept under the address sanitizer";
#endif
    for (size_t bytes : {16ul, 3ul << 20}) {
        auto first = allocate_aligned(bytes);
        void* place = first.get();
        first.reset();
        EXPECT_EQ(allocate_aligned(bytes).get(), place);
        // Memory that is much too large is left for others.
        EXPECT_NE(allocate_aligned(bytes / 2 + (bytes < 1000 ? 4000 : 0)).get(), place);
    }
}

TEST(Memory, CrossesThreads) {
    std::vector<std::shared_ptr<void>> blocks;
    for (int round = 0; round < 50; ++round) {
        std::thread([&] {
            for (int i = 0; i < 100; ++i) blocks.push_back(allocate_aligned(i % 3 ? 8 : 100000));
        }).join();
        std::set<void*> places;
        for (const auto& block : blocks) EXPECT_TRUE(places.insert(block.get()).second);
        blocks.clear();
    }
}

// A child made while other threads allocate can allocate, too.
TEST(Memory, SurvivesForks) {
#ifdef CROTON_TEST_ASAN
    GTEST_SKIP() << "the address sanitizer's own allocator does not hold its locks across a fork";
#endif
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([&] {
            while (!stop) allocate_aligned(200000);
        });
    for (int i = 0; i < 50; ++i) {
        pid_t child = ::fork();
        if (child == 0) {
            ::alarm(20);  // a child that waits for ever dies of it
            allocate_aligned(200000);
            ::_exit(0);
        }
        int status = -1;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
    }
    stop = true;
    for (auto& thread : threads) thread.join();
}

TEST(Memory, SaysHowMuchWasMissing) {
    try {
        allocate_aligned(size_t{1} << 60);
        ADD_FAILURE() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Device);
        EXPECT_NE(std::string(error.what()).find("1152921504606846976"), std::string::npos);
    }
    EXPECT_THROW(allocate_aligned(SIZE_MAX - 3), Error);
}

}  // namespace
}  // namespace croton
