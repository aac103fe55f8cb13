#pragma once
// Calls whose arguments have the sizes and strides of earlier ones do not work them out again: what
// each step comes down to is kept, and only addresses are put in. executor.hpp runs it.
//
// A recording is made at the second call of one shape. Since all sizes are known then, values of
// the steps lie in one workspace, packed by how long they live, in place of the slots of the
// program. What depends on sizes alone (their vectors, products of them) is computed then and kept;
// views are distances from what they show; kernels are prepared launches. Steps that may give other
// sizes each time (host code, branches, views and kernels whose sizes are values that were
// computed) run as in any call, and their results are compared with the recording: if they differ,
// the rest of the call leaves it.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "croton/runtime/program.hpp"
#include "croton/runtime/workspace.hpp"

namespace croton::runtime {

class Executor;

/// What is left to do of a step.
struct Action {
    enum class Kind : uint8_t {
        Run,       ///< a prepared launch
        Share,     ///< a launch that threads may share, of extents `number`
        Multiply,  ///< a product alone, into memory that is there
        Finish,    ///< a product whose blocks the epilogue finishes
        Pack,      ///< elements in C order, for a view that cannot be had otherwise
        Whole,     ///< the whole step; its results are `number` and following of the late values
        Compare,   ///< nothing: are the extents still those of `number`?
        Prepare,   ///< memory for the results of host code that runs later; else as Whole
        Call,      ///< that host code
    } kind;
    uint32_t step, number;
    PreparedLaunch* launch;
    int64_t work;  ///< roughly, in elements
};

/// Memory that may be elsewhere in each call, and what lies in it.
struct Root {
    char* at = nullptr;
    int64_t bytes = 0;        ///< wanted: the workspace and Fresh values
    Id value = -1;            ///< Fresh and late values
    bool given = false;       ///< in this call it lies in the caller's memory
    std::span<void*> places;  ///< 64 bits each: addresses that move with it
};

struct Recording {
    std::vector<TensorRef> refs;  ///< of all values; addresses of those that actions look at only
    std::vector<Action> actions;
    std::vector<Root> roots;  ///< arguments, the workspace, then Fresh and late values
    std::vector<int> fresh;   ///< roots of Fresh values
    /// What lies in a result's memory until that is written, as a root of its own: where the caller
    /// gives memory for the result, it lies elsewhere.
    struct Lodging {
        int result, root;
        int64_t elsewhere;  ///< its offset there
    };
    std::vector<Lodging> lodgings;
    int64_t lodged_bytes = 0;  ///< of all of them
    struct Place {
        int root = -1;       ///< -1: it never moves
        int64_t offset = 0;  ///< from the root's beginning, or the address itself
    };
    std::vector<Place> where;  ///< of all values
    struct Late {
        Id id;
        size_t step;
        int root;
        Sizes shape, strides;
    };
    std::vector<Late> late_values;
    std::vector<Sizes> extents;
    std::vector<std::unique_ptr<PreparedLaunch>> launches;
    std::vector<Array> kept;  ///< what depends on sizes alone
    std::vector<void*> places;

    /// Puts a root's memory where it is in this call.
    void follow(int root, void* now);
    void* address(Place place) const {
        if (place.root < 0) return reinterpret_cast<void*>(place.offset);
        return roots[static_cast<size_t>(place.root)].at + place.offset;
    }
};

/// The recordings of a frame, by the sizes and strides of the arguments.
class Replays {
  public:
    struct Entry {
        std::vector<int64_t> signature;
        int calls = 0;
        std::unique_ptr<Recording> recording = {};
    };
    /// The entry for such arguments, maybe a new one in place of the one that was not used longest.
    /// Null: this program is not recorded any more.
    Entry* entry(std::span<const Array> arguments);
    /// The rest of the running call did not go as recorded.
    void leave();
    /// A call begins: what an earlier one left is dropped.
    void forget_left() { left_.reset(); }

  private:
    std::vector<std::unique_ptr<Entry>> entries_;  ///< the last one used first
    std::unique_ptr<Recording> left_;
    int times_left_ = 0;
};

/// Makes a recording during a call.
class Recorder {
  public:
    explicit Recorder(Executor& executor);
    void before_step();
    void after_step(size_t number);
    std::unique_ptr<Recording> finish();

  private:
    using Kind = Action::Kind;

    void note(size_t number, const KernelStep& step);
    void note(size_t number, const ViewStep& step);
    void note(size_t number, const ExternStep& step);
    void note_prologue(size_t number, const ExternStep& step);
    void note(size_t number, const ContractStep& step);
    void note(size_t number, const BranchStep& step) { add_whole(number, step.outputs); }
    void note(size_t number, const LoopStep& step) { add_whole(number, step.outputs); }

    Recording::Place& where(Id id) { return r_->where[static_cast<size_t>(id)]; }
    bool known(Id id) const { return known_[static_cast<size_t>(id)]; }
    bool all_known(std::span<const Id> ids) const;
    void add_launch(size_t number, const KernelStep& step, const Sizes& extents);
    bool can_keep(const KernelStep& step) const;
    bool can_keep(const ExternStep& step) const;
    void keep(Id id);
    bool returned(Id view) const;
    void place_output(size_t number, Id id);
    size_t block_for(size_t number, Id id);
    bool reads_left_first(const ContractStep& step) const;
    /// Blocks live from the time of one step to that of another one. A step has two of them: its
    /// results are written from the first on, what it reads is read until the second. A product
    /// that has read its left operand before it writes does the one at the first, the other at the
    /// second.
    size_t written(size_t number) const { return 2 * number + (late_[number] ? 1 : 0); }
    size_t read(size_t number, Id id) const;
    void add(Kind kind, size_t number, size_t place, int64_t work);
    void add_whole(size_t number, std::span<const Id> outputs, Kind kind = Kind::Whole);
    int add_root(char* at, int64_t bytes, Id value);

    void measure_blocks();
    void lodge_blocks();
    void lodge(int result, size_t written);
    int64_t place_blocks(int root, size_t before, int64_t room);
    void settle_workspace();
    void settle_addresses();
    void prepare_launches();
    void follow_refs();
    void need(Id id);
    void sort_places();

    Executor& e_;
    const Program& p_;
    std::unique_ptr<Recording> r_;
    std::vector<bool> known_;  ///< by value: sizes alone determine it
    /// What lies in the workspace, by its number b. Until the call is over and tells how long each
    /// block lives, the root of its values is in_block - b.
    std::vector<Interval> blocks_;
    static constexpr int in_block = -2;
    std::vector<bool> late_;                       ///< by step: see written()
    std::vector<std::pair<int, size_t>> results_;  ///< roots of Fresh values, when they are written
    std::vector<Recording::Place> block_places_;   ///< of each block; root -1: not known yet
    std::vector<int> slot_blocks_;                 ///< of large programs: each slot is a block
    std::vector<std::pair<int, void*>> moving_;    ///< roots and places
    std::vector<bool> needed_;                     ///< by value: its address is looked at
    std::vector<bool> packed_;     ///< by value: a view of elements that were packed
    std::vector<Action> in_tail_;  ///< run after the comparisons of all of them
    int64_t reads_before_ = 0;
    bool read_values_ = false;  ///< the step has looked at values to find its sizes
};

}  // namespace croton::runtime
