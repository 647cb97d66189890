#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

namespace aitqe {

/// What a body of captions is like, in memory that does not grow with it. A word is a run of
/// characters between ASCII white space, ASCII letters in lower case. Words and pairs of adjacent
/// words are counted in 2^20 hashed places: where there are many different ones some share a place,
/// so entropies are lower bounds, at most 20 bits. Adding and merging in any order gives the same.
class CaptionStatistics {
 public:
  CaptionStatistics();

  void add(std::string_view caption);
  void merge(const CaptionStatistics& other);

  std::int64_t captions() const { return captions_; }
  /// 0 without captions.
  double mean_words() const;
  double mean_characters() const;  ///< code points
  /// Different words, estimated from the places taken (linear counting; within about 1 % up to a
  /// million of them).
  std::int64_t vocabulary() const;
  double word_entropy_bits() const;
  double word_pair_entropy_bits() const;
  /// Captions, of all, whose very text another caption has too. Exact up to 2^17 different
  /// captions, beyond that estimated from a share of them chosen by hash.
  double repeated_share() const;
  /// Different names and numbers (find_facts of rewrite_guard.h), estimated as the vocabulary is.
  std::int64_t facts() const;

  /// Jensen-Shannon divergence of the words of two bodies: 0 for equal shares of each word, 1 for
  /// none in common. 0 when either is empty.
  static double word_divergence_bits(const CaptionStatistics& a, const CaptionStatistics& b);
  static constexpr std::uint64_t kAnyWord = ~std::uint64_t{0};
  static constexpr std::uint64_t kRareWord = 2;  ///< times that a rare word stands at most
  /// Of the different words of `before` that stand there at most `most_often` times, the share that
  /// stands nowhere in `after`. 0 where there is no such word.
  static double lost_words_share(const CaptionStatistics& before, const CaptionStatistics& after,
                                 std::uint64_t most_often);
  /// The same of names and numbers; case and the punctuation around them do not count.
  static double lost_facts_share(const CaptionStatistics& before, const CaptionStatistics& after);

 private:
  using Counts = std::vector<std::uint64_t>;
  static double entropy_bits(const Counts& counts);
  void shrink_captions_seen();

  std::int64_t captions_ = 0;
  std::int64_t words_ = 0;
  std::int64_t characters_ = 0;
  Counts word_counts_;
  Counts pair_counts_;
  /// Places of names and numbers, and of all words without the punctuation around them.
  std::vector<bool> facts_;
  std::vector<bool> bare_words_;
  /// Captions whose hash ends in `hash_zero_bits_` zeros -> how often.
  std::map<std::uint64_t, std::uint64_t> captions_seen_;
  int hash_zero_bits_ = 0;
};

}  // namespace aitqe
