// What a user of an installed Croton compiles: a gradient, native code, a matrix product and an
// error. It ends with 0 if all is well.
#include <cmath>
#include <croton/croton.hpp>
#include <croton/version.hpp>
#include <iostream>

using namespace croton;

namespace {

bool gradient_is_right() {
    auto x = matrix<double>("x");
    auto w = vector<double>("w");
    auto loss = sum(tanh(dot(x, w)));
    auto f = function({x, w}, {loss, grad(loss, w)});
    auto results = f(full<double>({3, 2}, 0.25), full<double>({2}, 1.0));
    const double slope = 3 * 0.25 * (1 - std::tanh(0.5) * std::tanh(0.5));
    return std::abs(results[0].item<double>() - 3 * std::tanh(0.5)) < 1e-14 &&
           std::abs(results[1].at<double>({1}) - slope) < 1e-14;
}

bool error_is_caught() {
    auto x = matrix<double>("x");
    try {
        sum(x, {7});
    } catch (const Error& error) {
        std::cout << error_name(error.kind()) << ": " << error.what() << '\n';
        return true;
    }
    return false;
}

}  // namespace

int main() {
    try {
        const bool right = gradient_is_right() && error_is_caught();
        std::cout << "croton " << CROTON_VERSION << (right ? ": all is well\n" : ": WRONG\n");
        return right ? 0 : 1;
    } catch (const Error& error) {
        std::cerr << error_name(error.kind()) << ": " << error.what() << '\n';
        return 2;
    }
}
