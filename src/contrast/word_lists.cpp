#include "word_lists.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace aitqe {

namespace {

using Words = std::span<const std::string_view>;

constexpr std::array kColours = std::to_array<std::string_view>(
    {"red", "blue", "green", "yellow", "orange", "purple", "pink", "brown", "black", "white",
     "grey", "gray", "golden", "silver", "violet", "turquoise", "beige"});
constexpr std::array kNumbers =
    std::to_array<std::string_view>({"one", "two", "three", "four", "five", "six", "seven", "eight",
                                     "nine", "ten", "eleven", "twelve"});

// Things of one kind, so that the wrong one still reads well.
constexpr std::array kAnimals = std::to_array<std::string_view>(
    {"dog",     "cat",   "horse",  "cow",  "pig",       "sheep",  "goat",   "rabbit",
     "mouse",   "lion",  "tiger",  "bear", "wolf",      "fox",    "monkey", "elephant",
     "giraffe", "zebra", "camel",  "deer", "kangaroo",  "whale",  "shark",  "dolphin",
     "turtle",  "snake", "lizard", "frog", "crocodile", "penguin"});
constexpr std::array kBirdsAndInsects = std::to_array<std::string_view>(
    {"bird", "duck", "chicken", "owl", "eagle", "parrot", "swan", "butterfly", "bee", "ant",
     "spider", "beetle", "ladybug", "dragonfly", "snail", "heron", "rooster", "crab"});
constexpr std::array kFoods = std::to_array<std::string_view>(
    {"apple",    "banana",   "lemon",      "grape",  "strawberry", "pear",  "peach",
     "carrot",   "tomato",   "potato",     "onion",  "bread",      "cake",  "cookie",
     "pizza",    "sandwich", "cheese",     "egg",    "soup",       "salad", "corn",
     "mushroom", "pumpkin",  "watermelon", "cherry", "pineapple"});
constexpr std::array kVehicles = std::to_array<std::string_view>(
    {"car", "truck", "bus", "train", "bicycle", "motorcycle", "boat", "ship", "plane", "airplane",
     "helicopter", "rocket", "tractor", "taxi", "ambulance", "tram", "balloon", "submarine"});
constexpr std::array kClothes =
    std::to_array<std::string_view>({"shirt", "dress", "hat", "shoe", "boot", "glove", "scarf",
                                     "coat", "sock", "crown", "helmet", "belt", "skirt", "jacket"});
constexpr std::array kHousehold = std::to_array<std::string_view>(
    {"chair", "table", "lamp",  "bed",    "clock",  "mirror", "candle",   "cup",      "bottle",
     "plate", "spoon", "knife", "fork",   "basket", "box",    "key",      "umbrella", "vase",
     "pot",   "broom", "door",  "window", "pencil", "book",   "envelope", "scissor"});
constexpr std::array kDevices = std::to_array<std::string_view>(
    {"computer",  "phone",      "camera",  "printer", "keyboard",   "television", "radio",
     "telephone", "microphone", "speaker", "battery", "calculator", "robot",      "laptop",
     "monitor",   "sensor",     "motor",   "switch",  "capacitor",  "resistor",   "diode"});
constexpr std::array kTools = std::to_array<std::string_view>(
    {"hammer", "saw", "wrench", "screwdriver", "axe", "shovel", "ladder", "drill", "sword", "bow",
     "gun", "cannon", "shield", "anchor", "magnet", "bell", "flag"});
constexpr std::array kMusic = std::to_array<std::string_view>(
    {"guitar", "piano", "violin", "drum", "trumpet", "flute", "saxophone", "harp", "accordion"});
constexpr std::array kPeople = std::to_array<std::string_view>(
    {"man", "woman", "boy", "girl", "baby", "king", "queen", "doctor", "teacher", "farmer",
     "soldier", "clown", "pirate", "wizard", "knight", "dancer", "cook", "angel", "nurse"});
constexpr std::array kNature = std::to_array<std::string_view>(
    {"tree", "flower", "rose", "leaf", "mountain", "river", "lake", "beach", "desert", "forest",
     "island", "volcano", "waterfall", "cactus", "tulip", "sunflower", "rock", "cave"});
constexpr std::array kSky = std::to_array<std::string_view>(
    {"sun", "moon", "star", "cloud", "rain", "snow", "rainbow", "storm", "planet", "comet"});
constexpr std::array kBuildings = std::to_array<std::string_view>(
    {"house", "castle", "church", "tower", "bridge", "school", "hospital", "factory", "barn",
     "tent", "lighthouse", "temple", "palace", "windmill", "station"});
constexpr std::array kShapes =
    std::to_array<std::string_view>({"circle", "square", "triangle", "star", "heart", "arrow",
                                     "cross", "diamond", "hexagon", "spiral", "rectangle", "oval"});
constexpr std::array kBody = std::to_array<std::string_view>(
    {"hand", "eye", "ear", "nose", "mouth", "tooth", "leg", "arm", "finger", "head", "brain"});

const std::vector<Words>& kinds_of_things() {
  static const std::vector<Words> kinds = {
      kAnimals, kBirdsAndInsects, kFoods,  kVehicles, kClothes,   kHousehold, kDevices, kTools,
      kMusic,   kPeople,          kNature, kSky,      kBuildings, kShapes,    kBody};
  return kinds;
}

bool contains(Words words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string other_of(Words words, std::string_view word, Random& random) {
  std::string_view other = word;
  while (other == word) other = words[random.below(words.size())];
  return std::string(other);
}

constexpr std::array kPlaceholders = std::to_array<std::string_view>(
    {"image",        "photo",       "picture", "untitled", "logo",
     "icon",         "thumbnail",   "banner",  "null",     "no description",
     "alt text",     "img",         "spacer",  "default",  "Untitled-1",
     "New document", "placeholder", "graphic", "figure",   "image description",
     "undefined",    "clipart"});
constexpr std::array kNameStarts = std::to_array<std::string_view>(
    {"IMG_", "DSC0", "DSCN", "P10", "image", "photo-", "Screenshot_", "scan", "pic", "PICT",
     "untitled-", "20190", "WP_", "file", "tmp"});
constexpr std::array kExtensions =
    std::to_array<std::string_view>({".jpg", ".JPG", ".png", ".jpeg", ".gif", ".svg", "", ""});
constexpr std::array kBoilerplate = std::to_array<std::string_view>(
    {"Click to enlarge", "Buy now with free shipping on all orders",
     "Image may be subject to copyright", "All rights reserved", "Follow us for more pictures",
     "Free download, high resolution", "Share this on your social media",
     "Add to cart - 20% off this week only", "Sign up for our newsletter",
     "Royalty free stock images and vectors", "See more ideas about design, art and crafts",
     "Posted in Uncategorized. Leave a comment", "Best price guaranteed, order today",
     "Related products you may also like", "Copyright by the author. Do not copy",
     "View full size image", "Download this free clip art for your projects",
     "Home > Gallery > Images > Page 3"});

}  // namespace

std::optional<std::string> other_colour(std::string_view word, Random& random) {
  if (!contains(kColours, word)) return std::nullopt;
  return other_of(kColours, word, random);
}

std::optional<std::string> other_count(std::string_view word, Random& random) {
  if (contains(kNumbers, word)) return other_of(kNumbers, word, random);
  const bool is_small_number =
      !word.empty() && word.size() <= 2 && word[0] != '0' &&
      std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_small_number) return std::nullopt;
  const int number = std::stoi(std::string(word));
  const int changed = number + random.between(1, 5) * (number > 5 && random.below(2) == 0 ? -1 : 1);
  return std::to_string(changed);
}

std::optional<std::string> other_object(std::string_view word, Random& random) {
  const bool is_plural = word.ends_with('s');
  const std::string_view singular = is_plural ? word.substr(0, word.size() - 1) : word;
  for (const Words kind : kinds_of_things()) {
    if (contains(kind, word)) return other_of(kind, word, random);
    if (is_plural && contains(kind, singular)) return other_of(kind, singular, random) + "s";
  }
  return std::nullopt;
}

std::string alt_text_junk(Random& random) {
  if (random.below(2) == 0) return std::string(kPlaceholders[random.below(kPlaceholders.size())]);
  return std::string(kNameStarts[random.below(kNameStarts.size())]) +
         std::to_string(random.between(10, 99'999)) +
         std::string(kExtensions[random.below(kExtensions.size())]);
}

std::string boilerplate(Random& random) {
  return std::string(kBoilerplate[random.below(kBoilerplate.size())]);
}

}  // namespace aitqe
