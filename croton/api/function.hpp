#pragma once
// Compiled functions: from variables in to values out.
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "croton/compile/build.hpp"
#include "croton/graph/variable.hpp"

namespace croton {

using compile::Mode;

/// An input of a function with its habits. Converts from a plain variable.
struct In {
    Variable variable;
    std::string name;                 ///< keyword of the argument; by default the variable's
    std::optional<Array> value = {};  ///< default: the argument may be left out
    bool strict = false;              ///< exactly the variable's dtype, nothing is converted
    std::optional<bool> allow_downcast =
        {};                 ///< true: any cast; false: lossless ones; unset: the function's
    bool borrow = false;    ///< the function may keep reading the caller's memory
    bool mutable_ = false;  ///< the function may write into the caller's memory
    /// What `value` becomes after each call; null: it stays. Needs a value and the input's type.
    Variable update = {};
    bool implicit = false;  ///< callers may not give it: it has its value only
    In(Variable v) : variable(std::move(v)), name(variable ? variable.name() : "") {}
    In(Variable v, std::string n, std::optional<Array> d = {})
        : variable(std::move(v)), name(std::move(n)), value(std::move(d)) {}
};

/// An output. With borrow the result may share memory with a shared variable: it is then copied
/// neither at this call nor, should the variable be updated, written over.
struct Out {
    Variable variable;
    bool borrow = false;
    Out(Variable v, bool borrow = false) : variable(std::move(v)), borrow(borrow) {}
};

using Updates = std::vector<std::pair<Variable, Variable>>;

struct FunctionOptions {
    Updates updates = {};           ///< (shared variable, its new value), all at once after a call
    Updates givens = {};            ///< (variable, what stands in its place)
    std::optional<Mode> mode = {};  ///< unset: the setting `mode`
    std::string name = {};          ///< for messages and profiles
    std::string on_unused_input = {};               ///< raise, warn, ignore; "": the setting
    std::optional<bool> allow_input_downcast = {};  ///< as In::allow_downcast, for all inputs
    bool profile = false;
    bool no_default_updates = false;       ///< leave default updates of shared variables out
    Variables no_default_updates_of = {};  ///< leave these ones out
};

/// What a call gives: one array an output.
class Results {
  public:
    explicit Results(std::vector<Array> values) : values_(std::move(values)) {}
    size_t size() const { return values_.size(); }
    const Array& operator[](size_t i) const { return values_[i]; }
    auto begin() const { return values_.begin(); }
    auto end() const { return values_.end(); }
    /// The only output. Usage error if there are several.
    const Array& only() const;
    operator const Array&() const { return only(); }
    template <class T>
    T item() const {
        return only().item<T>();
    }
    std::vector<Array>& values() { return values_; }

  private:
    std::vector<Array> values_;
};

/// Time and memory of a function's calls.
struct Profile {
    std::string function;
    int64_t calls = 0;
    double call_seconds = 0;  ///< inside of calls, everything included
    double compile_seconds = 0;
    struct Row {
        std::string what;
        Site site;
        int64_t calls = 0;
        double seconds = 0;
        int64_t bytes = 0;
    };
    std::vector<Row> rows;   ///< one a step of the program
    int64_t held_bytes = 0;  ///< working memory kept between calls
    /// A table, dearest steps first.
    std::string text() const;
};

/// What a call is asked beside its arguments.
struct CallOptions {
    /// Only these outputs are computed, in this order; updates happen all the same. The code is
    /// compiled at the first call for a choice. Usage error naming the outputs there are.
    std::optional<std::vector<size_t>> outputs = {};
    /// Where result i is left, if into[i] is given: memory of the caller's with any strides, whose
    /// dtype and shape are the result's (Type and Shape errors; Usage error where two elements
    /// share memory). It is what the call then returns as that result. Arguments may lie there,
    /// too. After an error its elements may be anything; shared variables are as they were.
    std::vector<std::optional<Array>> into = {};
};

/// A compiled function. Copies share everything. Calls are safe from several threads at once: calls
/// of functions with updates of the same shared variables wait for one another.
class Function {
  public:
    Function() = default;
    /// Arguments in the order of the inputs. Type, Shape and Usage errors name the input. A call
    /// that fails leaves shared variables as they were.
    Results call(const std::vector<std::optional<Array>>& arguments) const {
        return run(arguments, nullptr);
    }
    Results call(const std::vector<std::optional<Array>>& arguments,
                 const CallOptions& options) const {
        return run(arguments, &options);
    }
    /// Computes only these outputs (CallOptions::outputs).
    Results call_subset(const std::vector<std::optional<Array>>& arguments,
                        const std::vector<size_t>& outputs) const {
        return call(arguments, {.outputs = outputs});
    }
    template <class... Arrays>
    Results operator()(const Arrays&... arrays) const {
        const std::array<std::optional<Array>, sizeof...(Arrays)> list = {as_array(arrays)...};
        return run(list, nullptr);
    }
    /// Keyword arguments by input name, after positional ones.
    Results call_named(std::vector<std::optional<Array>> positional,
                       const std::map<std::string, Array>& named) const;

    const std::string& name() const;
    size_t input_count() const;
    const In& input(size_t i) const;
    size_t output_count() const;
    const Variable& output(size_t i) const;
    std::optional<bool> allow_input_downcast() const;
    /// What input i has when no argument is given: the default, or what updates made of it.
    std::optional<Array> stored(size_t i) const;
    /// Usage error if the input has no default, Type error if the value does not fit.
    void set_stored(size_t i, const Array& value) const;
    /// Shared variables the function reads or updates.
    Variables shared_variables() const;
    /// Skips all checks and conversions of arguments: they must have exactly the right dtype and
    /// rank.
    void trust_input(bool trust);
    bool trusts_input() const;

    /// The same code over other shared variables: (old, new) pairs. Type error if types differ.
    Function copy(const Updates& swap = {}, bool delete_updates = false,
                  std::string name = "") const;
    /// Gives working memory back to the system.
    void free() const;

    const runtime::Program& program() const;
    const compile::Trace& trace() const;
    const Mode& mode() const;
    /// Usage error unless profiling was asked for.
    Profile profile() const;
    bool profiled() const;
    /// Begins or ends keeping a profile.
    void keep_profile(bool keep) const;

    struct State;
    explicit Function(std::shared_ptr<State> state) : state_(std::move(state)) {}
    explicit operator bool() const { return state_ != nullptr; }

  private:
    static const Array& as_array(const Array& a) { return a; }
    static const Array& as_array(const Array&& a) = delete;  // would be gone before the call
    template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
    static Array as_array(T value) {
        return Array::scalar(value);
    }
    Results run(std::span<const std::optional<Array>> arguments, const CallOptions* options) const;
    State& state() const;  // Usage error if there is none
    std::shared_ptr<State> state_;
};

/// Compiles outputs of inputs. Errors: Usage (an input missing, unused or given twice), Type and
/// Shape (updates and givens that do not fit), whatever compiling says.
Function function(const std::vector<In>& inputs, const std::vector<Out>& outputs,
                  const FunctionOptions& options = {});
inline Function function(const std::vector<In>& inputs, const Variable& output,
                         const FunctionOptions& options = {}) {
    return function(inputs, std::vector<Out>{output}, options);
}

/// Whether every element has the same value in that dtype (NaN stays NaN): how a call takes, say,
/// int64 values for an int32 input.
bool survives_cast(const Array& array, DType dtype);

/// The value of an expression, given values for its inputs.
Array eval(const Variable& expression, const std::vector<std::pair<Variable, Array>>& inputs = {});

}  // namespace croton
