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
