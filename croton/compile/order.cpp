#include "croton/compile/order.hpp"

#include <algorithm>
#include <queue>

namespace croton::compile {

using namespace runtime;

namespace {
// What sizes that are not known are taken to be.
constexpr int64_t usual_size = 128;

class Order {
  public:
    explicit Order(Program& program)
        : p_(program),
          readers_(program.values.size()),
          unread_(program.values.size(), 0),
          missing_(program.steps.size(), 0),
          done_(program.steps.size(), false) {
        std::vector<bool> made(p_.values.size(), false);
        for (const auto& step : p_.steps)
            for (Id id : step.writes()) made[index(id)] = true;
        consumers_.resize(p_.values.size());
        for (int n = 0; n < static_cast<int>(p_.steps.size()); ++n) {
            for (Id id : distinct(p_.steps[index(n)].reads()))
                if (made[index(id)]) {
                    consumers_[index(id)].push_back(n);
                    ++missing_[index(n)];
                }
            for (Id id : memory_read(n)) {
                readers_[index(id)].push_back(n);
                ++unread_[index(id)];
            }
        }
        for (Id id : p_.outputs) ++unread_[index(root(id))];
    }

    void run() {
        int count = static_cast<int>(p_.steps.size());
        for (int n = 0; n < count; ++n)
            if (free_view(n) && missing_[index(n)] == 0 && !done_[index(n)]) take(n);
        for (int n = 0; n < count; ++n) {
            if (!done_[index(n)]) take(n);
            while (!waiting_.empty()) {
                int best = -waiting_.top().second;
                waiting_.pop();
                if (!done_[index(best)] && gain(best) > 0) take(best);
            }
        }
        std::vector<Step> steps;
        steps.reserve(p_.steps.size());
        for (int n : order_) steps.push_back(std::move(p_.steps[index(n)]));
        p_.steps = std::move(steps);
    }

  private:
    static size_t index(int n) { return static_cast<size_t>(n); }

    static std::vector<Id> distinct(std::vector<Id> ids) {
        std::sort(ids.begin(), ids.end());
        ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
        return ids;
    }

    Id root(Id id) const {
        while (p_.values[index(id)].place == Place::View) id = p_.values[index(id)].source;
        return id;
    }

    bool view(int n) const { return std::holds_alternative<ViewStep>(p_.steps[index(n)].kind); }
    // Views that never copy.
    bool free_view(int n) const {
        auto step = std::get_if<ViewStep>(&p_.steps[index(n)].kind);
        return step && step->inputs.size() == 1;
    }
    bool movable(int n) const {
        const auto& kind = p_.steps[index(n)].kind;
        return std::holds_alternative<KernelStep>(kind) ||
               std::holds_alternative<ContractStep>(kind);
    }

    // Values whose memory a step needs; a view needs it for those that read the view.
    std::vector<Id> memory_read(int n) const {
        if (view(n)) return {};
        std::vector<Id> ids = p_.elements_read(p_.steps[index(n)]);
        for (Id& id : ids) id = root(id);
        return distinct(std::move(ids));
    }

    // Roughly: products of large sizes fit no integer.
    double bytes(Id id) const {
        const Value& v = p_.values[index(id)];
        if (v.place != Place::Slot) return 0;
        double result = dtype_size(v.type.dtype);
        for (Dim dim : v.type.dims)
            result *= static_cast<double>(dim.known() ? dim.size() : usual_size);
        return result;
    }

    // Bytes that are no longer needed after the step, less what it makes.
    double gain(int n) const {
        double result = 0;
        for (Id id : memory_read(n))
            if (unread_[index(id)] == 1) result += bytes(id);
        for (Id id : p_.steps[index(n)].writes()) result -= bytes(id);
        return result;
    }

    void consider(int n) {
        if (done_[index(n)] || missing_[index(n)] > 0 || !movable(n)) return;
        if (double now = gain(n); now > 0) waiting_.emplace(now, -n);
    }

    // The step, and views of what it makes.
    void take(int first) {
        std::vector<int> next = {first};
        while (!next.empty()) {
            int n = next.back();
            next.pop_back();
            done_[index(n)] = true;
            order_.push_back(n);
            for (Id id : memory_read(n))
                if (--unread_[index(id)] == 1)
                    for (int reader : readers_[index(id)]) consider(reader);
            for (Id id : p_.steps[index(n)].writes())
                for (int consumer : consumers_[index(id)]) {
                    if (--missing_[index(consumer)] > 0) continue;
                    if (free_view(consumer))
                        next.push_back(consumer);
                    else
                        consider(consumer);
                }
        }
    }

    Program& p_;
    std::vector<std::vector<int>> consumers_;  // steps that wait for a value
    std::vector<std::vector<int>> readers_;    // steps that need its memory
    std::vector<int> unread_;                  // how many of those are left, and outputs
    std::vector<int> missing_;                 // values that a step waits for
    std::vector<bool> done_;
    std::priority_queue<std::pair<double, int>> waiting_;  // what they free, and steps
    std::vector<int> order_;
};
}  // namespace

void order_steps(Program& program) { Order(program).run(); }

}  // namespace croton::compile
