// Memory that is kept: blocks, and pools of small objects.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "croton/base/huge_blocks.hpp"
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

// Blocks of random sizes come and go; each keeps its mark, which no other one writes over.
TEST(HugeBlocks, BlocksAreApart) {
    HugeBlocks blocks;
    struct Block {
        unsigned char* at;
        size_t bytes;
        unsigned char mark;
    };
    std::vector<Block> live;
    std::mt19937 random(3);
    for (int round = 0; round < 2000; ++round) {
        if (live.size() < 40 && random() % 3 != 0) {
            size_t bytes = (256 << 10) + random() % (3 << 20);
            auto* at = static_cast<unsigned char*>(blocks.take(bytes));
            ASSERT_NE(at, nullptr);
            ASSERT_EQ(reinterpret_cast<uintptr_t>(at) % 4096, 0U);
            live.push_back({at, bytes, static_cast<unsigned char>(round)});
            at[0] = at[bytes / 2] = at[bytes - 1] = live.back().mark;
        } else if (!live.empty()) {
            std::swap(live[random() % live.size()], live.back());
            auto [at, bytes, mark] = live.back();
            live.pop_back();
            ASSERT_TRUE(at[0] == mark && at[bytes / 2] == mark && at[bytes - 1] == mark);
            ASSERT_TRUE(blocks.give(at, bytes));
        }
    }
    for (const Block& block : live) blocks.give(block.at, block.bytes);
    int elsewhere = 0;
    EXPECT_FALSE(blocks.give(&elsewhere, sizeof elsewhere));
}

TEST(HugeBlocks, FreeNeighboursAreOnePieceAgain) {
    HugeBlocks blocks;
    constexpr size_t third = HugeBlocks::arena_bytes / 3 / 4096 * 4096;
    void *a = blocks.take(third), *b = blocks.take(third), *c = blocks.take(third);
    for (void* block : {b, a, c}) blocks.give(block, third);
    EXPECT_EQ(blocks.take(HugeBlocks::arena_bytes), a);
    EXPECT_EQ(blocks.take(HugeBlocks::arena_bytes + 1), nullptr);
    blocks.give(a, HugeBlocks::arena_bytes);
}

TEST(HugeBlocks, WhatIsGivenBackGoesToTheSystem) {
    HugeBlocks blocks;
    constexpr size_t bytes = 1 << 20;
    std::vector<void*> all;
    for (int i = 0; i < 60; ++i) {
        all.push_back(blocks.take(bytes));
        std::memset(all.back(), 1, bytes);
    }
    int64_t before = resident_bytes();
    for (size_t i = 0; i < all.size(); i += 2) blocks.give(all[i], bytes);  // half of each page
    EXPECT_LT(resident_bytes(), before - (28 << 20));
    for (size_t i = 1; i < all.size(); i += 2) blocks.give(all[i], bytes);
    EXPECT_LT(resident_bytes(), before - (58 << 20));
}

TEST(HugeBlocks, ManyBlocksAreFewPages) {
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "this tool touches pages of its own";
#endif
    std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
    std::string modes;
    std::getline(file, modes);
    if (modes.empty() || modes.find("[never]") != std::string::npos)
        GTEST_SKIP() << "this system has no huge pages";
    constexpr size_t bytes = 1 << 20;
    HugeBlocks pages;
    rusage before{}, after{};
    std::vector<void*> blocks;
    ::getrusage(RUSAGE_SELF, &before);
    for (int i = 0; i < 60; ++i) {
        blocks.push_back(pages.take(bytes));
        std::memset(blocks.back(), 1, bytes);
    }
    ::getrusage(RUSAGE_SELF, &after);
    for (void* block : blocks) pages.give(block, bytes);
    EXPECT_LT(after.ru_minflt - before.ru_minflt, 4000);  // of 15,360 small pages
}

TEST(KeptMemory, MiddleBlocksKeepTheirValues) {
    std::vector<std::pair<unsigned char*, size_t>> blocks;
    for (size_t i = 0; i < 40; ++i) {  // more than stay on pages of their own
        size_t bytes = (256 << 10) + i * 40000;
        blocks.emplace_back(static_cast<unsigned char*>(take_memory(bytes)), bytes);
        std::memset(blocks.back().first, static_cast<int>(i), bytes);
    }
    for (size_t i = 0; i < blocks.size(); ++i) {
        auto [at, bytes] = blocks[i];
        EXPECT_TRUE(at[0] == i && at[bytes / 2] == i && at[bytes - 1] == i);
        give_memory(at, bytes);
    }
    drop_kept_memory();
}

// Graphs hold a number a node or so: a line of the caches for it, and one for its counter.
TEST(KeptMemory, TinyBlocksLieSideBySide) {
    if (watched_memory) GTEST_SKIP() << "blocks come from malloc under this tool";
    std::vector<char*> blocks;
    for (int i = 0; i < 1000; ++i) {
        blocks.push_back(static_cast<char*>(take_memory(72)));
        std::memset(blocks.back(), 1, 72);
    }
    std::sort(blocks.begin(), blocks.end());
    size_t near = 0;
    for (size_t i = 1; i < blocks.size(); ++i) {
        ASSERT_GE(blocks[i] - blocks[i - 1], 128);
        near += blocks[i] - blocks[i - 1] == 128;
    }
    EXPECT_GT(near, 900U);
    for (char* block : blocks) give_memory(block, 72);
}

TEST(KeptMemory, MoreThanThereIsIsAnError) {
    EXPECT_THROW(KeptMemory<uint64_t>().allocate(SIZE_MAX / 8), std::bad_alloc);
    EXPECT_EQ(take_memory(size_t{1} << 60), nullptr);
    EXPECT_EQ(take_lasting_memory(size_t{1} << 60), nullptr);
}

}  // namespace
}  // namespace croton
