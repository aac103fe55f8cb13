#include "croton/backend/cpu/key.hpp"

#include <type_traits>

#include "croton/base/build_id.hpp"
#include "croton/base/format.hpp"
#include "croton/base/hash.hpp"

namespace croton::cpu {

namespace {
class Writer {
  public:
    template <class T>
    void add(const T& value) {
        // Bytes between the fields of a struct may be anything.
        static_assert(std::has_unique_object_representations_v<T> || std::is_floating_point_v<T>);
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    std::string take() { return std::move(bytes_); }

  private:
    std::string bytes_;
};
}  // namespace

std::string kernel_bytes(const kernel::Kernel& kernel) {
    Writer out;
    out.add(kernel.rank);
    out.add(kernel.outer);
    out.add(kernel.values);
    out.add(kernel.operands.size());
    for (const auto& operand : kernel.operands) {
        out.add(operand.kind);
        out.add(operand.dtype);
        out.add(operand.rank);
        out.add(operand.broadcast_axes);
    }
    for (const auto& section : kernel.sections) {
        out.add(section.kind);
        out.add(section.body.size());
        for (const auto& i : section.body) {
            out.add(i.op);
            out.add(i.dtype);
            out.add(i.result);
            out.add(i.arguments.size());
            for (auto argument : i.arguments) out.add(argument);
            out.add(i.operand);
            out.add(i.axis);
            out.add(i.integer);
            out.add(i.number.real());
            out.add(i.number.imag());
        }
        out.add(section.carried.size());
        for (const auto& c : section.carried) {
            for (auto value : {c.initial, c.current, c.next, c.result}) out.add(value);
            out.add(c.dtype);
        }
        out.add(section.accumulators.size());
        for (const auto& a : section.accumulators) {
            out.add(a.combine);
            out.add(a.value);
            out.add(a.result);
            out.add(a.dtype);
        }
        out.add(section.across.size());
        for (const auto& a : section.across) {
            out.add(a.combine);
            out.add(a.value);
            out.add(a.operand);
        }
    }
    return out.take();
}

std::string kernel_key(const kernel::Kernel& kernel, const Level& level) {
    return content_hash(cat("croton ", build_id(), " ", level.key(), "\n", kernel_bytes(kernel)));
}

}  // namespace croton::cpu
