#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "aitqe/text/bpe.h"
#include "tokenizer_files.h"

namespace aitqe {

/// Every token of a vocabulary by id and by text. Immutable after construction, neither copied
/// nor moved: the lookup points into the table.
class TokenTable {
 public:
  /// @throws Error(Model) when ids or texts collide, or a named special token is missing.
  explicit TokenTable(const TokenizerFiles& files);
  TokenTable(const TokenTable&) = delete;
  TokenTable& operator=(const TokenTable&) = delete;

  std::int32_t size() const { return static_cast<std::int32_t>(entries_.size()); }
  std::string_view bytes(std::int32_t id) const;
  bool is_special(std::int32_t id) const;
  std::int32_t find(std::string_view bytes) const;  ///< BpeRules::kNoId when there is none
  const std::vector<AddedToken>& added() const { return added_; }

 private:
  struct Entry {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    bool is_used = false;
    bool is_special = false;
  };

  void put(std::int32_t id, std::string_view bytes);
  void add_vocabulary(const TokenizerFiles& files);
  void add_added_tokens(const TokenizerFiles& files);
  void mark_named_special(const TokenizerFiles& files);
  void index_by_bytes();

  std::string text_;  // all tokens, one after the other
  std::vector<Entry> entries_;
  std::vector<AddedToken> added_;
  std::unordered_map<std::string_view, std::int32_t> by_bytes_;
};

/// The vocabulary's single bytes and merges by id.
/// @throws Error(Model) when a part or a result of a merge is missing, or when ordinary text
///   could be merged into a special token.
BpeRules make_bpe_rules(const TokenizerFiles& files, const TokenTable& table);

}  // namespace aitqe
