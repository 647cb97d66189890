#pragma once

#include <string>

#include "aitqe/pipeline/enhance.h"

namespace aitqe::app {

/// Which part of the job this process does, from `--task-index` (a number, `auto`, or "" for all of
/// it) and `--task-count` (0: not given).
/// `auto` asks the scheduler: a Slurm array (SLURM_ARRAY_TASK_ID), a Kubernetes indexed Job
/// (JOB_COMPLETION_INDEX), or RANK and WORLD_SIZE. A count that is not given is the one that the
/// output folder was begun with, else WORLD_SIZE or the size of an array that starts at 0: a retry
/// of some tasks of an array has another size, and must not cut the job anew.
/// @throws Error(Usage) naming what is missing or out of range.
TaskShare read_task(const std::string& index, int count, const OutputFolder& output_folder);

}  // namespace aitqe::app
