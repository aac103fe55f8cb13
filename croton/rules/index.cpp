// Parts of arrays: reading and updating them.
#include "croton/ops/index.hpp"

#include "croton/ops/catalogue.hpp"
#include "croton/rules/node_rules.hpp"
#include "croton/rules/tables.hpp"

namespace croton::rules {

using namespace rewrite;

const Rules& index() {
    static const Rules rules = {};
    return rules;
}

namespace {
// x[:, :] is x.
Variables drop_full_slices(Arena& arena, NodeId id) {
    static const OpRecord* subtensor_op = find_op("subtensor");
    if (arena.op(id) != subtensor_op || arena.inputs(id).size() != 1) return {};
    for (char c : arena.attr_view(id).get<std::string>("index"))
        if (c != ':' && c != ',' && c != ' ') return {};
    return {arena.variable(arena.inputs(id)[0])};
}
}  // namespace

std::vector<NodeRule> index_node_rules() { return {{"whole slice", drop_full_slices}}; }

}  // namespace croton::rules
