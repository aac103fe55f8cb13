#include "croton/compile/cluster_dag.hpp"

#include <algorithm>

#include "croton/base/flat_map.hpp"

namespace croton::compile {

namespace {
// So many vertices are looked at to prove that none stands between two; then they stay apart.
constexpr size_t most_visits = 256;
}  // namespace

int ClusterDag::find(int vertex) {
    auto became = [&](int v) -> int& { return vertices_[static_cast<size_t>(v)].became; };
    while (became(vertex) != vertex) {
        became(vertex) = became(became(vertex));
        vertex = became(vertex);
    }
    return vertex;
}

int ClusterDag::add(std::vector<int> producers) {
    int number = static_cast<int>(vertices_.size());
    int level = 0;
    for (int producer : producers) {
        level = std::max(level, at(producer).level + 1);
        at(producer).users.push_back(number);
    }
    vertices_.push_back({number, level, std::move(producers), {}});
    return number;
}

bool ClusterDag::apart(int a, int b) {
    a = find(a), b = find(b);
    if (at(a).level == at(b).level) return false;
    int low = at(a).level < at(b).level ? a : b, high = low == a ? b : a;
    std::vector<int> stack{high};
    FlatSet<const Vertex*> seen;
    while (!stack.empty()) {
        int vertex = stack.back();
        stack.pop_back();
        for (int producer : at(vertex).producers) {
            int next = find(producer);
            if (next == low && vertex != high) return true;
            if (next == low || at(next).level <= at(low).level || !seen.insert(&at(next))) continue;
            if (seen.size() > most_visits) return true;
            stack.push_back(next);
        }
    }
    return false;
}

void ClusterDag::merge(int into, int other) {
    into = find(into), other = find(other);
    auto& all = at(into);
    auto& gone = at(other);
    auto append = [&](std::vector<int>& to, std::vector<int>& from) {
        to.insert(to.end(), from.begin(), from.end());
        from = {};
        std::erase_if(to, [&](int v) { return find(v) == into || find(v) == other; });
    };
    append(all.producers, gone.producers);
    append(all.users, gone.users);
    all.level = std::max(all.level, gone.level);
    gone.became = into;
    raise_users(into);
}

// Restores that levels grow along every edge after one has grown.
void ClusterDag::raise_users(int vertex) {
    std::vector<int> stack{vertex};
    while (!stack.empty()) {
        const Vertex& low = at(stack.back());
        stack.pop_back();
        for (int user : low.users) {
            if (at(user).level > low.level) continue;
            at(user).level = low.level + 1;
            stack.push_back(user);
        }
    }
}

}  // namespace croton::compile
