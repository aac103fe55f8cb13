#include "croton/ops/cumulative_run.hpp"

#include <algorithm>
#include <optional>

#include "croton/base/recurrence.hpp"
#include "croton/ops/lines.hpp"

namespace croton {

namespace {
// What T is accumulated in; integers wrap without being undefined.
template <class T>
using Wide = std::conditional_t<
    detail::is_complex_type<T>, std::complex<double>,
    std::conditional_t<std::is_integral_v<T> && !std::is_same_v<T, bool>, uint64_t, double>>;

template <class T>
constexpr bool has_blocks = std::is_same_v<T, double> || std::is_same_v<T, float>;

/// Operands along the axis: how many elements, and how far apart they are.
template <size_t N>
struct Line {
    std::array<char*, N> at;  ///< the last one is the result
    std::array<int64_t, N> strides;
    int64_t length;
    template <class T>
    T* row(size_t k, int64_t i) const {
        return reinterpret_cast<T*>(at[k] + i * strides[k]);
    }
};

/// Lines of operands of one shape and dtype, one by one or many that lie side by side.
template <class T, size_t N>
class Lines {
  public:
    Lines(ExternCall& call, std::array<const TensorRef*, N> operands)
        : operands_(operands),
          shape_(operands[N - 1]->shape),
          axis_(static_cast<size_t>(call.attrs.get<int64_t>("axis"))) {}

    /// single(line), or side_by_side(line, lanes): `lanes` lines from that one on, each one element
    /// behind the one before it.
    template <class Single, class SideBySide>
    void run(Single single, SideBySide side_by_side) const {
        auto lane_axis = dense_along(axis_) ? std::nullopt : lanes();
        Sizes shape = shape_;
        if (lane_axis) shape[*lane_axis] = std::min<int64_t>(shape[*lane_axis], 1);
        std::array<const Sizes*, N> strides;
        for (size_t k = 0; k < N; ++k) strides[k] = &operands_[k]->strides;
        for_each_line<N>(shape, axis_, strides, [&](auto offsets) {
            Line<N> line{{}, {}, shape_[axis_]};
            for (size_t k = 0; k < N; ++k) {
                auto* data = const_cast<void*>(static_cast<const void*>(operands_[k]->data));
                line.at[k] = static_cast<char*>(data) + offsets[k];
                line.strides[k] = (*strides[k])[axis_];
            }
            if (!lane_axis) return single(line);
            for (int64_t first = 0; first < shape_[*lane_axis]; first += most_lanes) {
                side_by_side(line, std::min(most_lanes, shape_[*lane_axis] - first));
                for (char*& at : line.at) at += most_lanes * static_cast<int64_t>(sizeof(T));
            }
        });
    }

    static constexpr int64_t most_lanes = 1024;  ///< with operands they fit the first cache

  private:
    bool dense_along(size_t axis) const {
        return std::all_of(operands_.begin(), operands_.end(), [&](const TensorRef* operand) {
            return operand->strides[axis] == static_cast<int64_t>(sizeof(T));
        });
    }
    std::optional<size_t> lanes() const {
        for (size_t axis = 0; axis < shape_.size(); ++axis)
            if (axis != axis_ && shape_[axis] >= 4 && dense_along(axis)) return axis;
        return {};
    }

    std::array<const TensorRef*, N> operands_;
    const Sizes& shape_;
    size_t axis_;
};

// Whether the result's elements lie behind one another: then there are blocks, of operands with any
// strides.
template <class T, size_t N>
bool is_dense(const Line<N>& line) {
    return line.strides[N - 1] == static_cast<int64_t>(sizeof(T));
}

template <class T, bool product>
void accumulate_line(const Line<2>& line) {
    using W = Wide<T>;
    if constexpr (has_blocks<T>) {
        if (is_dense<T>(line)) {
            Stretch<T> x(line.at[0], line.strides[0]);
            double so_far = product ? 1.0 : -0.0;
            for (int64_t i = 0; i < line.length; i += x.length) {
                int64_t count = std::min(x.length, line.length - i), step = x.step();
                const T* from = x.at(i, count);
                so_far = run_recurrence(
                    Recurrence<T>{product ? from : nullptr, step, product ? nullptr : from, step,
                                  line.template row<T>(1, i), count},
                    so_far);
            }
            return;
        }
    }
    W so_far{};
    for (int64_t i = 0; i < line.length; ++i) {
        auto value = convert_number<W>(*line.template row<T>(0, i));
        so_far = i == 0 ? value : product ? so_far * value : so_far + value;
        *line.template row<T>(1, i) = convert_number<T>(so_far);
    }
}

template <class T, bool product>
void accumulate_lanes(const Line<2>& line, int64_t lanes) {
    using W = Wide<T>;
    W so_far[Lines<T, 2>::most_lanes];
    for (int64_t i = 0; i < line.length; ++i) {
        const T* __restrict x = line.template row<T>(0, i);
        T* __restrict out = line.template row<T>(1, i);
        for (int64_t n = 0; i == 0 && n < lanes; ++n) so_far[n] = convert_number<W>(x[n]);
        for (int64_t n = 0; i > 0 && n < lanes; ++n) {
            auto value = convert_number<W>(x[n]);
            so_far[n] = product ? so_far[n] * value : so_far[n] + value;
        }
        for (int64_t n = 0; n < lanes; ++n) out[n] = convert_number<T>(so_far[n]);
    }
}

template <bool product>
void accumulate(ExternCall& call) {
    visit_dtype(call.inputs[0].dtype, [&](auto tag) {
        using T = decltype(tag);
        Lines<T, 2>(call, {&call.inputs[0], &call.outputs[0]})
            .run([](const Line<2>& line) { accumulate_line<T, product>(line); },
                 [](const Line<2>& line, int64_t lanes) {
                     accumulate_lanes<T, product>(line, lanes);
                 });
    });
}

// The first factor is not looked at.
template <class T>
void recurrence_line(const Line<3>& line) {
    using W = Wide<T>;
    if (line.length == 0) return;
    auto so_far = convert_number<W>(*line.template row<T>(1, 0));
    *line.template row<T>(2, 0) = convert_number<T>(so_far);
    if constexpr (has_blocks<T>) {
        if (is_dense<T>(line)) {
            Stretch<T> a(line.at[0], line.strides[0]), b(line.at[1], line.strides[1]);
            for (int64_t i = 1; i < line.length; i += a.length) {
                int64_t count = std::min(a.length, line.length - i);
                so_far = run_recurrence(Recurrence<T>{a.at(i, count), a.step(), b.at(i, count),
                                                      b.step(), line.template row<T>(2, i), count},
                                        so_far);
            }
            return;
        }
    }
    for (int64_t i = 1; i < line.length; ++i) {
        auto factor = convert_number<W>(*line.template row<T>(0, i));
        so_far = factor * so_far + convert_number<W>(*line.template row<T>(1, i));
        *line.template row<T>(2, i) = convert_number<T>(so_far);
    }
}

template <class T>
void recurrence_lanes(const Line<3>& line, int64_t lanes) {
    using W = Wide<T>;
    W so_far[Lines<T, 3>::most_lanes];
    for (int64_t i = 0; i < line.length; ++i) {
        const T* __restrict a = line.template row<T>(0, i);
        const T* __restrict b = line.template row<T>(1, i);
        T* __restrict out = line.template row<T>(2, i);
        for (int64_t n = 0; i == 0 && n < lanes; ++n) so_far[n] = convert_number<W>(b[n]);
        for (int64_t n = 0; i > 0 && n < lanes; ++n)
            so_far[n] = convert_number<W>(a[n]) * so_far[n] + convert_number<W>(b[n]);
        for (int64_t n = 0; n < lanes; ++n) out[n] = convert_number<T>(so_far[n]);
    }
}
}  // namespace

void cumsum_run(ExternCall& call) { accumulate<false>(call); }
void cumprod_run(ExternCall& call) { accumulate<true>(call); }

void recurrence_run(ExternCall& call) {
    visit_dtype(call.inputs[1].dtype, [&](auto tag) {
        using T = decltype(tag);
        Lines<T, 3>(call, {&call.inputs[0], &call.inputs[1], &call.outputs[0]})
            .run([](const Line<3>& line) { recurrence_line<T>(line); },
                 [](const Line<3>& line, int64_t lanes) { recurrence_lanes<T>(line, lanes); });
    });
}

}  // namespace croton
