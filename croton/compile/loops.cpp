#include "croton/compile/loops.hpp"

#include <algorithm>

#include "croton/compile/images.hpp"
#include "croton/compile/loop_reads.hpp"
#include "croton/graph/traverse.hpp"

namespace croton::compile {

Variables change_loops(const Variables& outputs, const LoopChange& change) {
    Images image;
    for (Node* node : toposort(outputs)) {
        if (node->kind != NodeKind::Apply) continue;
        if (is_loop(*node)) {
            if (auto made = change(*node, over_images(*node, image))) {
                image.set(node, *made);
                continue;
            }
        }
        image.carry_over(node);
    }
    return image(outputs);
}

Variables applied(const Loop& loop, Site site) {
    Variables made = loop.apply(site);
    for (auto& type : made[0].node_pointer()->types)
        for (Dim& dim : type.dims)
            if (dim.unknown()) dim = Dim::fresh();
    return made;
}

Variables rewrite_bodies(const Variables& outputs, Rewriting& rewriting) {
    Images image;
    for (Node* node : toposort(outputs)) {
        if (node->kind != NodeKind::Apply) continue;
        bool moved = image.carry_over(node);
        if (!is_loop(*node)) continue;
        Variable present = moved ? image({node, 0}) : Variable(node, 0);
        Loop loop(present.node());
        Variables before = loop.results(),
                  after = rewrite_graph(prepare_loops(before, rewriting, true), rewriting);
        if (after == before) continue;
        loop.set_results(after);
        image.replace(node, loop.apply(node->site));
    }
    return image(outputs);
}

Variables settle_inputs(const Variables& outputs, const Mode& mode) {
    auto order = toposort(outputs);
    NodeSet after_loops;
    Variables read;
    ValueSet seen;
    for (Node* node : order) {
        if (node->kind != NodeKind::Apply) continue;
        bool loop = is_loop(*node);
        for (const auto& v : node->inputs) {
            bool after = after_loops.contains(v.node_pointer());
            if (loop && !after && v.kind() == NodeKind::Apply && seen.insert(v)) read.push_back(v);
            if (after) after_loops.insert(node);
        }
        if (loop) after_loops.insert(node);
    }
    if (read.empty()) return outputs;
    Mode whole = mode;
    whole.rule_limit = -1;  // one step of its own
    Variables settled = rewrite_graph(read, whole, nullptr);
    Images image;
    for (size_t i = 0; i < read.size(); ++i)
        if (!(settled[i] == read[i])) image.set(read[i], settled[i]);
    for (Node* node : order)
        if (node->kind == NodeKind::Apply && !image.knows(node)) image.carry_over(node);
    return image(outputs);
}

}  // namespace croton::compile
