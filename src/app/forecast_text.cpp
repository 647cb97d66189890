#include "forecast_text.h"

#include "aitqe/base/duration.h"
#include "aitqe/base/log.h"

namespace aitqe::app {

std::string render_forecast(const Forecast& forecast) {
  return formatted(
      "forecast    about %.0f pairs at %.3g pairs/s: %s and %.1f s for loading; %ld pairs of %ld "
      "shards were timed\n",
      forecast.pairs_expected, forecast.pairs_per_s, duration_text(forecast.run_s).c_str(),
      forecast.load_s, forecast.pairs_measured, forecast.shards_measured);
}

}  // namespace aitqe::app
