#pragma once

#include <cstddef>
#include <vector>

#include "aitqe/data/webdataset.h"
#include "aitqe/io/source.h"
#include "support/reference.h"

namespace aitqe::test {

/// The first pairs of examples/pairs-00000.tar.
inline std::vector<Sample> example_samples(std::size_t count) {
  const auto source = FileSource::open((source_dir() / "examples/pairs-00000.tar").string());
  LossLog losses;
  TarReader members(*source, losses);
  SampleReader samples(members);
  std::vector<Sample> taken;
  while (taken.size() < count) taken.push_back(samples.next().value());
  return taken;
}

}  // namespace aitqe::test
