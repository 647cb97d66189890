#include "token_table.h"

#include <algorithm>

namespace aitqe {
namespace {

// Bytes that no UTF-8 text holds.
bool is_in_utf8(int byte) { return byte < 0xC0 || (byte >= 0xC2 && byte <= 0xF4); }

std::string quote(std::string_view text) { return "\"" + std::string(text) + "\""; }

}  // namespace

TokenTable::TokenTable(const TokenizerFiles& files) {
  std::int32_t highest = -1;
  for (const auto& [token, id] : files.vocabulary) highest = std::max(highest, id);
  for (const AddedToken& token : files.added) highest = std::max(highest, token.id);
  entries_.resize(static_cast<std::size_t>(highest) + 1);
  add_vocabulary(files);
  add_added_tokens(files);
  mark_named_special(files);
  index_by_bytes();
}

void TokenTable::put(std::int32_t id, std::string_view bytes) {
  Entry& entry = entries_[static_cast<std::size_t>(id)];
  entry.offset = static_cast<std::uint32_t>(text_.size());
  entry.size = static_cast<std::uint32_t>(bytes.size());
  entry.is_used = true;
  text_.append(bytes);
}

void TokenTable::add_vocabulary(const TokenizerFiles& files) {
  for (const auto& [token, id] : files.vocabulary) {
    if (entries_[static_cast<std::size_t>(id)].is_used) {
      refuse_file(files.vocabulary_file, "token " + quote(token) + ": id " + std::to_string(id) +
                                             " is also that of another token");
    }
    // A token that the alphabet cannot spell stands for itself (HF's ByteLevel decoder).
    put(id, from_byte_alphabet(token).value_or(token));
  }
}

void TokenTable::add_added_tokens(const TokenizerFiles& files) {
  std::unordered_map<std::string_view, std::int32_t> seen;
  for (const AddedToken& token : files.added) {
    const std::string where = "added token " + quote(token.content) + ": id ";
    const auto in_vocabulary = files.vocabulary.find(token.content);
    if (in_vocabulary != files.vocabulary.end() && in_vocabulary->second != token.id) {
      refuse_file(files.vocabulary_file, where + std::to_string(token.id) +
                                             ", but the vocabulary has it as " +
                                             std::to_string(in_vocabulary->second));
    }
    const bool is_new = in_vocabulary == files.vocabulary.end();
    Entry& entry = entries_[static_cast<std::size_t>(token.id)];
    if ((is_new && entry.is_used) || !seen.emplace(token.content, token.id).second) {
      refuse_file(files.vocabulary_file,
                  where + std::to_string(token.id) + " is taken, or the token is listed twice");
    }
    put(token.id, token.content);
    entry.is_special = token.special;
    added_.push_back(token);
  }
}

void TokenTable::mark_named_special(const TokenizerFiles& files) {
  for (const std::string& content : files.named_special) {
    const auto same = [&](const AddedToken& token) { return token.content == content; };
    auto found = std::find_if(added_.begin(), added_.end(), same);
    if (found == added_.end()) {
      const auto in_vocabulary = files.vocabulary.find(content);
      if (in_vocabulary == files.vocabulary.end()) {
        refuse_file(files.vocabulary_file,
                    "special token " + quote(content) + " of tokenizer_config.json has no id");
      }
      AddedToken token;
      token.content = content;
      token.id = in_vocabulary->second;
      put(token.id, content);
      found = added_.insert(added_.end(), token);
    }
    found->special = true;
    entries_[static_cast<std::size_t>(found->id)].is_special = true;
  }
}

void TokenTable::index_by_bytes() {
  by_bytes_.reserve(entries_.size());
  for (const AddedToken& token : added_) by_bytes_.emplace(bytes(token.id), token.id);
  for (std::int32_t id = 0; id < size(); ++id) {
    if (entries_[static_cast<std::size_t>(id)].is_used) by_bytes_.emplace(bytes(id), id);
  }
}

std::string_view TokenTable::bytes(std::int32_t id) const {
  if (id < 0 || id >= size()) return {};
  const Entry& entry = entries_[static_cast<std::size_t>(id)];
  return std::string_view(text_).substr(entry.offset, entry.size);
}

bool TokenTable::is_special(std::int32_t id) const {
  return id >= 0 && id < size() && entries_[static_cast<std::size_t>(id)].is_special;
}

std::int32_t TokenTable::find(std::string_view bytes) const {
  const auto found = by_bytes_.find(bytes);
  return found == by_bytes_.end() ? BpeRules::kNoId : found->second;
}

BpeRules make_bpe_rules(const TokenizerFiles& files, const TokenTable& table) {
  const auto refuse_special = [&](std::int32_t id, const std::string& what) {
    if (!table.is_special(id)) return;
    refuse_file(files.merges_file, what + " gives the special token " + quote(table.bytes(id)) +
                                       "; ordinary text must never become one");
  };
  BpeRules rules;
  bool has_all_bytes = true;
  for (int byte = 0; byte < 256; ++byte) {
    const char character = static_cast<char>(byte);
    const auto found = files.vocabulary.find(to_byte_alphabet({&character, 1}));
    if (found == files.vocabulary.end()) {
      has_all_bytes = has_all_bytes && !is_in_utf8(byte);
      continue;
    }
    refuse_special(found->second, "byte " + std::to_string(byte));
    rules.byte_ids[static_cast<std::size_t>(byte)] = found->second;
  }
  if (files.has_unknown_token && !has_all_bytes) {
    refuse_file(files.vocabulary_file,
                "has an unknown token and no token for some bytes, which is not understood");
  }
  rules.merges.reserve(files.merges.size());
  for (const auto& [left, right] : files.merges) {
    const std::string where = "merge " + quote(left) + " + " + quote(right);
    const auto id_of = [&](const std::string& token) {
      const auto found = files.vocabulary.find(token);
      if (found != files.vocabulary.end()) return found->second;
      refuse_file(files.merges_file, where + ": " + quote(token) + " is not in the vocabulary");
    };
    rules.merges.push_back({id_of(left), id_of(right), id_of(left + right)});
    refuse_special(rules.merges.back().result, where);
  }
  return rules;
}

}  // namespace aitqe
