#include "app/forecast_text.h"

#include <gtest/gtest.h>

namespace aitqe::app {
namespace {

TEST(RenderForecast, TellsPairsRateTimeAndWhatWasTried) {
  Forecast forecast;
  forecast.pairs_measured = 250;
  forecast.shards_measured = 3;
  forecast.pairs_expected = 75300.2;
  forecast.pairs_per_s = 10;
  forecast.load_s = 1.25;
  forecast.run_s = 7530;
  EXPECT_EQ(render_forecast(forecast),
            "forecast    about 75300 pairs at 10 pairs/s: 2h 05m and 1.2 s for loading; 250 pairs "
            "of 3 shards were timed\n");
}

}  // namespace
}  // namespace aitqe::app
