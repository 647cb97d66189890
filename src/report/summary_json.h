#pragma once

#include "aitqe/base/error.h"
#include "aitqe/report/summary.h"
#include "json_fields.h"

namespace aitqe {

/// The summary as a JSON object, alone or within NAME.aitqe.stats.json.
Json summary_object(const Summary& summary);
/// @throws Error(Damaged) naming what is wrong.
Summary summary_from_object(const Json& json);

}  // namespace aitqe
