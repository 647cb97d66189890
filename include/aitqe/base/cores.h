#pragma once

#include <filesystem>

namespace aitqe {

/// Cores that this process may keep busy: those of its affinity mask, and no more than the
/// processor time that its cgroup (version 2; a container's, a job's) grants. At least 1.
int usable_cores();

/// The processor time of a process in cores, as version 2 of cgroups grants it: the least of what
/// its group and those around it say.
/// @param hierarchy   where groups are mounted: /sys/fs/cgroup
/// @param membership  in what group the process is: /proc/self/cgroup
/// @return  `without_limit` where no group sets a lower one, or no file says so
double granted_cores(const std::filesystem::path& hierarchy,
                     const std::filesystem::path& membership, double without_limit);

}  // namespace aitqe
