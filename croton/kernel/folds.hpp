#pragma once
// Values of any dtype, and what the combinations of reductions mean, a value at a time: the judge
// adds up by these. float32 and complex64 are summed in their wider kin.
#include <cstdint>
#include <cstring>

#include "croton/kernel/kernel.hpp"

namespace croton::kernel {

/// A value of any dtype.
struct Slot {
    alignas(16) unsigned char bytes[16] = {};
    template <class T>
    T get() const {
        T value;
        std::memcpy(&value, bytes, sizeof value);
        return value;
    }
    template <class T>
    void set(T value) {
        std::memcpy(bytes, &value, sizeof value);
    }
};

/// What an instruction `constant` yields.
Slot constant_of(const Instruction& i);

struct Total {
    Slot value;
    int64_t position = -1;  ///< of the extreme, for ArgMax and ArgMin
};
struct Fold {
    void (*start)(Total&);
    void (*add)(Total&, const Slot&, int64_t position);
    void (*finish)(const Total&, Slot&);
};

/// All null where the combination does not take the dtype.
Fold fold_of(Combine combine, DType dtype);

}  // namespace croton::kernel
