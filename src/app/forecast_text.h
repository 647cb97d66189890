#pragma once

#include <string>

#include "aitqe/pipeline/forecast.h"

namespace aitqe::app {

/// For people: a line on pairs, rate and time, and one on what was tried.
std::string render_forecast(const Forecast& forecast);

}  // namespace aitqe::app
