#include "croton/ops/user.hpp"

#include "croton/ops/create.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/strided.hpp"
#include "croton/ops/support.hpp"

namespace croton {

Variables UserOp::gradient(const Variables&, const Variables&, const Variables&) const {
    fail(ErrorKind::NotDifferentiable, "the op ", name(),
         " has no gradient; override gradient(), "
         "or keep the value out of gradients with disconnected_grad");
}

namespace {
// What the user's code throws, as an Error that says whose it is.
template <class Call>
auto guarded(const std::string& who, Call call) {
    try {
        return call();
    } catch (const Error&) {
        throw;
    } catch (const std::exception& error) {
        throw Error(ErrorKind::Value, cat(who, " failed: ", error.what()));
    } catch (...) {
        throw Error(ErrorKind::Value, cat(who, " failed: it threw what is no std::exception"));
    }
}

std::vector<TensorType> user_type(TypeContext& c) {
    auto op = c.view().opaque<UserOp>("op");
    std::vector<TensorType> inputs;
    for (size_t i = 0; i < c.inputs.size(); ++i) {
        settle_weak(c, i);
        inputs.push_back(c.type(i));
    }
    if (!op) fail(ErrorKind::Usage, "the op to apply is nothing");
    auto result = guarded("the op " + op->name(), [&] { return op->types(inputs); });
    if (result.empty()) fail(ErrorKind::Usage, "the op ", op->name(), " has no results");
    return result;
}

std::vector<Array> perform(const UserOp& op, const std::vector<Array>& inputs) {
    try {
        return guarded("the op " + op.name(), [&] { return op.perform(inputs); });
    } catch (const Error& error) {
        std::string text = error.what(), who = "the op " + op.name();
        throw Error(error.kind(), text.starts_with(who) ? text : cat("in ", who, ": ", text));
    }
}

void user_run(ExternCall& call) {
    auto op = call.attrs.opaque<UserOp>("op");
    std::vector<Array> inputs;
    for (const auto& input : call.inputs) inputs.push_back(array_of(input));
    auto results = perform(*op, inputs);
    if (results.size() != call.outputs.size())
        fail(ErrorKind::Usage, "the op ", op->name(), " gave ", results.size(), " results, not ",
             call.outputs.size());
    for (size_t i = 0; i < results.size(); ++i) {
        const auto& result = results[i];
        auto& out = call.outputs[i];
        DType promised = out.dtype;
        if (result.dtype() != promised)
            fail(ErrorKind::Type, "the op ", op->name(), " gave ", dtype_name(result.dtype()),
                 " as result ", i, "; its types() promise ", dtype_name(promised));
        try {
            call.allocate(i, result.shape());
        } catch (const Error& error) {
            throw Error(error.kind(), cat("the op ", op->name(), ": ", error.what()));
        }
        copy_elements(out, ref(result));
    }
}

Cotangents user_pullback(const Pullback& p) {
    auto op = p.attrs().opaque<UserOp>("op");
    Variables outputs, seeds;
    for (size_t i = 0; i < p.node().types.size(); ++i) {
        outputs.push_back(p.output(i));
        seeds.push_back(p.seed(i) ? p.seed(i) : zeros_like(p.output(i)));
    }
    try {
        Variables result = guarded("the gradient of the op " + op->name(),
                                   [&] { return op->gradient(p.node().inputs, outputs, seeds); });
        if (result.size() != p.input_count())
            fail(ErrorKind::Usage, "the gradient of the op ", op->name(), " has ", result.size(),
                 " parts, not ", p.input_count());
        for (size_t i = 0; i < result.size(); ++i)
            if (result[i] && result[i].rank() != p.input(i).rank())
                fail(ErrorKind::Type, "the gradient of the op ", op->name(), " gives ",
                     result[i].type().text(), " for argument ", i, ", which is ",
                     p.input(i).type().text());
        return result;
    } catch (const Error& error) {
        throw Error(error.kind(), cat(error.what(), "\n    in ", op->name(), " at ",
                                      p.node().site.text(), "    ", p.node().site.code_text()));
    }
}

OpRecord record(std::string_view name, Facts facts) {
    return {
        .name = name,
        .doc = "An op that a user wrote.",
        .arguments = {{"arguments", Accepts::Any, true}},
        .attributes = {{"op", std::shared_ptr<const Opaque>(), true, "the user's op"}},
        .type = user_type,
        .compute = ExternCompute{nullptr, user_run},
        .pullback = user_pullback,
        .facts = facts,
    };
}
const OpRecord user_op_record = record("user_op", {});
const OpRecord impure_user_op_record = record("impure_user_op", facts::impure);
}  // namespace

Variables user_op(std::shared_ptr<const UserOp> op, const Args& arguments) {
    Variables inputs;
    for (const auto& argument : arguments) inputs.push_back(argument.variable());
    Site site = arguments.empty() ? Site{} : arguments[0].site();
    const OpRecord& chosen = !op || op->pure() ? user_op_record : impure_user_op_record;
    return apply(chosen, std::move(inputs), {{"op", std::shared_ptr<const Opaque>(std::move(op))}},
                 site);
}

Variable user_op_one(std::shared_ptr<const UserOp> op, const Args& arguments) {
    std::string name = op ? op->name() : "";
    Variables results = user_op(std::move(op), arguments);
    if (results.size() != 1)
        fail(ErrorKind::Usage, "the op ", name, " has ", results.size(), " results; use user_op");
    return results[0];
}

namespace families {
Family user() { return {&user_op_record, &impure_user_op_record}; }
}  // namespace families

}  // namespace croton
