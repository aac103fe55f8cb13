// Rewriting is linear: how often nodes are looked at and how many steps are made grows with the
// graph and no faster. Counts, not times.
#include <gtest/gtest.h>

#include "benchmarks/graph_kinds.hpp"
#include "croton/compile/pipeline.hpp"
#include "croton/graph/traverse.hpp"

namespace croton {
namespace {

struct PerNode {
    double visits, steps;
};

PerNode work_of(const kinds::Kind& kind, int size) {
    Variables outputs = kind.make(size);
    auto nodes = static_cast<double>(toposort(outputs).size());
    compile::RewriteWork work;
    compile::rewrite_graph(outputs, compile::mode_named("fast"), nullptr, &work);
    return {static_cast<double>(work.visits) / nodes, static_cast<double>(work.steps) / nodes};
}

class Growth : public testing::TestWithParam<kinds::Kind> {};

TEST_P(Growth, AHundredTimesTheNodesNeedAHundredTimesTheWork) {
    PerNode small = work_of(GetParam(), 300), large = work_of(GetParam(), 30000);
    EXPECT_LT(large.visits, 1.1 * small.visits + 0.1);
    EXPECT_LT(large.steps, 1.1 * small.steps + 0.1);
    // Four stages look at each node at least once.
    EXPECT_LT(large.visits, 5) << large.steps;
    RecordProperty("visits_per_node", std::to_string(large.visits));
    RecordProperty("steps_per_node", std::to_string(large.steps));
}

INSTANTIATE_TEST_SUITE_P(Kinds, Growth, testing::ValuesIn(kinds::all), [](const auto& info) {
    std::string name = info.param.name;
    std::replace(name.begin(), name.end(), ' ', '_');
    return name;
});

}  // namespace
}  // namespace croton
