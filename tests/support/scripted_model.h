#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "aitqe/engine/guide.h"
#include "aitqe/text/tokenizer.h"

namespace aitqe::test {

/// A model that knows a few answers and how likely each is: after any beginning, a token has the
/// weight of the answers that go on with it.
class ScriptedModel {
 public:
  ScriptedModel(std::shared_ptr<const Tokenizer> tokenizer,
                const std::vector<std::pair<std::string, double>>& answers)
      : tokenizer_(std::move(tokenizer)) {
    for (const auto& [text, weight] : answers) {
      answers_.emplace_back(tokenizer_->encode(text, SpecialTokens::AsText), weight);
      answers_.back().first.push_back(end_id());
    }
  }

  std::int32_t end_id() const { return *tokenizer_->token_id("<|endoftext|>"); }

  /// Lets a guide speak until it is finished, as the engine would.
  /// @return the most tokens that ever lay behind the prompt, looks ahead and guesses included.
  std::int64_t run(Guide& guide) {
    std::vector<std::int32_t> kept;
    std::vector<std::vector<float>> rows{logits_after(kept)};
    for (const std::int32_t id : guide.look_ahead()) {
      kept.push_back(id);
      rows.push_back(logits_after(kept));
    }
    std::size_t most_tokens = kept.size();
    while (true) {
      std::vector<float> flat;
      for (const auto& row : rows) flat.insert(flat.end(), row.begin(), row.end());
      const auto num_rows = static_cast<std::int64_t>(rows.size());
      const auto feed = guide.next({flat.data(), num_rows, tokenizer_->size()});
      if (!feed) return static_cast<std::int64_t>(most_tokens);
      if (feed->from != Feed::From::Here) kept.clear();
      kept.resize(kept.size() - static_cast<std::size_t>(feed->num_forgotten));
      ++num_steps_;
      std::vector<std::int32_t> seen = kept;
      rows.clear();
      for (const std::int32_t id : feed->tokens) {
        seen.push_back(id);
        rows.push_back(logits_after(seen));
      }
      if (feed->num_logits > 0) {
        rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(feed->num_logits));
      }
      most_tokens = std::max(most_tokens, seen.size());
      if (feed->keep) kept = seen;
    }
  }

  /// Feeds that were run.
  int num_steps() const { return num_steps_; }

 private:
  std::vector<float> logits_after(const std::vector<std::int32_t>& beginning) const {
    constexpr double kNever = 1e-12;
    std::vector<double> weights(static_cast<std::size_t>(tokenizer_->size()), kNever);
    for (const auto& [ids, weight] : answers_) {
      const bool goes_on = ids.size() > beginning.size() &&
                           std::equal(beginning.begin(), beginning.end(), ids.begin());
      if (goes_on) weights[static_cast<std::size_t>(ids[beginning.size()])] += weight;
    }
    std::vector<float> logits;
    for (const double weight : weights) logits.push_back(static_cast<float>(std::log(weight)));
    return logits;
  }

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::vector<std::pair<std::vector<std::int32_t>, double>> answers_;
  int num_steps_ = 0;
};

}  // namespace aitqe::test
