#include "croton/compile/equal_values.hpp"

#include <algorithm>

namespace croton::compile {

namespace {
constexpr int64_t most_compared = 4096;  // bytes: larger constants are equal if they are one
}

void EqualValues::add(const std::vector<Node*>& order) {
    for (const Node* node : order) {
        if (numbers_.contains({node, 0})) continue;
        uint64_t hash = hash_of(*node);
        auto [first, last] = known_.equal_range(hash);
        auto equal = std::find_if(first, last,
                                  [&](const auto& entry) { return same(*entry.second, *node); });
        for (uint32_t i = 0; i < node->types.size(); ++i)
            numbers_.insert({node, i},
                            equal == last ? fresh() : *numbers_.find({equal->second, i}));
        if (equal == last) known_.emplace(hash, node);
    }
}

uint64_t EqualValues::hash_of(const Node& node) const {
    if (node.kind == NodeKind::Constant) {
        const Array& value = *node.constant;
        uint64_t hash = node.types[0].hash();
        if (!value.contiguous() || value.nbytes() > most_compared) return hash;
        return hash_bytes(value.data(), static_cast<size_t>(value.nbytes()), hash);
    }
    if (node.kind != NodeKind::Apply) return mix(reinterpret_cast<uintptr_t>(&node));
    uint64_t hash = hash_combine(reinterpret_cast<uintptr_t>(node.op), node.attrs->hash());
    for (const auto& v : node.inputs) hash = hash_combine(hash, (*this)(v));
    return hash;
}

bool EqualValues::same(const Node& a, const Node& b) const {
    if (a.kind != b.kind) return false;
    if (a.kind == NodeKind::Constant) {
        bool one =
            a.constant->data() == b.constant->data() || a.constant->nbytes() <= most_compared;
        return a.weak == b.weak && one && a.constant->identical(*b.constant);
    }
    if (a.kind != NodeKind::Apply) return &a == &b;
    if (a.op != b.op || a.op->facts.impure || !a.attrs->equals(*b.attrs)) return false;
    return std::equal(
        a.inputs.begin(), a.inputs.end(), b.inputs.begin(), b.inputs.end(),
        [&](const Variable& x, const Variable& y) { return (*this)(x) == (*this)(y); });
}

}  // namespace croton::compile
