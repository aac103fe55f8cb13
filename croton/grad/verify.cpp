#include "croton/grad/verify.hpp"

#include <cmath>
#include <random>

#include "croton/grad/grad.hpp"
#include "croton/graph/listing.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/reduce.hpp"

namespace croton {

namespace {
using Feeds = std::vector<std::pair<Variable, Array>>;

Array random_like(std::mt19937_64& random, DType dtype, const Sizes& shape) {
    Array result = Array::empty(DType::Float64, shape);
    // Away from zero, so that no direction and no element drops out.
    for (int64_t i = 0; i < result.size(); ++i) {
        double unit = static_cast<double>(random() >> 11) * 0x1p-53;
        result.data_as<double>()[i] = (random() & 1 ? 1 : -1) * (0.5 + unit);
    }
    return result.cast(dtype);
}

double dot_of(const Array& a, const Array& b) {
    auto x = a.to_vector<double>(), y = b.to_vector<double>();
    double total = 0;
    for (size_t i = 0; i < x.size(); ++i) total += x[i] * y[i];
    return total;
}

class Check {
  public:
    Check(const CheckedFunction& function, const std::vector<Array>& points,
          const Evaluator& evaluate, const VerifyOptions& options)
        : evaluate_(evaluate), options_(options), random_(options.seed), points_(points) {
        for (size_t i = 0; i < points.size(); ++i) {
            TensorType type = tensor_type(points[i].dtype(), points[i].rank());
            inputs_.push_back(input(type, cat("x", i), Site{}));
        }
        output_ = function(inputs_);
        if (!is_floating(output_.dtype()))
            fail(ErrorKind::Type, "verify_grad: the function gives ", output_.type().text(),
                 "; only floating results can be checked");
        coarse_ = dtype_size(output_.dtype()) < 8;
        for (size_t i = 0; i < points.size(); ++i) {
            bool asked = options.check.empty() || options.check.at(i);
            if (!asked || !is_floating(points[i].dtype())) continue;
            checked_.push_back(i);
            coarse_ |= dtype_size(points[i].dtype()) < 8;
        }
    }

    VerifyResult run() {
        Array value = evaluate_({output_}, feeds(points_))[0];
        projection_ = random_like(random_, output_.dtype(), value.shape());
        Variable weights = constant(projection_, Site{});
        Variables wrt;
        for (size_t i : checked_) wrt.push_back(inputs_[i]);
        GradOptions loose{.disconnected = Disconnected::Ignore};
        Variables gradients = vjp({output_}, wrt, {weights}, loose);
        std::vector<Array> symbolic = evaluate_(gradients, feeds(points_));
        for (size_t k = 0; k < checked_.size(); ++k) check_input(checked_[k], symbolic[k]);
        if (options_.forward) check_forward(wrt, symbolic);
        return result_;
    }

  private:
    Feeds feeds(const std::vector<Array>& values) const {
        Feeds result;
        for (size_t i = 0; i < inputs_.size(); ++i) result.emplace_back(inputs_[i], values[i]);
        return result;
    }

    double step() const { return options_.step > 0 ? options_.step : coarse_ ? 1e-2 : 1e-5; }
    double tolerance() const {
        return options_.tolerance > 0 ? options_.tolerance : coarse_ ? 1e-2 : 1e-6;
    }

    /// Slope of the projected function where input i moves along `direction` (float64, i's shape).
    double numeric(size_t i, const Array& direction, double h) const {
        auto moved = [&](double by) {
            std::vector<Array> values = points_;
            Array place = points_[i].cast(DType::Float64).copy();
            for (int64_t k = 0; k < place.size(); ++k)
                place.data_as<double>()[k] += by * direction.data_as<double>()[k];
            values[i] = place.cast(points_[i].dtype());
            return dot_of(evaluate_({output_}, feeds(values))[0], projection_);
        };
        return (moved(h) - moved(-h)) / (2 * h);
    }

    void check_input(size_t i, const Array& symbolic) {
        const Array& point = points_[i];
        if (!(symbolic.shape() == point.shape()) || symbolic.dtype() != point.dtype())
            fail(ErrorKind::Value, "GradientError: the gradient for input ", i, " of ", name(),
                 " has dtype ", dtype_name(symbolic.dtype()), " and shape ",
                 shape_text(symbolic.shape()), "; the input has ", dtype_name(point.dtype()),
                 " and ", shape_text(point.shape()));
        if (point.size() <= options_.every_element)
            check_elements(i, symbolic);
        else
            check_directions(i, symbolic);
    }

    void check_elements(size_t i, const Array& symbolic) {
        auto values = points_[i].to_vector<double>(), slopes = symbolic.to_vector<double>();
        for (size_t k = 0; k < values.size(); ++k) {
            Array direction = Array::zeros(DType::Float64, points_[i].shape());
            direction.data_as<double>()[k] = 1;
            double h = step() * std::max(1.0, std::abs(values[k]));
            compare(slopes[k], numeric(i, direction, h), i, cat("element ", k, " (in C order)"));
        }
    }

    void check_directions(size_t i, const Array& symbolic) {
        for (int k = 0; k < 4; ++k) {
            Array direction = random_like(random_, DType::Float64, points_[i].shape());
            double scale = 1 / std::sqrt(dot_of(direction, direction));
            for (int64_t n = 0; n < direction.size(); ++n) direction.data_as<double>()[n] *= scale;
            compare(dot_of(symbolic, direction), numeric(i, direction, step()), i,
                    cat("random direction ", k));
        }
    }

    void check_forward(const Variables& wrt, const std::vector<Array>& gradients) {
        std::vector<Array> directions;
        Variables tangents;
        double expected = 0;
        for (size_t k = 0; k < wrt.size(); ++k) {
            const Array& point = points_[checked_[k]];
            directions.push_back(random_like(random_, point.dtype(), point.shape()));
            tangents.push_back(constant(directions.back(), Site{}));
            expected += dot_of(gradients[k], directions.back());
        }
        Variable tangent = jvp({output_}, wrt, tangents)[0];
        Array value = evaluate_({tangent}, feeds(points_))[0];
        if (value.size() != projection_.size())
            fail(ErrorKind::Value, "GradientError: jvp of ", name(), " has shape ",
                 shape_text(value.shape()), "; the output has ", shape_text(projection_.shape()));
        double found = dot_of(value, projection_);
        double error = relative(found, expected);
        note(error);
        if (!(error <= tolerance()))
            fail(ErrorKind::Value, "GradientError: jvp of ", name(),
                 " does not agree with its gradient\n    forward  ", found, "\n    reverse  ",
                 expected, "\n    relative error ", error, ", allowed ", tolerance(), where());
    }

    static double relative(double a, double b) {
        if (std::isnan(a) && std::isnan(b)) return NAN;
        return std::abs(a - b) / std::max({1.0, std::abs(a), std::abs(b)});
    }
    void note(double error) {
        result_.worst = std::max(result_.worst, error);
        ++result_.comparisons;
    }

    void compare(double symbolic, double numeric, size_t i, const std::string& place) {
        double error = relative(symbolic, numeric);
        note(error);
        if (error <= tolerance()) return;
        fail(ErrorKind::Value, "GradientError: the gradient of ", name(), " is wrong for input ", i,
             ", ", place, "\n    symbolic ", symbolic, "\n    numeric  ", numeric,
             "\n    relative error ", error, ", allowed ", tolerance(), where());
    }

    std::string name() const {
        std::string text = output_.op() ? std::string(output_.op()->name) : "a leaf";
        return cat(text, ", in ", pp(output_, {.max_length = 300}));
    }
    std::string where() const {
        std::string text = cat("\n    seed ", options_.seed, ", step ", step());
        for (size_t i = 0; i < points_.size(); ++i)
            text += cat("\n    x", i, " = ", points_[i].text());
        return text;
    }

    const Evaluator& evaluate_;
    const VerifyOptions& options_;
    std::mt19937_64 random_;
    std::vector<Array> points_;
    Variables inputs_;
    Variable output_;
    bool coarse_ = false;
    std::vector<size_t> checked_;
    Array projection_;
    VerifyResult result_;
};

/// The gradients of a function, multiplied by fixed weights and added: what the next order checks.
CheckedFunction gradient_of(const CheckedFunction& function, const std::vector<Array>& points,
                            uint64_t seed) {
    return [=](const Variables& inputs) {
        std::mt19937_64 random(seed);
        Variable cost = sum(sqr(function(inputs)));
        Variables wrt;
        std::vector<size_t> places;
        for (size_t i = 0; i < inputs.size(); ++i)
            if (is_floating(inputs[i].dtype())) wrt.push_back(inputs[i]), places.push_back(i);
        Variables gradients = grad(cost, wrt, {.disconnected = Disconnected::Ignore});
        Variable total;
        for (size_t k = 0; k < wrt.size(); ++k) {
            const Array& point = points[places[k]];
            Variable weights = constant(random_like(random, point.dtype(), point.shape()), Site{});
            Variable part = sum(mul(gradients[k], weights));
            total = total ? add(total, part) : part;
        }
        return total;
    };
}
}  // namespace

VerifyResult verify_grad(const CheckedFunction& function, const std::vector<Array>& points,
                         const Evaluator& evaluate, const VerifyOptions& options) {
    VerifyResult result = Check(function, points, evaluate, options).run();
    CheckedFunction next = function;
    for (int order = 2; order <= options.order; ++order) {
        next = gradient_of(next, points, options.seed + static_cast<uint64_t>(order));
        VerifyResult further = Check(next, points, evaluate, options).run();
        result.worst = std::max(result.worst, further.worst);
        result.comparisons += further.comparisons;
    }
    return result;
}

}  // namespace croton
