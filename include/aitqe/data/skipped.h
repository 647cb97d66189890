#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "aitqe/base/error.h"

namespace aitqe {

/// Samples that were of no use, by reason. One thread.
class Skipped {
 public:
  struct Reason {
    std::int64_t count = 0;
    std::string example;  ///< of the first: `SHARD/KEY: bad_json: ...`
  };

  /// @param where  SHARD/KEY
  void add(const std::string& where, const SampleError& error);

  bool empty() const { return by_code_.empty(); }
  std::int64_t count() const;
  /// By SampleError::code.
  const std::map<std::string, Reason>& by_code() const { return by_code_; }
  /// Code to count.
  std::map<std::string, std::int64_t> counts() const;
  /// A line for each reason, its example behind it; "" when there is none.
  /// @param what  begins every line: "  skipped: "
  std::string render(const std::string& what) const;

 private:
  std::map<std::string, Reason> by_code_;
};

}  // namespace aitqe
