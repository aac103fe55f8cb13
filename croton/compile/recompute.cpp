// Cheap values are computed where they are needed, again and again, rather than stored and loaded.
#include <algorithm>
#include <unordered_map>

#include "croton/compile/cluster.hpp"
#include "croton/compile/cost.hpp"

namespace croton::compile {

using runtime::AxisMap;
using Member = Cluster::Member;

namespace {

class Recompute {
  public:
    Recompute(const FuseGraph& graph, std::vector<Cluster>& clusters, const Homes& homes)
        : graph_(graph), clusters_(clusters), homes_(homes) {}

    void run() {
        for (size_t c = 0; c < clusters_.size(); ++c) {
            if (!clusters_[c].fusable) continue;
            for (size_t m = clusters_[c].members.size(); m-- > 0;)
                try_value(static_cast<int>(c), m);
            drop_unused(static_cast<int>(c));
        }
    }

  private:
    struct Reader {
        int cluster;
        AxisMap axes;  // axis of the maker's space -> axis of the reader's
    };

    // Clusters in which the node is computed. Copies that lost their users are there no more.
    std::vector<int> places_of(int number) const {
        std::vector<int> result{homes_[static_cast<size_t>(number)]};
        if (auto found = copies_.find(number); found != copies_.end())
            result.insert(result.end(), found->second.begin(), found->second.end());
        std::erase_if(result,
                      [&](int c) { return clusters_[static_cast<size_t>(c)].place(number) < 0; });
        return result;
    }

    // Visits (user, cluster) for clusters that have to load the value.
    template <class Visit>
    void for_readers(int number, Visit visit) const {
        for (int user : graph_[number].users)
            for (int c : places_of(user))
                if (clusters_[static_cast<size_t>(c)].place(number) < 0) visit(user, c);
    }

    bool stored(const Member& member) const {
        if (member.copy) return false;
        bool result = graph_[member.number].output;
        for_readers(member.number, [&](int, int) { result = true; });
        return result;
    }

    void try_value(int maker, size_t m) {
        const Cluster& from = clusters_[static_cast<size_t>(maker)];
        Member value = from.members[m];
        const Node& node = graph_.node(value.number);
        if (value.copy || graph_[value.number].output || !covers_all(graph_, from, value)) return;
        if (node.op->kind<ReduceCompute>() || node.op->kind<ViewCompute>()) return;
        std::vector<Reader> readers;
        if (!find_readers(maker, value, readers)) return;
        std::vector<Member> needed;
        std::vector<Variable> loads;
        if (!collect(maker, value, needed, loads)) return;
        std::vector<Cluster> made;
        // One store and a load for each reader go: no more loads may come.
        int gone = 1 + static_cast<int>(readers.size());
        for (const auto& reader : readers) {
            Cluster with = clusters_[static_cast<size_t>(reader.cluster)];
            if (gone -= new_loads(with, loads); gone < 0) return;
            if (!add_copies(with, needed, reader.axes)) return;
            made.push_back(std::move(with));
        }
        for (size_t r = 0; r < readers.size(); ++r) {
            auto& reader = clusters_[static_cast<size_t>(readers[r].cluster)];
            for (const auto& member : needed)
                if (reader.place(member.number) < 0)
                    copies_[member.number].push_back(readers[r].cluster);
            reader = std::move(made[r]);
        }
    }

    // All clusters that load the value; false if one of them cannot compute it.
    bool find_readers(int maker, const Member& value, std::vector<Reader>& readers) const {
        bool fine = true;
        for_readers(value.number, [&](int user, int c) {
            fine = fine && add_reader(maker, value, user, c, readers);
        });
        return fine && !readers.empty();
    }

    bool add_reader(int maker, const Member& value, int user, int c,
                    std::vector<Reader>& readers) const {
        const Cluster& cluster = clusters_[static_cast<size_t>(c)];
        if (!cluster.fusable || graph_.node(user).op->kind<IndexedCompute>()) return false;
        AxisMap read = axes_read(graph_, cluster.members[static_cast<size_t>(cluster.place(user))],
                                 Variable(graph_[value.number].node, 0));
        AxisMap axes(clusters_[static_cast<size_t>(maker)].space.size(), int8_t{-1});
        for (size_t axis = 0; axis < read.size(); ++axis)
            if (value.map[axis] >= 0) axes[static_cast<size_t>(value.map[axis])] = read[axis];
        if (std::find(axes.begin(), axes.end(), int8_t{-1}) != axes.end()) return false;
        auto known = std::find_if(readers.begin(), readers.end(),
                                  [&](const Reader& r) { return r.cluster == c; });
        if (known != readers.end()) return known->axes == axes;
        readers.push_back({c, std::move(axes)});
        return true;
    }

    // The members that make the value of what is in memory anyway, and the whole arrays they load.
    bool collect(int maker, const Member& value, std::vector<Member>& needed,
                 std::vector<Variable>& loads) const {
        const Cluster& from = clusters_[static_cast<size_t>(maker)];
        std::vector<Member> stack{value};
        int cost = 0;
        while (!stack.empty()) {
            Member member = stack.back();
            stack.pop_back();
            const auto& entry = graph_[member.number];
            auto same = [&](const Member& other) { return other.number == member.number; };
            if (std::any_of(needed.begin(), needed.end(), same)) continue;
            if (entry.node->op->kind<IndexedCompute>()) return false;
            cost += cost_of_element(*entry.node);
            if (cost > cost_of_keeping) return false;
            needed.push_back(member);
            for (size_t i = 0; i < entry.producers.size(); ++i) {
                int place = entry.producers[i] < 0 ? -1 : from.place(entry.producers[i]);
                if (place < 0) {
                    add_load(from, member, entry.node->inputs[i], loads);
                    continue;
                }
                const Member& producer = from.members[static_cast<size_t>(place)];
                bool small = !covers_all(graph_, from, producer) ||
                             graph_.node(producer.number).op->kind<ReduceCompute>();
                // A value a row: little to store, little to load. Copies are stored nowhere.
                if (small && !producer.copy) continue;
                if (graph_[producer.number].output && !producer.copy)
                    add_load(from, member, entry.node->inputs[i], loads);
                else
                    stack.push_back(producer);
            }
        }
        return true;
    }

    void add_load(const Cluster& from, const Member& reader, const Variable& v,
                  std::vector<Variable>& loads) const {
        if (is_literal(v) || std::find(loads.begin(), loads.end(), v) != loads.end()) return;
        size_t covered = 0;
        for (int axis : axes_read(graph_, reader, v)) covered += axis >= 0;
        if (covered == from.space.size()) loads.push_back(v);
    }

    int new_loads(const Cluster& reader, const std::vector<Variable>& loads) const {
        int count = 0;
        for (const auto& v : loads) {
            bool known = false;
            for (const auto& member : reader.members) {
                const auto& inputs = graph_.node(member.number).inputs;
                known = known || std::find(inputs.begin(), inputs.end(), v) != inputs.end();
            }
            count += !known;
        }
        return count;
    }

    bool add_copies(Cluster& reader, const std::vector<Member>& needed, const AxisMap& axes) const {
        for (const auto& member : needed) {
            Member copy{member.number, moved(member.map, axes), moved(member.iteration, axes),
                        true};
            if (int place = reader.place(member.number); place >= 0) {
                if (!(reader.members[static_cast<size_t>(place)].map == copy.map)) return false;
                continue;
            }
            auto after = std::find_if(reader.members.begin(), reader.members.end(),
                                      [&](const Member& m) { return m.number > copy.number; });
            reader.members.insert(after, std::move(copy));
        }
        return values_meet(reader) && runs_as_kernel(graph_, reader);
    }

    // Every member finds what another one computes at its own place; tables lie in memory. A reader
    // may want a value as it is and turned: then no copy can serve both.
    bool values_meet(const Cluster& cluster) const {
        for (const auto& reader : cluster.members) {
            const auto& entry = graph_[reader.number];
            for (size_t i = 0; i < entry.producers.size(); ++i) {
                int place = entry.producers[i] < 0 ? -1 : cluster.place(entry.producers[i]);
                if (place < 0) continue;
                if (entry.node->op->kind<IndexedCompute>()) return false;
                const AxisMap& made = cluster.members[static_cast<size_t>(place)].map;
                AxisMap read = axes_read(graph_, reader, entry.node->inputs[i]);
                for (size_t axis = 0; axis < made.size(); ++axis)
                    if (made[axis] >= 0 && made[axis] != read[axis]) return false;
            }
        }
        return true;
    }

    // Members that nobody outside reads any more and nobody inside needs.
    void drop_unused(int c) {
        Cluster& cluster = clusters_[static_cast<size_t>(c)];
        for (size_t m = cluster.members.size(); m-- > 0;) {
            const Member& member = cluster.members[m];
            const auto& users = graph_[member.number].users;
            bool inside = std::any_of(users.begin(), users.end(),
                                      [&](int user) { return cluster.place(user) >= 0; });
            if (!inside && !stored(member))
                cluster.members.erase(cluster.members.begin() + static_cast<long>(m));
        }
    }

    const FuseGraph& graph_;
    std::vector<Cluster>& clusters_;
    const Homes& homes_;
    std::unordered_map<int, std::vector<int>> copies_;  // node number to clusters with a copy
};
}  // namespace

void recompute_cheap_values(const FuseGraph& graph, std::vector<Cluster>& clusters,
                            const Homes& homes) {
    Recompute(graph, clusters, homes).run();
}

}  // namespace croton::compile
