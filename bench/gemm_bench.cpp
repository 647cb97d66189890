// How fast matrices of a checkpoint's shapes are multiplied on this machine: by our kernels, and by
// libtorch as the ceiling. Every benchmark takes turns among copies of its weight that together
// outgrow the caches, as the layers of a model do.
//
//   gemm_bench --m 2048,16 --weights 4864x896,896x4864 --threads 2 [--benchmark_out=FILE ...]
//
// Names are IMPLEMENTATION/DTYPE/m:M/n:N/k:K, with N outputs and K inputs; the counter "GFLOP/s"
// counts 2 M N K.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <benchmark/benchmark.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "aitqe/kernels/gemm.h"

namespace {

using aitqe::ThreadPool;
using aitqe::kernels::GemmWeight;

struct Shape {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
};

/// Multiplies once with the copy of the weight that has this index.
using Multiply = std::function<void(std::size_t)>;

/// @param num_copies  weights to hold  @return something that multiplies with any of them
using Prepare = std::function<Multiply(const Shape&, at::ScalarType, std::size_t num_copies)>;

struct Implementation {
  const char* name;
  Prepare prepare;
};

at::Tensor draw(at::IntArrayRef shape, at::ScalarType dtype) {
  return at::randn(shape).to(dtype).contiguous();
}

std::vector<at::Tensor> draw_weights(const Shape& shape, at::ScalarType dtype,
                                     std::size_t num_copies) {
  std::vector<at::Tensor> weights(num_copies);
  for (at::Tensor& weight : weights) weight = draw({shape.n, shape.k}, dtype);
  return weights;
}

/// GemmWeight as nn::Linear uses it: rows of f32 in and out, weights packed ahead.
/// @param in_int8  whatever the dtype of the weights
Implementation ours(ThreadPool& pool, bool in_int8) {
  const auto prepare = [&pool, in_int8](const Shape& shape, at::ScalarType dtype,
                                        std::size_t num_copies) {
    const bool is_bf16 = dtype == at::kBFloat16;
    const auto compute = in_int8   ? aitqe::kernels::Compute::Int8
                         : is_bf16 ? aitqe::kernels::Compute::BF16
                                   : aitqe::kernels::Compute::F32;
    auto weights = std::make_shared<std::vector<GemmWeight>>();
    for (std::size_t i = 0; i < num_copies; ++i) {
      const at::Tensor stored = draw({shape.n, shape.k}, dtype);
      weights->emplace_back(aitqe::kernels::WeightView{stored.const_data_ptr(),
                                                       is_bf16 ? aitqe::kernels::ScalarType::BF16
                                                               : aitqe::kernels::ScalarType::F32,
                                                       shape.n, shape.k},
                            compute, aitqe::kernels::Packing::Ahead, nullptr, pool);
    }
    const at::Tensor x = draw({shape.m, shape.k}, at::kFloat);
    const at::Tensor y = at::empty({shape.m, shape.n}, at::kFloat);
    return [&pool, weights, x, y, shape, compute](std::size_t copy) {
      const aitqe::kernels::GemmRows rows(x.const_data_ptr<float>(), shape.m, shape.k, compute,
                                          pool);
      (*weights)[copy].multiply(rows, nullptr, aitqe::kernels::Activation::None,
                                {y.mutable_data_ptr(), aitqe::kernels::ScalarType::F32, shape.n},
                                pool);
    };
  };
  return {in_int8 ? "ours_int8" : "ours", prepare};
}

/// What any libtorch program calls: oneDNN in bf16, MKL in f32.
Implementation linear() {
  const auto prepare = [](const Shape& shape, at::ScalarType dtype, std::size_t num_copies) {
    const std::vector<at::Tensor> weights = draw_weights(shape, dtype, num_copies);
    const at::Tensor x = draw({shape.m, shape.k}, dtype);
    return [weights, x](std::size_t copy) {
      benchmark::DoNotOptimize(at::linear(x, weights[copy]).const_data_ptr());
    };
  };
  return {"linear", prepare};
}

/// What torch.compile makes of a frozen linear layer: oneDNN with the weight reordered for M rows.
Implementation packed_linear() {
  const auto prepare = [](const Shape& shape, at::ScalarType dtype, std::size_t num_copies) {
    auto& dispatcher = c10::Dispatcher::singleton();
    const auto reorder = dispatcher.findSchemaOrThrow("mkldnn::_reorder_linear_weight", "")
                             .typed<at::Tensor(const at::Tensor&, std::optional<std::int64_t>)>();
    const auto multiply = dispatcher.findSchemaOrThrow("mkldnn::_linear_pointwise", "")
                              .typed<at::Tensor(const at::Tensor&, const at::Tensor&,
                                                const std::optional<at::Tensor>&, c10::string_view,
                                                c10::List<std::optional<at::Scalar>>,
                                                std::optional<c10::string_view>)>();
    std::vector<at::Tensor> weights = draw_weights(shape, dtype, num_copies);
    for (at::Tensor& weight : weights) weight = reorder.call(weight, shape.m);
    const at::Tensor x = draw({shape.m, shape.k}, dtype);
    return [weights, x, multiply](std::size_t copy) {
      benchmark::DoNotOptimize(multiply
                                   .call(x, weights[copy], std::nullopt, "none",
                                         c10::List<std::optional<at::Scalar>>(), "")
                                   .const_data_ptr());
    };
  };
  return {"packed_linear", prepare};
}

/// Google Benchmark calls a benchmark several times to find how long it takes: what it needs is
/// made once, and dropped when the next benchmark begins.
class Prepared {
 public:
  const Multiply& get(const std::string& name, const std::function<Multiply()>& prepare) {
    if (name != name_) {
      multiply_ = nullptr;  // first, so that two are never held
      multiply_ = prepare();
      name_ = name;
    }
    return multiply_;
  }

 private:
  std::string name_;
  Multiply multiply_;
};

void add_benchmark(const Implementation& implementation, at::ScalarType dtype, const Shape& shape,
                   std::size_t num_copies, std::shared_ptr<Prepared> prepared) {
  const std::string name = std::string(implementation.name) + "/" +
                           (dtype == at::kFloat ? "f32" : "bf16") +
                           "/m:" + std::to_string(shape.m) + "/n:" + std::to_string(shape.n) +
                           "/k:" + std::to_string(shape.k);
  const auto run = [=, prepare = implementation.prepare](benchmark::State& state) {
    const c10::InferenceMode no_gradients;
    const Multiply& multiply =
        prepared->get(name, [&] { return prepare(shape, dtype, num_copies); });
    multiply(0);
    std::size_t copy = 0;
    for (auto _ : state) {
      multiply(copy);
      copy = copy + 1 == num_copies ? 0 : copy + 1;
    }
    const double gflop = 2e-9 * static_cast<double>(shape.m * shape.n * shape.k);
    state.counters["GFLOP/s"] =
        benchmark::Counter(gflop, benchmark::Counter::kIsIterationInvariantRate);
  };
  benchmark::RegisterBenchmark(name.c_str(), run)->UseRealTime();
}

struct Options {
  std::vector<std::int64_t> rows;
  std::vector<std::string> weights;  ///< each NxK
  std::vector<std::string> dtypes = {"f32", "bf16"};
  bool int8 = false;
  int threads = 1;
  /// Copies of a weight take this many bytes together at least.
  double cache_mb = 128;
};

Shape parse_weight(const std::string& text) {
  Shape shape;
  if (std::sscanf(text.c_str(), "%ldx%ld", &shape.n, &shape.k) != 2 || shape.n < 1 || shape.k < 1) {
    throw CLI::ValidationError("--weights " + text, "expected NxK");
  }
  return shape;
}

void add_benchmarks(const Options& options, ThreadPool& pool) {
  const auto prepared = std::make_shared<Prepared>();
  for (const std::string& dtype_name : options.dtypes) {
    const at::ScalarType dtype = dtype_name == "f32" ? at::kFloat : at::kBFloat16;
    for (const std::string& weight : options.weights) {
      Shape shape = parse_weight(weight);
      const auto bytes =
          static_cast<double>(shape.n * shape.k) * static_cast<double>(at::elementSize(dtype));
      const auto num_copies = static_cast<std::size_t>(options.cache_mb * 1e6 / bytes) + 1;
      for (const std::int64_t rows : options.rows) {
        shape.m = rows;
        std::vector<Implementation> implementations{ours(pool, false), linear(), packed_linear()};
        if (options.int8) implementations.push_back(ours(pool, true));
        for (const Implementation& implementation : implementations) {
          add_benchmark(implementation, dtype, shape, num_copies, prepared);
        }
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);  // takes its own options out of argv
  Options options;
  CLI::App app("GEMM rates of our kernels and of libtorch");
  app.add_option("--m", options.rows, "Rows")->delimiter(',')->required();
  app.add_option("--weights", options.weights, "Outputs x inputs")->delimiter(',')->required();
  app.add_option("--dtypes", options.dtypes, "f32, bf16")
      ->delimiter(',')
      ->check(CLI::IsMember({"f32", "bf16"}));
  app.add_flag("--int8", options.int8, "Ours in whole numbers of 8 bits too, as ours_int8");
  app.add_option("--threads", options.threads, "Of ours and of libtorch")
      ->check(CLI::PositiveNumber);
  app.add_option("--cache-mb", options.cache_mb, "Copies of a weight take this much together");
  try {
    app.parse(argc, argv);
    at::set_num_threads(options.threads);
    ThreadPool pool(options.threads);
    add_benchmarks(options, pool);
    benchmark::RunSpecifiedBenchmarks();
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gemm_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
