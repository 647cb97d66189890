#pragma once

#include "aitqe/report/row.h"

namespace aitqe {

/// A rewritten pair with every column set to something of its own.
inline ReportRow sample_row() {
  ReportRow row;
  row.key = "000347";
  row.shard = "00012.tar";
  row.index = 347;
  row.caption = "a cat";
  row.caption_out = "A brown dog on grass.";
  row.decision = Decision::Rewrite;
  row.reason = "model_rewrites";
  row.recaption = " A brown dog on grass. ";
  row.scores = {2.0, 3.0, 2.5, 4.0, 5.0, 6.0};
  row.score_expected = 2.25;
  row.score_forced = 2.125;
  row.score_recaption = 7.5;
  row.p_rewrite = 0.875;
  row.explanations = {"o", "t", "i", "d", "s", "c"};
  row.image = {640, 480, "jpeg", "aa"};
  row.caption_present = true;
  row.caption_sha256 = "bb";
  row.special_token_in_caption = true;
  row.injection_suspect = true;
  row.injection_sign = "special_token";
  row.uid = "u1";
  row.url = "http://example.com/a.jpg";
  row.answer = "{";
  row.answer_problems = "cut; missing_score";
  row.failure = {"stage", "code: words"};
  return row;
}

/// A kept pair with nothing but what every pair has.
inline ReportRow bare_row() {
  ReportRow row;
  row.key = "k";
  row.shard = "s";
  row.reason = "model_keeps";
  return row;
}

}  // namespace aitqe
