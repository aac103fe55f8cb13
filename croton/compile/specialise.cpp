#include "croton/compile/specialise.hpp"

#include <algorithm>
#include <list>
#include <unordered_map>

#include "croton/compile/size_names.hpp"
#include "croton/compile/translate.hpp"
#include "croton/graph/op.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/loop.hpp"

namespace croton::compile {

namespace {
// Union-find over size symbols.
class Symbols {
  public:
    Dim find(Dim dim) {
        while (true) {
            auto place = parent_.find(dim.code());
            if (place == parent_.end()) return dim;
            dim = place->second;
        }
    }
    void unite(Dim a, Dim b) {
        a = find(a);
        b = find(b);
        if (!(a == b)) parent_.emplace(a.code(), b);
    }

  private:
    std::unordered_map<int64_t, Dim> parent_;
};

struct Origin {
    int input, axis;
};

class Pass {
  public:
    Pass(const Variables& inputs, const Variables& outputs) : inputs_(inputs), outputs_(outputs) {
        for (size_t i = 0; i < inputs.size(); ++i) {
            TensorType type = inputs[i].type();
            for (size_t axis = 0; axis < type.dims.size(); ++axis) {
                if (type.dims[axis].unknown()) type.dims[axis] = Dim::fresh();
                if (!type.dims[axis].known())
                    origins_.emplace(type.dims[axis].code(),
                                     Origin{static_cast<int>(i), static_cast<int>(axis)});
            }
            leaf_types_.push_back(std::move(type));
        }
    }

    Specialised run(bool assume) {
        if (!assume) return walk(false, outputs_);
        // What composites are made of meets too.
        Variables plain = expand_all(outputs_, inputs_);
        Specialised learned = walk(true, plain);
        // Where nothing was expanded or taken to be equal there is nothing to be done anew.
        bool settled = plain == outputs_ && assumptions_.empty() && !supplied_;
        Specialised result = settled ? std::move(learned) : walk(false, outputs_);
        result.assumptions = std::move(assumptions_);
        return result;
    }

  private:
    /// Values of the new graph by those of the old one.
    using Images = FlatMap<ValueKey, Variable>;

    Variable leaf(size_t i) {
        TensorType type = leaf_types_[i];
        for (Dim& dim : type.dims) dim = symbols_.find(dim);
        return input(std::move(type), inputs_[i].name(), inputs_[i].site());
    }

    // With `learn`, collects what sizes meet on the way.
    Specialised walk(bool learn, const Variables& roots) {
        Images made;
        Specialised result;
        for (size_t i = 0; i < inputs_.size(); ++i) {
            result.inputs.push_back(leaf(i));
            made[inputs_[i]] = result.inputs.back();
        }
        bodies_.clear();
        names_ = {};
        for (Node* node : toposort(roots, inputs_))
            if (node->kind == NodeKind::Apply && !replaced(node, made)) rebuild(learn, node, made);
        for (const auto& v : roots) result.outputs.push_back(image(v, made));
        return result;
    }

    static const Variable& image(const Variable& v, const Images& made) {
        const Variable* found = made.find(v);
        return found ? *found : v;
    }
    // An input of the function may be one of several outputs of a node.
    static bool replaced(Node* node, const Images& made) {
        for (uint32_t i = 0; i < node->types.size(); ++i)
            if (made.contains({node, i})) return true;
        return false;
    }

    void rebuild(bool learn, Node* node, Images& made) {
        if (is_loop(*node)) return rebuild_loop(learn, *node, made);
        Variables arguments;
        for (const auto& v : node->inputs) arguments.push_back(image(v, made));
        Dims met;
        if (learn && node->op->kind<ContractCompute>()) meet_inner(arguments);
        if (learn && node->op->likely_equal) meet_likely(*node, arguments);
        if (learn && node->op->elementwise()) met = meet(arguments);
        Variables outputs = apply_like(*node, std::move(arguments));
        Node& fresh = *outputs[0].node_pointer();
        Dims& dims = fresh.types[0].dims;
        for (size_t axis = 0; axis < met.size(); ++axis)
            if (dims[axis].unknown() && !met[axis].unknown()) {
                dims[axis] = met[axis];
                supplied_ = true;
            }
        fresh.names = node->names;
        names_.name(fresh);
        for (const auto& output : outputs) made.insert({node, output.index()}, output);
    }

    // --- loops ----------------------------------------------------------------------------------

    /// Bodies of loops that have one list of formal inputs (a loop and its gradient's copy) keep
    /// it.
    struct Body {
        Variables formal, fresh;
        Images images;
        /// What was walked: images are known by address, which must not come back as another
        /// node's.
        std::vector<Variables> walked;
    };

    // The formal inputs get the sizes of what they stand for: states keep theirs from step to step.
    void rebuild_loop(bool learn, const Node& node, Images& made) {
        Loop loop(node);
        Variables results = loop.results();
        if (learn) {
            results = expand_all(results, loop.formal());
            supplied_ |= !(results == loop.results());
        }
        Variables formal = loop.formal();
        loop.steps = image(loop.steps, made);
        for (auto* list : {&loop.initial, &loop.sequences, &loop.constants})
            for (Variable& v : *list) v = image(v, made);
        give_sizes(loop.states, loop.initial, 0);
        give_sizes(loop.elements, loop.sequences, 1);
        give_sizes(loop.fixed, loop.constants, 0);
        Body& body = body_for(formal, loop);
        body.walked.push_back(results);
        for (Node* inner : toposort(results, formal))
            if (inner->kind == NodeKind::Apply && !replaced(inner, body.images))
                rebuild(learn, inner, body.images);
        for (Variable& v : results) v = image(v, body.images);
        loop.set_results(results);
        Variables outputs = loop.apply(node.site);
        Node& fresh = *outputs[0].node_pointer();
        fresh.names = node.names;
        names_.name(fresh);
        for (const auto& output : outputs) made.insert({&node, output.index()}, output);
    }

    // Types of formal inputs with the sizes of the values, of which the loop takes off `axes`.
    static void give_sizes(Variables& formal, const Variables& values, size_t axes) {
        for (size_t i = 0; i < formal.size(); ++i) {
            TensorType type = formal[i].type();
            for (size_t axis = 0; axis < type.dims.size(); ++axis)
                if (!type.dims[axis].known()) type.dims[axis] = values[i].type().dims[axis + axes];
            formal[i] = input(std::move(type), formal[i].name(), formal[i].site());
        }
    }

    Body& body_for(const Variables& formal, Loop& loop) {
        Variables fresh = loop.formal();
        auto same_types = [&](const Body& body) {
            for (size_t i = 0; i < fresh.size(); ++i)
                if (!(body.fresh[i].type() == fresh[i].type())) return false;
            return true;
        };
        auto known = std::find_if(bodies_.begin(), bodies_.end(), [&](const Body& body) {
            return body.formal == formal && same_types(body);
        });
        if (known == bodies_.end()) {
            known = bodies_.insert(bodies_.end(), {formal, fresh, {}, {}});
            for (size_t i = 0; i < fresh.size(); ++i) known->images.insert(formal[i], fresh[i]);
        }
        auto from = known->fresh.begin();
        for (auto* list : {&loop.states, &loop.elements, &loop.fixed})
            for (Variable& v : *list) v = *from++;
        return *known;
    }

    // Sizes of an elementwise op's inputs that stand in the same axis of the result; returns what
    // the result's sizes are if they are equal.
    Dims meet(const Variables& arguments) {
        int rank = 0;
        for (const auto& v : arguments) rank = std::max(rank, v.rank());
        Dims result(static_cast<size_t>(rank), Dim());
        for (int axis = 0; axis < rank; ++axis) {
            Dim first;
            for (const auto& v : arguments) {
                int own = axis - (rank - v.rank());
                if (own < 0) continue;
                Dim dim = symbols_.find(v.type().dims[static_cast<size_t>(own)]);
                if (dim.is_one() || (!dim.known() && !origins_.contains(dim.code()))) continue;
                if (first.unknown())
                    first = dim;
                else if (!(first == dim))
                    assume_equal(first, dim);
            }
            result[static_cast<size_t>(axis)] = first;
        }
        return result;
    }

    // The axes that a matrix product folds.
    void meet_inner(const Variables& arguments) {
        const Dims &a = arguments[0].type().dims, &b = arguments[1].type().dims;
        meet_sizes(a.back(), b[b.size() - 2]);
    }

    void meet_likely(const Node& node, const Variables& arguments) {
        for (const auto& [one, other] : node.op->likely_equal(node))
            meet_sizes(arguments[one.input].type().dims[one.axis],
                       arguments[other.input].type().dims[other.axis]);
    }

    void meet_sizes(Dim a, Dim b) {
        a = symbols_.find(a);
        b = symbols_.find(b);
        auto usable = [&](Dim dim) { return dim.known() || origins_.contains(dim.code()); };
        if (!(a == b) && usable(a) && usable(b)) assume_equal(a, b);
    }

    void assume_equal(Dim a, Dim b) {
        if (a.known()) std::swap(a, b);
        if (a.known()) return;  // two different known sizes: the type rule says what is wrong
        if (b.known()) {
            Origin x = origins_.at(a.code());
            assumptions_.push_back({x.input, x.axis, -1, static_cast<int>(b.size())});
            symbols_.unite(a, b);
            return;
        }
        Origin x = origins_.at(a.code()), y = origins_.at(b.code());
        assumptions_.push_back({x.input, x.axis, y.input, y.axis});
        symbols_.unite(a, b);
    }

    const Variables& inputs_;
    const Variables& outputs_;
    std::vector<TensorType> leaf_types_;
    std::unordered_map<int64_t, Origin> origins_;
    Symbols symbols_;
    std::vector<SizeAssumption> assumptions_;
    std::list<Body> bodies_;
    SizeNames names_;
    bool supplied_ = false;  ///< sizes were learned that type rules do not give
};
}  // namespace

Specialised specialise(const Variables& inputs, const Variables& outputs, bool assume) {
    return Pass(inputs, outputs).run(assume);
}

}  // namespace croton::compile
