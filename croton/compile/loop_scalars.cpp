// Loops over small arrays of known sizes, as loops over their elements: see loops.hpp.
#include <algorithm>

#include "croton/compile/images.hpp"
#include "croton/compile/loop_kernel.hpp"
#include "croton/compile/loop_reads.hpp"
#include "croton/compile/loops.hpp"
#include "croton/compile/scalars.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/shape.hpp"

namespace croton::compile {

namespace {
constexpr int64_t most_states = 64, most_scalars = 3000;

class Scalarising {
  public:
    explicit Scalarising(const Variables& outputs) : outputs_(outputs) {}

    Variables run() {
        auto order = toposort(outputs_);
        bool any = std::any_of(order.begin(), order.end(), [](Node* node) {
            return is_loop(*node) && fits_scalars(Loop(*node));
        });
        if (!any) return outputs_;
        for (Node* node : order) rebuild(node);
        return image_(outputs_);
    }

  private:
    void rebuild(Node* node) {
        if (node->kind != NodeKind::Apply) return;
        if (is_loop(*node)) {
            Loop loop(*node);
            bool traces =
                std::any_of(loop.traced.begin(), loop.traced.end(), [](bool t) { return t; });
            if (!traces && fits_scalars(loop)) return write_out(*node, loop);
        }
        if (image_.carry_over(node)) keep_parts(*node, image_({node, 0}));
    }

    // A slice of the steps of what was put together here is put together of slices of the parts.
    void keep_parts(const Node& node, const Variable& made) {
        auto items = items_of(node);
        if (!items || items->empty() || (*items)[0].kind != IndexItem::Kind::Slice ||
            !all_whole(*items, 1) || node.inputs.size() != 1)
            return;
        const Elements* parts = parts_.find(image_(node.inputs[0]));
        if (!parts) return;
        Elements sliced;
        for (const auto& part : *parts)
            sliced.push_back(apply(*subtensor_op(), {part}, {{"index", index_text({(*items)[0]})}},
                                   node.site)[0]);
        parts_.insert(made, sliced);
    }

    // --- taking apart ---------------------------------------------------------------------------

    static int64_t count_of(const Variable& v) { return *few_elements(v.type()); }

    // An element of an array that lies behind `axes` axes of its own.
    static Variable element(const Variable& array, const TensorType& type, int64_t position,
                            int axes) {
        std::string index;
        int64_t rest = position, below = *few_elements(type);
        for (int axis = 0; axis < axes; ++axis) index += ":, ";
        for (Dim dim : type.dims) {
            below /= dim.size();
            index += cat(rest / below, ", ");
            rest %= below;
        }
        if (type.rank() == 0) return array;
        index.resize(index.size() - 2);
        return apply(*subtensor_op(), {array}, {{"index", index}})[0];
    }

    Elements elements_of(const Variable& array, const TensorType& type, int axes) {
        if (const Elements* parts = parts_.find(array); parts && axes == 1) return *parts;
        Elements result;
        for (int64_t i = 0; i < *few_elements(type); ++i)
            result.push_back(element(array, type, i, axes));
        return result;
    }

    static Elements formal_of(const Variable& v) {
        Elements result;
        for (int64_t i = 0; i < count_of(v); ++i)
            result.push_back(input({v.dtype(), {}}, v.name(), v.site()));
        return result;
    }

    void write_out(const Node& node, const Loop& loop) {
        SiteScope scope(node.site);
        Loop made;
        made.name = loop.name;
        made.steps = image_(loop.steps);
        FlatMap<ValueKey, Elements> inside;
        auto take = [&](const Variables& formal, const Variables& values, Variables& to_formal,
                        Variables& to_values, int axes) {
            for (size_t i = 0; i < formal.size(); ++i) {
                Elements own = formal_of(formal[i]);
                Elements outside = elements_of(image_(values[i]), formal[i].type(), axes);
                to_formal.insert(to_formal.end(), own.begin(), own.end());
                to_values.insert(to_values.end(), outside.begin(), outside.end());
                inside.insert(formal[i], own);
            }
        };
        take(loop.states, loop.initial, made.states, made.initial, 0);
        take(loop.elements, loop.sequences, made.elements, made.sequences, 1);
        take(loop.fixed, loop.constants, made.fixed, made.constants, 0);
        made.traced.assign(made.states.size(), false);
        for (Node* inner : toposort(loop.results(), loop.formal())) write_node(inner, inside);
        auto collect = [&](const Variables& from, Variables& to) {
            for (const auto& v : from) {
                const Elements& own = *inside.find(v);
                to.insert(to.end(), own.begin(), own.end());
            }
        };
        collect(loop.next, made.next);
        collect(loop.stacked, made.stacked);
        put_together(node, loop, applied(made, node.site));
    }

    static void write_node(Node* node, FlatMap<ValueKey, Elements>& inside) {
        Variable v(node, 0);
        if (inside.contains(v)) return;
        if (node->kind == NodeKind::Constant) {
            Elements own;
            Array flat = node->constant->contiguous_copy().reshape({-1});
            for (int64_t i = 0; i < flat.size(); ++i)
                own.push_back(constant(
                    Array::view(flat.dtype(), {}, {},
                                static_cast<char*>(flat.data()) + i * dtype_size(flat.dtype()),
                                flat.owner()),
                    node->site));
            inside.insert(v, own);
            return;
        }
        std::vector<Elements> inputs;
        for (const auto& input : node->inputs) {
            const Elements* known = inside.find(input);
            inputs.push_back(known ? *known : Elements());
        }
        inside.insert(v, scalars_of(*node, inputs));
    }

    // --- putting together -----------------------------------------------------------------------

    void put_together(const Node& node, const Loop& loop, const Variables& made) {
        size_t next = 0;
        auto some = [&](const Variable& like) {
            auto count = static_cast<size_t>(count_of(like));
            Elements own(made.begin() + static_cast<long>(next),
                         made.begin() + static_cast<long>(next + count));
            next += count;
            return own;
        };
        for (uint32_t i = 0; i < loop.states.size(); ++i) {
            Elements own = some(loop.states[i]);
            image_.set(Variable(const_cast<Node*>(&node), i),
                       joined(own, loop.states[i].type(), 0));
        }
        for (size_t j = 0; j < loop.stacked.size(); ++j) {
            Elements own = some(loop.stacked[j]);
            Variable whole = joined(own, loop.stacked[j].type(), 1);
            parts_.insert(whole, own);
            image_.set(
                Variable(const_cast<Node*>(&node), static_cast<uint32_t>(loop.states.size() + j)),
                whole);
        }
    }

    static Variable joined(const Elements& parts, const TensorType& type, int axes) {
        if (type.rank() == 0) return parts[0];
        Variable flat = stack(Args(parts.begin(), parts.end()), axes);
        if (type.rank() == 1) return flat;
        std::vector<Arg> sizes;
        if (axes == 1) sizes.push_back(size_of(flat, 0));
        for (Dim dim : type.dims) sizes.push_back(number_at(dim.size(), flat.site()));
        return reshape(flat, ShapeArg(sizes));
    }

    const Variables& outputs_;
    Images image_;
    FlatMap<ValueKey, Elements> parts_;
};
}  // namespace

bool fits_scalars(const Loop& loop) {
    if (loop.stop || loop.states.empty()) return false;
    int64_t states = 0, all = 0;
    for (const auto& v : loop.formal()) {
        auto count = few_elements(v.type());
        if (!count) return false;
        all += *count;
    }
    for (const auto& v : loop.states) states += *few_elements(v.type());
    if (states > most_states) return false;
    for (Node* node : toposort(loop.results(), loop.formal())) {
        if (node->kind == NodeKind::Input) continue;
        if (node->kind == NodeKind::Constant && !few_elements(node->types[0])) continue;
        if (!has_scalars(*node)) return false;
        all += *few_elements(node->types[0]);
    }
    return all <= most_scalars && !fits_kernel(loop);
}

Variables write_out_elements(const Variables& outputs) { return Scalarising(outputs).run(); }

}  // namespace croton::compile
