#include "croton/runtime/backend.hpp"

#include <mutex>

#include "croton/base/error.hpp"

namespace croton::runtime {

namespace {
struct Registry {
    std::mutex mutex;
    std::vector<std::unique_ptr<Backend>> backends;
};
Registry& registry() {
    static auto& table = *new Registry;  // never destroyed: functions may outlive static objects
    return table;
}
}  // namespace

namespace {
/// Keeps what a launch points to.
class StoredLaunch final : public PreparedLaunch {
  public:
    StoredLaunch(const KernelSet& set, int index, const kernel::Kernel& kernel,
                 const kernel::Launch& launch)
        : set_(set), index_(index), extents_(launch.extents, launch.extents + kernel.rank) {
        size_t count = kernel.operands.size(), words = 0;
        for (const auto& operand : kernel.operands) words += 2 * axes(kernel, operand);
        words_.reserve(words);
        for (size_t i = 0; i < count; ++i) {
            const auto& operand = kernel.operands[i];
            size_t rank = axes(kernel, operand);
            pointers_.push_back(launch.pointers[i]);
            strides_.push_back(kept(launch.strides[i], rank));
            bool table = operand.kind == kernel::OperandKind::Table;
            sizes_.push_back(table ? kept(launch.sizes[i], rank) : nullptr);
        }
        launch_ = {extents_.data(), pointers_.data(), strides_.data(), sizes_.data(), launch.stop};
    }

    void add_places(int operand, std::vector<void*>& places) override {
        places.push_back(static_cast<void*>(&pointers_[static_cast<size_t>(operand)]));
    }
    bool run() override {
        fault_ = set_.run(index_, launch_, 0, extents_.empty() ? 1 : extents_[0]);
        return fault_.any();
    }

  private:
    static size_t axes(const kernel::Kernel& kernel, const kernel::Operand& operand) {
        bool table = operand.kind == kernel::OperandKind::Table;
        return static_cast<size_t>(table ? operand.rank : kernel.rank);
    }
    // The words have room for all: they stay where they are.
    const int64_t* kept(const int64_t* words, size_t count) {
        const int64_t* place = words_.data() + words_.size();
        words_.insert(words_.end(), words, words + count);
        return place;
    }

    const KernelSet& set_;
    int index_;
    std::vector<int64_t> extents_, words_;
    std::vector<void*> pointers_;
    std::vector<const int64_t*> strides_, sizes_;
    kernel::Launch launch_{};
};
}  // namespace

std::unique_ptr<PreparedLaunch> prepare_launch(const KernelSet& set, int index,
                                               const kernel::Kernel& kernel,
                                               const kernel::Launch& launch) {
    if (auto prepared = set.prepare(index, launch)) return prepared;
    return std::make_unique<StoredLaunch>(set, index, kernel, launch);
}

const Backend& backend(std::string_view name) {
    static const bool filled = (register_builtin_backends(), true);
    (void)filled;
    auto& table = registry();
    std::lock_guard lock(table.mutex);
    for (const auto& known : table.backends)
        if (known->name() == name) return *known;
    fail(ErrorKind::Usage, "there is no back end '", name, "'; known are: ",
         join(table.backends, ", ", [](const auto& known) { return known->name(); }));
}

void register_backend(std::unique_ptr<Backend> backend) {
    auto& table = registry();
    std::lock_guard lock(table.mutex);
    for (auto& known : table.backends)
        if (known->name() == backend->name()) return;  // references to the first one stay valid
    table.backends.push_back(std::move(backend));
}

}  // namespace croton::runtime
