#pragma once
// What cumulative ops compute. For the sources of ops/ only.
#include "croton/base/block_copy.hpp"
#include "croton/graph/op.hpp"

namespace croton {

/// A line of elements as recurrences read it, some at a time: behind one another.
template <class T>
class Stretch {
  public:
    /// `stride`: bytes from element to element; 0: there is one for all.
    Stretch(const void* data, int64_t stride)
        : data_(static_cast<const char*>(data)), stride_(stride) {}
    /// As far as copies look ahead: each asks for the next one's memory.
    static constexpr int64_t length = 4096 / sizeof(T);
    /// Elements from one to the next of what at() gives.
    int64_t step() const { return stride_ == 0 ? 0 : 1; }
    /// At most `length` of them.
    const T* at(int64_t first, int64_t count) {
        const char* from = data_ + first * stride_;
        constexpr auto item = static_cast<int64_t>(sizeof(T));
        if (stride_ == item || stride_ == 0) return reinterpret_cast<const T*>(from);
        copy_block({.to = reinterpret_cast<char*>(packed_),
                    .to_steps = {0, item},
                    .from = from,
                    .from_steps = {0, stride_},
                    .rows = 1,
                    .items = count,
                    .size = sizeof(T),
                    .next = from + count * stride_});
        return packed_;
    }

  private:
    const char* data_;
    int64_t stride_;
    T packed_[length];
};

void cumsum_run(ExternCall& call);
void cumprod_run(ExternCall& call);
void recurrence_run(ExternCall& call);

}  // namespace croton
