#pragma once

#include <string>

#include "aitqe/pipeline/enhance.h"
#include "aitqe/pipeline/forecast.h"
#include "aitqe/pipeline/loaded_model.h"
#include "aitqe/pipeline/progress.h"
#include "aitqe/report/preview.h"

namespace aitqe {

struct DryRunOptions {
  /// Time that pairs are tried for, to tell the rate.
  double measure_s = 20;
  bool with_images = false;  ///< for the page
};

/// What a run would take and do.
struct DryRun {
  Forecast forecast;
  Preview preview;
};

/// Runs the pipeline over some pairs and keeps nothing of it but what is returned. Without
/// sampling the preview is of the pairs that were tried for the forecast. With a sampling rate
/// below 1 it is of all pairs that are drawn, in every shard that is left to do, so that shares
/// hold for the whole; the forecast is of the run over all pairs, whose number is then known.
/// @throws Error(NoInput) when no pair was found or drawn; Error(Resumable) when stopped;
///         Error(Usage) as survey_input.
DryRun dry_run(const EnhanceOptions& options, const LoadedModel& model,
               const DryRunOptions& dry_run_options, Progress& progress);

/// `aitqe.forecast/2` (docs/formats.md): one JSON object, without a newline.
std::string dry_run_to_json(const DryRun& found);

}  // namespace aitqe
