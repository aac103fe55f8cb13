// Ops written in Python: an object with infer, perform and grad behind croton::UserOp.
#include "croton/ops/user.hpp"
#include "python/binding/convert.hpp"

namespace croton::python {

namespace {
// Lets go of a Python object from any thread.
struct Release {
    void operator()(PyObject* p) const {
        if (!Py_IsInitialized()) return;
        nb::gil_scoped_acquire gil;
        Py_DECREF(p);
    }
};

// What Python raised, as an Error: the exception itself becomes the cause of what comes out.
[[noreturn]] void rethrow(nb::python_error& error, const std::string& op, const char* method) {
    std::string text = nb::str(error.value()).c_str();
    std::string kind = nb::cast<std::string>(nb::object(error.type().attr("__name__")));
    error.restore();
    bool stop = PyErr_ExceptionMatches(PyExc_KeyboardInterrupt);
    stash_python_error();
    if (stop) fail(ErrorKind::Interrupted, "interrupted in ", op);
    fail(ErrorKind::Value, op, ".", method, " raised ", kind, ": ", text);
}

class PythonOp : public UserOp {
  public:
    PythonOp(nb::handle object, std::string name, bool pure)
        : object_(nb::borrow(object).release().ptr()), name_(std::move(name)), pure_(pure) {}

    std::string name() const override { return name_; }
    bool pure() const override { return pure_; }

    bool equals(const Opaque& other) const override {
        auto op = dynamic_cast<const PythonOp*>(&other);
        if (!op) return false;
        if (op->object_.get() == object_.get()) return true;
        nb::gil_scoped_acquire gil;
        try {
            return nb::handle(object_.get()).equal(nb::handle(op->object_.get()));
        } catch (nb::python_error& error) {
            rethrow(error, name_, "__eq__");
        }
    }
    uint64_t hash() const override {
        nb::gil_scoped_acquire gil;
        try {
            return static_cast<uint64_t>(nb::hash(nb::handle(object_.get())));
        } catch (nb::python_error& error) {
            rethrow(error, name_, "__hash__");
        }
    }

    std::vector<TensorType> types(std::span<const TensorType> inputs) const override {
        nb::gil_scoped_acquire gil;
        try {
            nb::list list;
            for (const auto& type : inputs) list.append(nb::cast(type));
            std::vector<TensorType> result;
            for (auto item : method("_types")(list)) result.push_back(nb::cast<TensorType>(item));
            return result;
        } catch (nb::python_error& error) {
            rethrow(error, name_, "infer");
        }
    }

    std::vector<Array> perform(std::span<const Array> inputs) const override {
        nb::gil_scoped_acquire gil;
        try {
            nb::list list;
            for (const auto& array : inputs) list.append(to_numpy(array, false));
            std::vector<Array> result;
            for (auto item : method("_perform")(list)) result.push_back(to_array(item));
            return result;
        } catch (nb::python_error& error) {
            rethrow(error, name_, "perform");
        }
    }

    Variables gradient(const Variables& inputs, const Variables& outputs,
                       const Variables& seeds) const override {
        nb::gil_scoped_acquire gil;
        if (!nb::cast<bool>(method("_has_gradient")()))
            return UserOp::gradient(inputs, outputs, seeds);
        try {
            nb::object made = method("_gradient")(to_python_list(inputs), to_python_list(outputs),
                                                  to_python_list(seeds));
            Variables result;
            for (auto item : made)
                result.push_back(item.is_none() ? Variable()
                                                : to_variable(item, SiteScope::current_or({})));
            return result;
        } catch (nb::python_error& error) {
            rethrow(error, name_, "grad");
        }
    }

  private:
    nb::object method(const char* name) const { return nb::handle(object_.get()).attr(name); }
    std::unique_ptr<PyObject, Release> object_;
    std::string name_;
    bool pure_;
};
}  // namespace

void bind_user_ops(nb::module_& m) {
    m.def(
        "apply_user_op",
        [](nb::handle op, const std::string& name, bool pure, nb::handle inputs) {
            Site site = python_site();
            SiteScope scope(site);
            Args arguments;
            for (auto item : inputs) arguments.push_back(to_arg(item, site));
            return to_python_list(user_op(std::make_shared<PythonOp>(op, name, pure), arguments));
        },
        nb::arg("op"), nb::arg("name"), nb::arg("pure"), nb::arg("inputs"));
}

}  // namespace croton::python
