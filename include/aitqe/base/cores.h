#pragma once

namespace aitqe {

/// Cores that this process may keep busy: those of its affinity mask, and no more than the
/// processor time that its cgroup (version 2; a container's, a job's) grants. At least 1.
int usable_cores();

}  // namespace aitqe
