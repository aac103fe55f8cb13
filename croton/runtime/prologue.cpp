// Host code whose input a kernel makes while it runs: by rows, or all of it first.
#include <algorithm>

#include "croton/base/error.hpp"
#include "croton/runtime/executor.hpp"
#include "croton/runtime/threads.hpp"

namespace croton::runtime {

// What the prologue makes, in rows that lie in a near cache, or all of it first where that is
// little. (A replayed call has launched that already.)
void Executor::run_call(const ExternStep& step) {
    if (!step.prologue) return run_call(step, nullptr);
    const Prologue& prologue = *step.prologue;
    if (comes_by_rows(step)) return run_by_rows(step);
    if (!replays_) {
        TensorRef& values = at(prologue.values());
        s_.rows.make_room(byte_count(values.dtype, values.shape));
        values.data = s_.rows.memory.get();
        launch(prologue.kernel, extents_of(prologue));
    }
    run_call(step, nullptr);
}

void Executor::size_rows(const Prologue& prologue) {
    const KernelStep& kernel = prologue.kernel;
    TensorRef& values = at(prologue.values());
    values.dtype = value(prologue.values()).type.dtype;
    Sizes extents;
    values.shape.clear();
    try {
        extents_of(kernel, extents);
        for (int axis : kernel.maps.back())
            values.shape.push_back(axis < 0 ? 1 : extents[static_cast<size_t>(axis)]);
        byte_count(values.dtype, values.shape);
    } catch (const Error& error) {
        fail_drawn(error, std::span(kernel.operands.begin(), kernel.operands.end() - 1),
                   prologue.label, prologue.site, true);
    }
    values.strides = contiguous_strides(values.shape, dtype_size(values.dtype));
}

namespace {
constexpr int64_t rows_of_one = 1 << 14;      // elements: they stay in the second cache
constexpr int64_t rows_of_several = 1 << 16;  // worth sharing
}  // namespace

// The kernel's, from the sizes of what it makes.
Sizes Executor::extents_of(const Prologue& prologue) const {
    const AxisMap& map = prologue.kernel.maps.back();
    Sizes extents;
    for (size_t axis = 0; axis < map.size(); ++axis)
        if (map[axis] >= 0) extents.push_back(at(prologue.values()).shape[axis]);
    return extents;
}

// Sizes alone decide, not how many threads there are.
bool Executor::comes_by_rows(const ExternStep& step) const {
    const Sizes& shape = at(step.prologue->values()).shape;
    const TensorRef& out = at(step.outputs[0]);
    return shape[0] > 1 && element_count(shape) > rows_of_one &&
           element_count(out.shape) * dtype_size(out.dtype) >= ExternCompute::large_bytes;
}

int64_t Executor::rows_at_once(const Prologue& prologue) const {
    const Sizes& shape = at(prologue.values()).shape;
    bool shared = thread_count() > 1 && for_threads(prologue.kernel, extents_of(prologue));
    return std::clamp<int64_t>(
        (shared ? rows_of_several : rows_of_one) / (element_count(shape) / shape[0]), 1, shape[0]);
}

/// Rows of what a kernel makes: launches of it over part of its first axis.
class KernelRows final : public RowSource {
  public:
    KernelRows(Executor& executor, const KernelStep& step, const kernel::Launch& whole,
               int64_t most, char* memory)
        : e_(executor),
          step_(step),
          whole_(whole),
          most_(most),
          memory_(memory),
          extents_(static_cast<size_t>(e_.kernel_of(step).rank), 1),
          pointers_(step.operands.size(), nullptr) {
        std::copy_n(whole.extents, extents_.size(), extents_.begin());
    }

    int64_t most() const override { return most_; }

    const char* rows(int64_t begin, int64_t end) override {
        const size_t result = pointers_.size() - 1;
        for (size_t i = 0; i < result; ++i)
            pointers_[i] = static_cast<char*>(whole_.pointers[i]) + begin * whole_.strides[i][0];
        pointers_[result] = memory_;
        extents_[0] = end - begin;
        e_.run_pieces(
            step_, {extents_.data(), pointers_.data(), whole_.strides, whole_.sizes, whole_.stop},
            extents_);  // no table, no loop: no fault
        return memory_;
    }

  private:
    Executor& e_;
    const KernelStep& step_;
    const kernel::Launch& whole_;
    int64_t most_;
    char* memory_;
    Sizes extents_;
    SmallVector<void*, 12> pointers_;
};

void Executor::run_by_rows(const ExternStep& step) {
    const Prologue& prologue = *step.prologue;
    TensorRef& values = at(prologue.values());
    values.data = nullptr;
    const int64_t most = rows_at_once(prologue);
    s_.rows.make_room(most * values.strides[0]);
    with_launch(prologue.kernel, extents_of(prologue), [&](const kernel::Launch& whole) {
        KernelRows rows(*this, prologue.kernel, whole, most,
                        static_cast<char*>(s_.rows.memory.get()));
        run_call(step, &rows);
    });
}

}  // namespace croton::runtime
