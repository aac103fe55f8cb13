#include "croton/graph/node_numbers.hpp"

namespace croton {

std::array<std::atomic<uint64_t>, 1 << NodeNumbers::slot_bits> NodeNumbers::living{};

// An owner's number never comes back before 2^30 tables were made, so a mark that a dead owner left
// behind is told by its number.
NodeNumbers::NodeNumbers() {
    static std::atomic<uint64_t> made{0};
    uint64_t serial = 1 + made.fetch_add(1, std::memory_order_relaxed) % ((1 << 30) - 1);
    for (uint64_t tried = 0; tried < living.size(); ++tried) {
        uint64_t slot = (serial + tried) % living.size(), empty = 0;
        uint64_t owner = serial << slot_bits | slot;
        if (living[slot].load(std::memory_order_relaxed) == 0 &&
            living[slot].compare_exchange_strong(empty, owner, std::memory_order_acquire)) {
            owner_ = owner;
            return;
        }
    }
}

NodeNumbers::~NodeNumbers() {
    if (owner_) living[owner_ % living.size()].store(0, std::memory_order_release);
}

bool NodeNumbers::free(uint64_t mark) {
    uint64_t owner = mark >> number_bits;
    return owner == 0 || living[owner % living.size()].load(std::memory_order_acquire) != owner;
}

bool NodeNumbers::insert(const Node* node, uint32_t number) {
    if (number >= limit) fail(ErrorKind::Internal, "a graph of more than ", limit, " nodes");
    uint64_t mark = node->mark.load(std::memory_order_relaxed);
    if (owner_ != 0 && free(mark) && !elsewhere_.contains(node) &&
        node->mark.compare_exchange_strong(mark, owner_ << number_bits | number,
                                           std::memory_order_relaxed))
        return true;
    if (owner_ != 0 && mark >> number_bits == owner_) return false;
    return elsewhere_.insert(node, number);
}

}  // namespace croton
