#pragma once
// What a Function holds, and the words for its inputs. Private to croton/api/function*.cpp.
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "croton/api/function.hpp"
#include "croton/runtime/packs.hpp"

namespace croton {

namespace parts {
using Clock = std::chrono::steady_clock;

// What becomes of a program's output after a call.
struct StateUpdate {
    size_t target;  ///< place among the function's shared variables, or among its inputs
    size_t output;  ///< place among the program's outputs
};

// What a call works with and leaves to the next one.
struct Workspace {
    std::unique_ptr<runtime::Frame> frame, general;  ///< of the specialised, of the general program
    std::vector<Array> values;                       ///< arguments and shared variables
};

// Workspaces without a caller. The last one left is taken without a lock.
class Workspaces {
  public:
    ~Workspaces() { delete next_.load(); }
    std::unique_ptr<Workspace> take() {
        if (auto* next = next_.exchange(nullptr)) return std::unique_ptr<Workspace>(next);
        std::lock_guard lock(mutex_);
        if (others_.empty()) return std::make_unique<Workspace>();
        auto workspace = std::move(others_.back());
        others_.pop_back();
        return workspace;
    }
    void give(std::unique_ptr<Workspace> workspace) {
        Workspace* nothing = nullptr;
        if (next_.compare_exchange_strong(nothing, workspace.get())) {
            (void)workspace.release();
            return;
        }
        std::lock_guard lock(mutex_);
        others_.push_back(std::move(workspace));
    }
    void clear() {
        delete next_.exchange(nullptr);
        std::lock_guard lock(mutex_);
        others_.clear();
    }

  private:
    std::atomic<Workspace*> next_ = nullptr;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Workspace>> others_;
};

// A program with its working memory: the function's own, or one for fewer outputs.
struct Plan {
    compile::BuildRequest request;
    compile::Built built;
    size_t visible = 0;  ///< outputs that calls return; updates follow
    std::unique_ptr<Workspaces> idle = std::make_unique<Workspaces>();
    /// Of weights, for all calls: of the program and of the general program.
    std::shared_ptr<runtime::Packs> packs = std::make_shared<runtime::Packs>(),
                                    general_packs = std::make_shared<runtime::Packs>();
    /// Drops both.
    void free() const;
};

// What a type promises of a size: it is that of another axis, or (other < 0) this number.
struct SizeCheck {
    size_t input;
    int axis;
    int other, other_axis;
    int64_t size;
};

// All of some storages, locked in the order of their addresses.
class Locks {
  public:
    explicit Locks(std::span<SharedStorage* const> storages) : storages_(storages) {
        for (auto* storage : storages_) storage->mutex.lock();
    }
    ~Locks() { release(); }
    Locks(const Locks&) = delete;
    void release() {
        for (auto* storage : storages_) storage->mutex.unlock();
        storages_ = {};
    }

  private:
    std::span<SharedStorage* const> storages_;
};

double seconds_since(Clock::time_point start);
/// An input in a message: name or number, type and the line that made it.
std::string label(const Variable& v, size_t position);
std::string input_names(const std::vector<In>& inputs);
/// The array as the input takes it; a Type error that names the input where it may not be cast.
Array fit_argument(const Array& value, const In& in, size_t position, std::optional<bool> downcast);
/// Whether no value can have both types.
bool certainly_different(const TensorType& a, const TensorType& b);
}  // namespace parts

struct Function::State {
    std::string name;
    std::vector<In> inputs;
    std::vector<Out> outputs;
    std::vector<SharedVariable> shared;
    std::vector<SharedStorage*> storages;  ///< of `shared`, each once, by address
    std::vector<parts::SizeCheck> size_checks;
    std::vector<parts::StateUpdate> updates;        ///< of shared variables; outputs as in `plan`
    std::vector<parts::StateUpdate> input_updates;  ///< of stored values of inputs
    std::unique_ptr<bool[]> borrow;                 ///< one an output of `plan`
    Mode mode;
    std::optional<bool> allow_downcast;
    bool trust = false;
    bool keep_profile = false;
    double compile_seconds = 0;

    /// Held during calls that update stored values. Taken before the shared variables' locks.
    std::mutex stored_mutex;

    std::once_flag traced;
    compile::Trace trace;  ///< with its events, once someone has asked

    std::mutex mutex;                          // guards what follows
    std::vector<std::optional<Array>> stored;  // one an input: what it has without an argument
    parts::Plan plan;
    std::map<std::vector<size_t>, parts::Plan> partial;  // by chosen outputs
    std::vector<runtime::StepTiming> timings;
    int64_t calls = 0, held_bytes = 0;
    double call_seconds = 0;

    /// Argument `i` of a call: an input, or one of the shared variables that follow them.
    const Variable& argument(size_t i) const {
        return i < inputs.size() ? inputs[i].variable : shared[i - inputs.size()];
    }
    void find_storages();
    void find_size_checks();
    /// Shape error naming input, axis and sizes where a size is not what the types promise.
    void check_sizes(std::span<const Array> values) const;
    void add_to_profile(const runtime::Frame& frame, bool general, double seconds,
                        const std::vector<runtime::StepTiming>& times);
    parts::Plan& plan_for(const std::vector<size_t>& chosen);
    void arguments(std::span<const std::optional<Array>> given, std::vector<Array>& values);
    void finish(const parts::Plan& of, std::vector<Array>& results);
    void find_versions(bool borrows, std::span<uint64_t> versions) const;
};

}  // namespace croton
