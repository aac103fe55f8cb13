// The table of equal nodes: finds what was put in, wherever its line was full, and nothing else.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "croton/rewrite/id_table.hpp"

namespace croton::rewrite {
namespace {

class Table {
  public:
    void insert(IdTable::Key key) {
        keys_.push_back(key);
        table_.insert(key, static_cast<uint32_t>(keys_.size() - 1),
                      [this](uint32_t id) { return keys_[id]; });
    }
    void erase(uint32_t id) { table_.erase(keys_[id], id); }
    // A place may be met twice on the way.
    std::set<uint32_t> found(IdTable::Key key) const {
        std::set<uint32_t> ids;
        table_.find(key, [&](uint32_t id) {
            ids.insert(id);
            return false;
        });
        return ids;
    }
    const IdTable::Key& key(uint32_t id) const { return keys_[id]; }

  private:
    std::vector<IdTable::Key> keys_;
    IdTable table_;
};

// Few hashes and few neighbours, so that lines overflow and hashes stand for several numbers.
TEST(IdTable, FindsWhatAReferenceFinds) {
    std::mt19937 random(3);
    Table table;
    std::map<std::pair<uint32_t, uint32_t>, std::set<uint32_t>> reference;
    std::vector<uint32_t> living;
    auto pair = [](IdTable::Key key) { return std::pair{key.hash, key.near}; };
    for (uint32_t id = 0; id < 30000; ++id) {
        IdTable::Key key{static_cast<uint32_t>(random() % 4096 * 2654435761U),
                         static_cast<uint32_t>(random() % 500)};
        table.insert(key);
        reference[pair(key)].insert(id);
        living.push_back(id);
        if (random() % 3 > 0) continue;
        std::swap(living[random() % living.size()], living.back());
        uint32_t gone = living.back();
        living.pop_back();
        table.erase(gone);
        reference[pair(table.key(gone))].erase(gone);
    }
    for (const auto& [key, ids] : reference) {
        auto found = table.found({key.first, key.second});
        // Equal hashes may be met on the way from another line.
        for (uint32_t id : ids) ASSERT_EQ(found.count(id), 1U) << id;
        for (uint32_t id : found) ASSERT_EQ(table.key(id).hash, key.first);
    }
}

TEST(IdTable, AHundredThousandNeighboursAreFound) {
    Table table;
    for (uint32_t id = 0; id < 100000; ++id) table.insert({id * 2654435761U, 5});
    for (uint32_t id = 0; id < 100000; id += 7)
        ASSERT_EQ(table.found({id * 2654435761U, 5}), std::set<uint32_t>{id});
    EXPECT_TRUE(table.found({12345, 5}).empty());
}

TEST(IdTable, WhatComesAndGoesDoesNotFillIt) {
    Table table;
    for (uint32_t id = 0; id < 200000; ++id) {
        table.insert({id * 2654435761U, id % 3});
        if (id > 10) table.erase(id - 10);
    }
    EXPECT_EQ(table.found({199999 * 2654435761U, 199999 % 3}).count(199999), 1U);
}

}  // namespace
}  // namespace croton::rewrite
