#pragma once
// A table from nodes to numbers that lies, as far as it can, in the nodes: a walk over a graph of a
// hundred thousand nodes reads them anyway, and a table beside them would be out of the caches.
#include <array>
#include <atomic>
#include <cstdint>

#include "croton/base/flat_map.hpp"
#include "croton/graph/variable.hpp"

namespace croton {

/// Numbers below 2^28 for nodes. A node carries the number of one living table at most: what
/// another table has taken (graphs are read by several threads, and walks happen within walks) goes
/// to a hash table. One thread at a time uses a table, and the nodes must outlive their use in it.
class NodeNumbers {
  public:
    static constexpr uint32_t none = UINT32_MAX;

    NodeNumbers();
    ~NodeNumbers();
    NodeNumbers(const NodeNumbers&) = delete;
    NodeNumbers& operator=(const NodeNumbers&) = delete;

    /// The node's number, or `none`.
    uint32_t find(const Node* node) const {
        uint64_t mark = node->mark.load(std::memory_order_relaxed);
        if (mark >> number_bits == owner_ && owner_ != 0)
            return static_cast<uint32_t>(mark & (limit - 1));
        const uint32_t* found = elsewhere_.find(node);
        return found ? *found : none;
    }
    bool contains(const Node* node) const { return find(node) != none; }

    /// Gives a node its number; if it has one, nothing changes and the result is false. Internal
    /// error if the number is 2^28 or more.
    bool insert(const Node* node, uint32_t number);

  private:
    static constexpr int number_bits = 28, slot_bits = 6;
    static constexpr uint64_t limit = uint64_t{1} << number_bits;
    /// Owners that live now; the place of an owner is its lowest bits.
    static std::array<std::atomic<uint64_t>, 1 << slot_bits> living;
    static bool free(uint64_t mark);

    uint64_t owner_ = 0;  ///< 0: none was to be had
    FlatMap<const Node*, uint32_t> elsewhere_;
};

}  // namespace croton
