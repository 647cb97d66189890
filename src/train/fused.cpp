#include "fused.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <cmath>
#include <numeric>

namespace aitqe {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kRowsPerTask = 64;

/// Calls `work` with a value of the tensor's own type.
template <typename Work>
void with_type(at::ScalarType dtype, const Work& work) {
  if (dtype == at::kBFloat16) {
    work(c10::BFloat16());
  } else {
    TORCH_CHECK(dtype == at::kFloat, "f32 or bf16");
    work(0.0F);
  }
}

template <typename Work>
void for_rows(std::int64_t rows, const Work& work) {
  at::parallel_for(0, rows, kRowsPerTask, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) work(row);
  });
}

/// Sum of term(0) to term(count - 1), in lanes that the compiler can keep side by side.
template <typename Term>
float sum_of(std::int64_t count, const Term& term) {
  constexpr std::int64_t kLanes = 8;
  std::array<float, kLanes> lanes{};
  const std::int64_t whole = count - count % kLanes;
  for (std::int64_t i = 0; i < whole; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      lanes[static_cast<std::size_t>(lane)] += term(i + lane);
    }
  }
  float sum = std::accumulate(lanes.begin(), lanes.end(), 0.0F);
  for (std::int64_t i = whole; i < count; ++i) sum += term(i);
  return sum;
}

struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            double eps, at::ScalarType dtype) {
    const at::Tensor values = x.contiguous();
    const std::int64_t columns = values.size(1);
    at::Tensor out = at::empty(values.sizes(), values.options().dtype(dtype));
    at::Tensor inverse = at::empty({values.size(0)}, values.options());
    const auto* from = values.const_data_ptr<float>();
    const auto* factors = weight.const_data_ptr<float>();
    auto* inverses = inverse.mutable_data_ptr<float>();
    with_type(dtype, [&]<typename T>(T) {
      auto* to = out.mutable_data_ptr<T>();
      for_rows(values.size(0), [&](std::int64_t row) {
        const float* in = from + row * columns;
        const float squares = sum_of(columns, [in](std::int64_t i) { return in[i] * in[i]; });
        const float one_over =
            1.0F / std::sqrt(squares / static_cast<float>(columns) + static_cast<float>(eps));
        inverses[row] = one_over;
        for (std::int64_t i = 0; i < columns; ++i) {
          to[row * columns + i] = static_cast<T>(in[i] * one_over * factors[i]);
        }
      });
    });
    context->save_for_backward({values, weight, inverse});
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& values = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor& inverse = saved[2];
    const at::Tensor gradient = gradients[0].contiguous();
    const std::int64_t columns = values.size(1);
    at::Tensor to_x = at::empty_like(values);
    const auto* in = values.const_data_ptr<float>();
    const auto* factors = weight.const_data_ptr<float>();
    const auto* inverses = inverse.const_data_ptr<float>();
    auto* to = to_x.mutable_data_ptr<float>();
    with_type(gradient.scalar_type(), [&]<typename T>(T) {
      const auto* given = gradient.const_data_ptr<T>();
      for_rows(values.size(0), [&](std::int64_t row) {
        const std::int64_t first = row * columns;
        const float along = sum_of(columns, [=](std::int64_t i) {
          return static_cast<float>(given[first + i]) * factors[i] * in[first + i];
        });
        const float one_over = inverses[row];
        const float back = along * one_over * one_over * one_over / static_cast<float>(columns);
        for (std::int64_t i = 0; i < columns; ++i) {
          to[first + i] =
              static_cast<float>(given[first + i]) * factors[i] * one_over - in[first + i] * back;
        }
      });
    });
    at::Tensor to_weight;
    if (context->needs_input_grad(1)) {
      to_weight = (gradient.to(at::kFloat) * values * inverse.unsqueeze(1)).sum(0);
    }
    return {to_x, to_weight, {}, {}};
  }
};

/// Turns by the angle, or back. @param from  [rows, heads, 2 * half]
struct Turn {
  const float* cos;
  const float* sin;
  std::int64_t heads;
  std::int64_t half;
  float scale;
  float direction;  // 1 or -1

  template <typename From, typename To>
  void operator()(const From* from, To* to, std::int64_t row) const {
    const float* cosines = cos + row * half;
    const float* sines = sin + row * half;
    for (std::int64_t head = 0; head < heads; ++head) {
      const std::int64_t first = (row * heads + head) * 2 * half;
      for (std::int64_t i = 0; i < half; ++i) {
        const auto x = static_cast<float>(from[first + i]) * scale;
        const auto y = static_cast<float>(from[first + half + i]) * scale;
        const float sine = sines[i] * direction;
        to[first + i] = static_cast<To>(x * cosines[i] - y * sine);
        to[first + half + i] = static_cast<To>(y * cosines[i] + x * sine);
      }
    }
  }
};

/// The same in ATen's operations. @param x  [rows, heads, 2 * half]
at::Tensor turned(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin,
                  double direction) {
  const std::int64_t half = x.size(2) / 2;
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor first = wide.narrow(2, 0, half);
  const at::Tensor second = wide.narrow(2, half, half);
  const at::Tensor cosines = cos.unsqueeze(1);
  const at::Tensor sines = sin.unsqueeze(1);
  return at::cat({at::addcmul(first * cosines, second, sines, -direction),
                  at::addcmul(second * cosines, first, sines, direction)},
                 2);
}

struct RotateHalves : torch::autograd::Function<RotateHalves> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& cos,
                            const at::Tensor& sin, double scale) {
    context->save_for_backward({cos, sin});
    context->saved_data["scale"] = scale;
    context->saved_data["is_narrow"] = x.scalar_type() == at::kBFloat16;
    if (!x.is_cpu()) return turned(x, cos, sin, 1).mul_(scale);
    const at::Tensor values = x.contiguous();
    at::Tensor out = at::empty(values.sizes(), values.options().dtype(at::kFloat));
    const Turn turn = {cos.const_data_ptr<float>(), sin.const_data_ptr<float>(), values.size(1),
                       values.size(2) / 2,          static_cast<float>(scale),   1};
    auto* to = out.mutable_data_ptr<float>();
    with_type(values.scalar_type(), [&]<typename T>(T) {
      const auto* from = values.const_data_ptr<T>();
      for_rows(values.size(0), [&](std::int64_t row) { turn(from, to, row); });
    });
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::ScalarType dtype =
        context->saved_data["is_narrow"].toBool() ? at::kBFloat16 : at::kFloat;
    const double scale = context->saved_data["scale"].toDouble();
    if (!gradients[0].is_cpu()) {
      return {turned(gradients[0], saved[0], saved[1], -1).mul_(scale).to(dtype), {}, {}, {}};
    }
    const at::Tensor gradient = gradients[0].contiguous();
    at::Tensor to_x = at::empty(gradient.sizes(), gradient.options().dtype(dtype));
    const Turn turn = {saved[0].const_data_ptr<float>(),
                       saved[1].const_data_ptr<float>(),
                       gradient.size(1),
                       gradient.size(2) / 2,
                       static_cast<float>(scale),
                       -1};
    const auto* from = gradient.const_data_ptr<float>();
    with_type(dtype, [&]<typename T>(T) {
      auto* to = to_x.mutable_data_ptr<T>();
      for_rows(gradient.size(0), [&](std::int64_t row) { turn(from, to, row); });
    });
    return {to_x, {}, {}, {}};
  }
};

}  // namespace

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps,
                    at::ScalarType dtype) {
  if (!x.is_cpu()) return at::rms_norm(x, {x.size(1)}, weight, eps).to(dtype);
  return RmsNorm::apply(x, weight, eps, dtype);
}

at::Tensor rotate_halves(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin,
                         double scale) {
  return RotateHalves::apply(x, cos, sin, scale);
}

}  // namespace aitqe
