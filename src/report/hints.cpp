#include "aitqe/report/hints.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "cells.h"

namespace aitqe {
namespace {

constexpr std::array kHints = std::to_array<Hint>({
    // stage "sample"
    {"duplicate_suffix", "two members of one sample have the same suffix",
     "write the shard again with one member a suffix"},
    {"duplicate_key", "a key comes a second time in its shard",
     "give every sample a key of its own"},
    {"key_differs_by_case", "two keys differ in the case of their letters alone",
     "rename one: some loaders and file systems take them for one"},
    {"dotted_key_merge", "keys with dots make several samples one",
     "write the shard again with keys without dots"},
    {"several_images", "a sample has more than one image", "leave one image in each sample"},
    {"several_captions", "a sample has more than one caption", "leave one `txt` in each sample"},
    {"split_sample", "a sample has more members or bytes than are held together",
     "look at the shard: no pair is so large"},
    // stage "caption"
    {"no_caption", "no member or field holds the caption",
     "say where captions are (--caption-from txt or json:FIELD)"},
    {"bad_json", "the json member, or the caption's field, cannot be read",
     "mend the json, or take the caption from txt (--caption-from)"},
    {"injection_suspect", "the caption may speak to the judge (--on-injection fail)",
     "look at injection_sign of the rows; --on-injection judge or keep lets them through"},
    // stage "image"
    {"no_image", "the sample has no image", "look for images under another suffix"},
    {"empty_image", "the image has no bytes", "fetch it again"},
    {"not_an_image", "the bytes are no image, often an error page of a server", "fetch it again"},
    {"unsupported_image", "a format or variant that is not read",
     "convert it to JPEG, PNG, WebP, GIF or BMP"},
    {"truncated_image", "the image ends early", "fetch it again"},
    {"broken_image", "the image's data contradict themselves", "fetch it again"},
    {"image_too_large", "the image is beyond a limit",
     "raise --max-side-px, --max-pixels or --max-encoded-bytes if you trust it"},
    // stage "prompt"
    {"prompt_too_long", "the caption makes a longer prompt than is allowed",
     "raise --max-prompt-tokens, up to what the model has positions for"},
    {"reference_refuses", "the reference refuses such a caption",
     "leave --reference-specials away: the caption is then ordinary text"},
    // stage "generate"
    {"nan_logits", "the model gave no numbers",
     "try --dtype f32; if it goes away, the model overflows in the other type"},
    {"too_many_tokens", "the answer outgrew its place", "a bug: please report it"},
    // stage "answer"
    {"answer_unreadable", "the model's answer is none",
     "look at `answer` of the rows; a fine-tune may need its own aitqe.json"},
    {"answer_cut", "the model's answer ends before its score",
     "raise --max-new-tokens, unless `answer` of the rows goes round in circles"},
    // damage of shards
    {"truncated_input", "the tar ends early", "fetch or write the shard again"},
    {"bad_header", "a part of the tar cannot be read", "fetch or write the shard again"},
    {"data_after_end_marker", "there are data behind the end of the tar",
     "see --joined-archives; zeros in the middle are a hole: fetch the shard again"},
    {"member_too_large", "a member is larger than 1 GiB", "no image is: look at the shard"},
    {"expansion_limit", "a compressed shard expands beyond all measure",
     "decompress it yourself if you trust it"},
    {"source_failed", "the shard could not be read to its end",
     "look at the log for disk, command or server, or fetch a broken .tar.gz again; the same "
     "command does the shard again"},
});

struct Found {
  std::string kind;  ///< as it is shown
  std::string code;
  std::int64_t count = 0;
  const char* unit;
  const char* verb;
};

/// Failures by pairs and damages by places, most frequent first.
std::vector<Found> all_kinds(const Summary& summary) {
  std::vector<Found> found;
  for (const auto& [kind, count] : summary.failures) {
    const std::size_t colon = kind.find(": ");
    found.push_back({kind, colon == std::string::npos ? kind : kind.substr(colon + 2), count,
                     "pair", "failed"});
  }
  std::map<std::string, std::int64_t> damages;
  for (const ShardDamage& damage : summary.damage) ++damages[damage.kind];
  for (const auto& [kind, count] : damages) {
    found.push_back({kind, kind, count, "place", "damaged"});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Found& a, const Found& b) { return a.count > b.count; });
  return found;
}

}  // namespace

std::span<const Hint> hints() { return kHints; }

const Hint* find_hint(std::string_view code) {
  const auto* found = std::find_if(kHints.begin(), kHints.end(),
                                   [code](const Hint& hint) { return hint.code == code; });
  return found == kHints.end() ? nullptr : found;
}

std::vector<std::string> problem_lines(const Summary& summary, std::size_t most) {
  constexpr std::size_t kLongestKind = 60;
  const std::vector<Found> found = all_kinds(summary);
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < std::min(found.size(), most); ++i) {
    const Found& kind = found[i];
    std::string line = grouped(kind.count) + " " + kind.unit + (kind.count == 1 ? " " : "s ") +
                       kind.verb + ", " +
                       name_cell(kind.kind, std::min(kind.kind.size(), kLongestKind));
    if (const Hint* hint = find_hint(kind.code)) {
      line += ": " + std::string(hint->what) + " -> " + std::string(hint->advice);
    }
    lines.push_back(std::move(line));
  }
  if (found.size() > most) {
    const auto left = static_cast<std::int64_t>(found.size() - most);
    lines.push_back("and " + grouped(left) + " more kind" + (left == 1 ? "" : "s") +
                    "; `aitqe report` and --json list all");
  }
  return lines;
}

}  // namespace aitqe
