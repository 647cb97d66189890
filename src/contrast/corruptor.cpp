#include "aitqe/contrast/corruptor.h"

#include <algorithm>
#include <functional>

#include "aitqe/base/ascii.h"
#include "word_lists.h"
#include "words.h"

namespace aitqe {

namespace {

using Spoiled = std::optional<SpoiledCaption>;

std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

/// Replaces one word for which `other` knows another; which one is random.
Spoiled swap_word(std::string_view text, Flaw flaw, Random& random,
                  const std::function<std::optional<std::string>(std::string_view)>& other) {
  std::vector<Word> words = words_of(text);
  random.shuffle(words);
  for (const Word& word : words) {
    const std::string_view spelled = word.in(text);
    if (const auto replacement = other(spelled)) {
      return SpoiledCaption{with_word(text, word, *replacement), flaw,
                            in_quotes(spelled) + " became " + in_quotes(*replacement)};
    }
  }
  return std::nullopt;
}

/// Cut between 30 and 70 % of its length, in the middle of a word more often than not.
Spoiled truncate(std::string_view text, Random& random) {
  constexpr std::size_t kShortestBytes = 12;
  if (text.size() < kShortestBytes || words_of(text).size() < 2) return std::nullopt;
  auto cut =
      static_cast<std::size_t>(static_cast<double>(text.size()) * (0.3 + 0.4 * random.unit()));
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U)
    --cut;  // no half characters
  const std::string_view rest = ascii::trim(text.substr(0, cut));
  if (rest.empty()) return std::nullopt;
  return SpoiledCaption{std::string(rest) + (random.below(3) == 0 ? "..." : ""), Flaw::Truncated,
                        "cut after " + std::to_string(cut) + " bytes"};
}

Spoiled shuffle_words(std::string_view text, Random& random) {
  constexpr std::size_t kFewestWords = 4;
  const std::vector<Word> words = words_of(text);
  if (words.size() < kFewestWords) return std::nullopt;
  std::vector<std::string> order;
  for (const Word& word : words) order.emplace_back(word.in(text));
  const std::vector<std::string> before = order;
  const bool all_equal =
      std::ranges::all_of(order, [&](const std::string& word) { return word == order.front(); });
  if (all_equal) return std::nullopt;
  while (order == before) random.shuffle(order);
  std::string joined;
  for (const std::string& word : order) joined += (joined.empty() ? "" : " ") + word;
  return SpoiledCaption{joined, Flaw::Shuffled, "words in another order"};
}

Spoiled add_boilerplate(std::string_view text, Random& random) {
  const std::string advert = boilerplate(random);
  switch (random.below(4)) {
    case 0:
      return SpoiledCaption{std::string(text) + " - " + advert, Flaw::Boilerplate,
                            "boilerplate behind the caption"};
    default:
      return SpoiledCaption{advert, Flaw::Boilerplate, "boilerplate instead of the caption"};
  }
}

}  // namespace

Spoiled Corruptor::spoil(const CaptionToSpoil& caption, Flaw flaw, Random& random) const {
  const std::string_view text = caption.text;
  const auto from_pool = [&](const std::optional<std::size_t>& index) -> Spoiled {
    if (!index) return std::nullopt;
    return SpoiledCaption{pool_.at(*index).text, flaw, "the caption of another picture"};
  };
  const auto low = [](std::string_view word) { return ascii::lower(word); };
  switch (flaw) {
    case Flaw::OtherImage:
      return from_pool(pool_.other(text, caption.group, random, caption.also_true));
    case Flaw::NearMiss:
      return from_pool(pool_.near(text, caption.group, random, caption.also_true));
    case Flaw::WrongObject:
      return swap_word(text, flaw, random,
                       [&](std::string_view word) { return other_object(low(word), random); });
    case Flaw::WrongColour:
      return swap_word(text, flaw, random,
                       [&](std::string_view word) { return other_colour(low(word), random); });
    case Flaw::WrongCount:
      return swap_word(text, flaw, random,
                       [&](std::string_view word) { return other_count(low(word), random); });
    case Flaw::WrongName:
      return swap_word(text, flaw, random,
                       [&](std::string_view word) -> std::optional<std::string> {
                         const std::string name(word);
                         if (!pool_.is_name(name)) return std::nullopt;
                         return pool_.other_name(name, random);
                       });
    case Flaw::Truncated:
      return truncate(text, random);
    case Flaw::Shuffled:
      return shuffle_words(text, random);
    case Flaw::AltTextJunk: {
      const auto real = random.below(2) == 0 ? pool_.junk(random) : std::nullopt;
      return SpoiledCaption{
          real ? pool_.at(*real).text : alt_text_junk(random), flaw,
          real ? "a generic caption of this input" : "a file name or placeholder"};
    }
    case Flaw::Boilerplate:
      return add_boilerplate(text, random);
    case Flaw::WrongLanguage:
      if (caption.translations.empty()) return std::nullopt;
      return SpoiledCaption{random.pick(caption.translations), flaw, "in another language"};
  }
  return std::nullopt;
}

Spoiled Corruptor::spoil(const CaptionToSpoil& caption, const FlawMix& mix, Random& random) const {
  for (const Flaw flaw : mix.order(random)) {
    auto spoiled = spoil(caption, flaw, random);
    if (spoiled && spoiled->text != caption.text) return spoiled;
  }
  return std::nullopt;
}

}  // namespace aitqe
