#pragma once
// Which values of a graph are equal for certain.
#include <unordered_map>

#include "croton/graph/op.hpp"
#include "croton/graph/traverse.hpp"

namespace croton::compile {

/// Gives values numbers: equal numbers, equal values. Constants of one content are equal, and so
/// are results of one op over equal values; other leaves equal themselves, or what is told.
class EqualValues {
  public:
    using Number = uint32_t;

    Number fresh() { return next_++; }
    void tell(const Variable& v, Number number) { numbers_.insert(v, number); }
    /// Numbers the nodes' values; inputs stand before users.
    void add(const std::vector<Node*>& order);
    bool knows(const Variable& v) const { return numbers_.contains(v); }
    /// Of a value that was told or added.
    Number operator()(const Variable& v) const { return *numbers_.find(v); }

  private:
    uint64_t hash_of(const Node& node) const;
    bool same(const Node& a, const Node& b) const;

    FlatMap<ValueKey, Number> numbers_;
    std::unordered_multimap<uint64_t, const Node*> known_;
    Number next_ = 0;
};

}  // namespace croton::compile
