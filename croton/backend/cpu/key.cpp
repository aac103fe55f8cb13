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

bool asks_for_axes(const kernel::Kernel& kernel) {
    using kernel::OpCode;
    for (const auto& section : kernel.sections)
        for (const auto& i : section.body)
            if (i.op == OpCode::index_ || i.op == OpCode::extent_ || i.op == OpCode::size_ ||
                i.op == OpCode::load_at_)
                return true;
    return false;
}

/// Whether bits begin .. end - 1 are all set.
bool all_set(uint64_t bits, int begin, int end) {
    for (int bit = begin; bit < end; ++bit)
        if ((bits >> bit & 1) == 0) return false;
    return true;
}
}  // namespace

kernel::Kernel code_form(const kernel::Kernel& kernel) {
    kernel::Kernel form = kernel;
    if (kernel.rank > 63 || asks_for_axes(kernel)) return form;
    form.outer = kernel.outer > 0 ? 1 : 0;
    form.rank = form.outer + (kernel.rank > kernel.outer ? 1 : 0);
    for (auto& operand : form.operands) {
        uint64_t axes = operand.broadcast_axes;
        operand.broadcast_axes = 0;
        if (kernel.outer > 0 && all_set(axes, 0, kernel.outer)) operand.broadcast_axes |= 1;
        if (kernel.rank > kernel.outer && all_set(axes, kernel.outer, kernel.rank))
            operand.broadcast_axes |= uint64_t{1} << form.outer;
    }
    return form;
}

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

std::string code_key(const kernel::Kernel& kernel, const Plan& plan, const Level& level) {
    constexpr std::string_view names[] = {"", " rows", " columns"};
    std::string part(names[static_cast<int>(plan.form)]);
    if (plan.last_section != SIZE_MAX)
        part += cat(" sections ", plan.first_section, " ", plan.last_section);
    return content_hash(
        cat("croton ", build_id(), " ", level.key(), part, "\n", kernel_bytes(code_form(kernel))));
}

}  // namespace croton::cpu
