#include "aitqe/text/tokenizer.h"

#include "added_tokens.h"
#include "aitqe/base/error.h"
#include "aitqe/text/bpe.h"
#include "aitqe/text/split.h"
#include "aitqe/text/unicode.h"
#include "token_table.h"
#include "tokenizer_files.h"

namespace aitqe {
namespace {

/// Tokens that are looked for in normalized text, spelt as they stand there.
std::vector<AddedToken> as_found(std::vector<AddedToken> tokens, bool normalizes) {
  for (AddedToken& token : tokens) {
    if (normalizes && token.normalized) token.content = nfc(token.content);
  }
  return tokens;
}

TokenizerFiles read_files(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "tokenizer.json";
  std::error_code failure;
  const bool is_there = std::filesystem::exists(file, failure);
  return is_there ? read_tokenizer_json(file) : read_tokenizer_folder(folder);
}

Splitter make_splitter(const TokenizerFiles& files) {
  try {
    return Splitter(files.split);
  } catch (const Error& failure) {
    refuse_file(files.vocabulary_file, failure.what());
  }
}

}  // namespace

struct Tokenizer::State {
  explicit State(const TokenizerFiles& files)
      : normalizes(files.nfc),
        table(files),
        cutter(as_found(table.added(), files.nfc)),
        splitter(make_splitter(files)),
        bpe(make_bpe_rules(files, table)) {}

  const bool normalizes;
  const TokenTable table;
  const AddedTokenCutter cutter;
  const Splitter splitter;
  const Bpe bpe;
};

Tokenizer Tokenizer::load(const std::filesystem::path& folder) {
  return Tokenizer(std::make_shared<const State>(read_files(folder)));
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, SpecialTokens specials) const {
  if (!is_valid_utf8(text)) throw Error(ErrorCategory::Bug, "Tokenizer::encode: not UTF-8");
  const std::string normalized = state_->normalizes ? nfc(text) : std::string();
  if (state_->normalizes) text = normalized;
  std::vector<std::int32_t> ids;
  const auto add_words = [&](std::string_view piece) {
    state_->splitter.for_each_word(piece, [&](std::string_view word) {
      const std::vector<std::int32_t> word_ids = state_->bpe.encode(word);
      ids.insert(ids.end(), word_ids.begin(), word_ids.end());
    });
  };
  if (specials == SpecialTokens::AsText) {
    add_words(text);
    return ids;
  }
  for (const TextPiece& piece : state_->cutter.cut(text)) {
    if (piece.id.has_value()) {
      ids.push_back(*piece.id);
    } else {
      add_words(piece.text);
    }
  }
  return ids;
}

std::optional<std::int32_t> Tokenizer::token_id(std::string_view content) const {
  const std::int32_t id = state_->table.find(content);
  return id == BpeRules::kNoId ? std::nullopt : std::optional(id);
}

std::string_view Tokenizer::token_bytes(std::int32_t id) const { return state_->table.bytes(id); }

bool Tokenizer::is_special(std::int32_t id) const { return state_->table.is_special(id); }

std::int32_t Tokenizer::size() const { return state_->table.size(); }

std::vector<std::string> Tokenizer::special_tokens() const {
  std::vector<std::string> tokens;
  for (std::int32_t id = 0; id < size(); ++id) {
    if (is_special(id)) tokens.emplace_back(token_bytes(id));
  }
  return tokens;
}

}  // namespace aitqe
