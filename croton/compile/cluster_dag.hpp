#pragma once
// Who must run before whom, among clusters that merge.
#include <cstddef>
#include <vector>

namespace croton::compile {

/// A directed acyclic graph whose vertices can be merged. Levels grow along every edge, so that a
/// search for a path looks only at what lies between. Merged vertices answer to the number of one.
class ClusterDag {
  public:
    /// A new vertex after `producers` (which may repeat).
    int add(std::vector<int> producers);
    /// The vertex that `vertex` has become.
    int find(int vertex);
    int level(int vertex) { return at(vertex).level; }
    /// Whether merging the two would close a cycle: a third one stands between them. True also if
    /// proving the contrary takes too long.
    bool apart(int a, int b);
    /// Merges two vertices that are not apart; the result answers to `into`.
    void merge(int into, int other);

  private:
    struct Vertex {
        int became;
        int level = 0;
        std::vector<int> producers, users;
    };
    Vertex& at(int vertex) { return vertices_[static_cast<size_t>(find(vertex))]; }
    void raise_users(int vertex);

    std::vector<Vertex> vertices_;
};

}  // namespace croton::compile
