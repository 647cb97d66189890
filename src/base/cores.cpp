#include "aitqe/base/cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace aitqe {

namespace {

namespace fs = std::filesystem;

/// Of one group, as `cpu.max` grants it: "max 100000" or "150000 100000", in microseconds.
double granted_to(const fs::path& group, double without_limit) {
  std::ifstream file(group / "cpu.max");
  std::string quota;
  double period_us = 0;
  if (!(file >> quota >> period_us) || quota == "max" || period_us <= 0) return without_limit;
  return std::min(without_limit, std::strtod(quota.c_str(), nullptr) / period_us);
}

}  // namespace

double granted_cores(const fs::path& hierarchy, const fs::path& membership, double without_limit) {
  std::ifstream groups(membership);
  double granted = without_limit;
  for (std::string line; std::getline(groups, line);) {
    if (!line.starts_with("0::/")) continue;  // another is of version 1
    fs::path below = fs::path(line.substr(4)).lexically_normal();
    while (true) {
      granted = granted_to(hierarchy / below, granted);
      if (below.empty()) break;
      below = below.parent_path();
    }
  }
  return granted;
}

int usable_cores() {
  int cores = static_cast<int>(std::thread::hardware_concurrency());
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) cores = CPU_COUNT(&mask);
  const double granted = granted_cores("/sys/fs/cgroup", "/proc/self/cgroup", std::max(1, cores));
  return std::max(1, static_cast<int>(std::ceil(granted)));
}

}  // namespace aitqe
