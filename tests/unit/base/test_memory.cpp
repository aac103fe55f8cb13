// Memory that is kept: blocks, and pools of small objects.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "croton/base/memory.hpp"
#include "croton/base/slab_pool.hpp"

namespace croton {
namespace {

std::vector<void*> take(SlabPool& pool, size_t count) {
    std::vector<void*> objects;
    for (size_t i = 0; i < count; ++i) objects.push_back(pool.allocate());
    return objects;
}
void give(SlabPool& pool, const std::vector<void*>& objects) {
    for (void* object : objects) pool.free(object);
}

TEST(SlabPool, ObjectsAreApartAndAligned) {
    SlabPool pool(192);
    auto objects = take(pool, 3 * pool.objects_a_slab() + 1);
    EXPECT_EQ(pool.slab_count(), 4U);
    for (void* object : objects) std::memset(object, 0xab, 192);
    std::sort(objects.begin(), objects.end());
    for (size_t i = 0; i < objects.size(); ++i) {
        ASSERT_EQ(reinterpret_cast<uintptr_t>(objects[i]) % 64, 0U);
        if (i == 0) continue;
        auto gap = static_cast<std::byte*>(objects[i]) - static_cast<std::byte*>(objects[i - 1]);
        ASSERT_GE(gap, 192);
    }
    give(pool, objects);
}

TEST(SlabPool, AGraphAfterAnotherLiesInOrderAgain) {
    SlabPool pool(192);
    auto first = take(pool, 1000), shuffled = first;
    std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937(1));
    give(pool, shuffled);
    auto second = take(pool, 1000);
    EXPECT_EQ(second, first);
    EXPECT_TRUE(std::is_sorted(second.begin(), second.end()));
    give(pool, second);
}

TEST(SlabPool, TheLowestFreePlaceIsGivenFirst) {
    SlabPool pool(64);
    auto objects = take(pool, 500);
    for (size_t i : {400, 70, 130}) pool.free(objects[i]);
    EXPECT_EQ(pool.allocate(), objects[70]);
    EXPECT_EQ(pool.allocate(), objects[130]);
    EXPECT_EQ(pool.allocate(), objects[400]);
    give(pool, objects);
}

TEST(SlabPool, AFullSlabIsUsedAgainWhenAPlaceComesFree) {
    SlabPool pool(4096);
    auto objects = take(pool, 2 * pool.objects_a_slab());
    EXPECT_EQ(pool.slab_count(), 2U);
    pool.free(objects[7]);
    EXPECT_EQ(pool.allocate(), objects[7]);
    EXPECT_EQ(pool.slab_count(), 2U);
    give(pool, objects);
}

TEST(SlabPool, EmptySlabsGoBackButForAFew) {
    SlabPool pool(4096);
    auto objects = take(pool, 20 * pool.objects_a_slab());
    EXPECT_EQ(pool.slab_count(), 20U);
    give(pool, objects);
    EXPECT_EQ(pool.slab_count(), SlabPool::most_empty);
    objects = take(pool, SlabPool::most_empty * pool.objects_a_slab());
    EXPECT_EQ(pool.slab_count(), SlabPool::most_empty);
    give(pool, objects);
}

// Each thread writes its mark into its objects and finds it again; some are freed by another
// thread.
TEST(SlabPool, ServesThreadsAtOnce) {
    SlabPool pool(64);
    std::vector<std::vector<void*>> left(4);
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0};
    for (int mark = 0; mark < 4; ++mark)
        threads.emplace_back([&, mark] {
            std::vector<void*> mine;
            for (int i = 0; i < 20000; ++i) {
                mine.push_back(pool.allocate());
                *static_cast<int*>(mine.back()) = mark;
                if (i % 3 == 2) {
                    void* old = mine[static_cast<size_t>(i) % mine.size()];
                    wrong += *static_cast<int*>(old) != mark;
                    std::swap(mine[static_cast<size_t>(i) % mine.size()], mine.back());
                    mine.pop_back();
                    pool.free(old);
                }
            }
            left[static_cast<size_t>(mark)] = mine;
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
    std::set<void*> all;
    for (const auto& objects : left) all.insert(objects.begin(), objects.end());
    EXPECT_EQ(all.size(), 4U * left[0].size());
    for (const auto& objects : left) give(pool, objects);
    EXPECT_LE(pool.slab_count(), SlabPool::most_empty);
}

TEST(KeptMemory, VectorsGrowFromSmallToLargeAndKeepTheirElements) {
    std::vector<uint32_t, KeptMemory<uint32_t>> numbers;
    for (uint32_t i = 0; i < 3000000; ++i) numbers.push_back(i);
    for (uint32_t i = 0; i < 3000000; i += 999) ASSERT_EQ(numbers[i], i);
}

TEST(KeptMemory, ALargeBlockComesBack) {
    if (watched_memory) GTEST_SKIP() << "blocks are not used again under this tool";
    void* block = take_memory(10 << 20);
    ASSERT_NE(block, nullptr);
    give_memory(block, 10 << 20);
    EXPECT_EQ(take_memory(10 << 20), block);
    give_memory(block, 10 << 20);
}

int64_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    int64_t all = 0, resident = 0;
    file >> all >> resident;
    return resident * 4096;
}

TEST(KeptMemory, LastingBlocksComeInPlaceOfKeptOnesAndGoBack) {
    if (watched_memory) GTEST_SKIP() << "blocks are not kept under this tool";
    constexpr size_t bytes = 64 << 20;
    auto touched = [](void* block) {
        std::memset(block, 1, bytes);
        return block;
    };
    give_memory(touched(take_memory(bytes)), bytes);
    int64_t kept = resident_bytes();
    void* lasting = touched(take_lasting_memory(bytes));
    EXPECT_LT(resident_bytes(), kept + (bytes >> 2));
    give_lasting_memory(lasting, bytes);
    EXPECT_LT(resident_bytes(), kept - (bytes >> 1));
    void* small = take_lasting_memory(100);
    std::memset(small, 1, 100);
    give_lasting_memory(small, 100);
}

TEST(KeptMemory, OfEqualBlocksTheLastThatCameIsGiven) {
    if (watched_memory) GTEST_SKIP() << "blocks are not kept under this tool";
    constexpr size_t bytes = 3 << 20;
    void *a = take_memory(bytes), *b = take_memory(bytes);
    give_memory(a, bytes);
    give_memory(b, bytes);
    EXPECT_EQ(take_memory(bytes), b);
    EXPECT_EQ(take_memory(bytes), a);
    give_memory(a, bytes);
    give_memory(b, bytes);
}

TEST(KeptMemory, BlocksOfNearlyOneSizeTakeEachOthersPlace) {
    if (watched_memory) GTEST_SKIP() << "blocks are not kept under this tool";
    // On both sides of where blocks become the system's own mappings.
    for (size_t bytes = 60 << 10; bytes < (1 << 20); bytes += 5000) {
        void* block = take_memory(bytes);
        std::memset(block, 1, bytes);
        give_memory(block, bytes);
        void* less = take_memory(bytes - bytes / 16);
        std::memset(less, 1, bytes - bytes / 16);
        give_memory(less, bytes - bytes / 16);
    }
    void *block = take_memory(1000 << 10), *same = block;
    give_memory(block, 1000 << 10);
    EXPECT_EQ(block = take_memory(990 << 10), same);
    give_memory(block, 990 << 10);
}

TEST(KeptMemory, WhatNobodyTakesAgainGoesBackAfterAWhile) {
    if (watched_memory) GTEST_SKIP() << "blocks are not kept under this tool";
    constexpr size_t bytes = 48 << 20;
    void* once = take_memory(bytes);
    std::memset(once, 1, bytes);
    give_memory(once, bytes);
    int64_t kept = resident_bytes();
    for (int i = 0; i < 1000; ++i) give_memory(take_memory(1 << 20), 1 << 20);
    EXPECT_LT(resident_bytes(), kept - (bytes >> 1));
}

TEST(KeptMemory, MoreThanThereIsIsAnError) {
    EXPECT_THROW(KeptMemory<uint64_t>().allocate(SIZE_MAX / 8), std::bad_alloc);
    EXPECT_EQ(take_memory(size_t{1} << 60), nullptr);
    EXPECT_EQ(take_lasting_memory(size_t{1} << 60), nullptr);
}

}  // namespace
}  // namespace croton
