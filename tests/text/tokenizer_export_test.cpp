#include "aitqe/text/tokenizer_export.h"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "aitqe/text/tokenizer.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using Ids = std::vector<std::int32_t>;

const std::filesystem::path kTokenizers = AITQE_SOURCE_DIR "/tests/data/text";

Tokenizer reloaded(const ExportedTokenizer& exported) {
  const test::TemporaryFolder folder;
  folder.write("tokenizer.json", exported.json);
  return Tokenizer::load(folder.path());
}

/// Rows of [text, ids as text, ids parsed] that HF `tokenizers` gave.
void expect_the_ids_of(const std::string& vectors, const Tokenizer& tokenizer) {
  std::ifstream stream(kTokenizers / vectors);
  int rows = 0;
  for (std::string line; std::getline(stream, line); ++rows) {
    const json row = json::parse(line);
    ASSERT_EQ(tokenizer.encode(row[0].get<std::string>(), SpecialTokens::Parse),
              row.back().get<Ids>())
        << row[0];
  }
  EXPECT_GE(rows, 2000);
}

TEST(TokenizerExport, GivesTheSameIdsFromAFolderOfThreeFiles) {
  expect_the_ids_of("qwen2-cut.vectors.jsonl",
                    reloaded(export_tokenizer(kTokenizers / "qwen2-cut", "<unheard of>")));
}

TEST(TokenizerExport, GivesTheSameIdsFromATokenizerJson) {
  expect_the_ids_of("smollm2-cut.vectors.jsonl",
                    reloaded(export_tokenizer(kTokenizers / "smollm2-cut", "<unheard of>")));
}

TEST(TokenizerExport, PutsTheFurtherTokenBehindAllOthers) {
  const Tokenizer source = Tokenizer::load(kTokenizers / "qwen2-cut");
  const ExportedTokenizer exported = export_tokenizer(kTokenizers / "qwen2-cut", "<image>");
  const Tokenizer tokenizer = reloaded(exported);
  EXPECT_EQ(exported.id, source.size());
  EXPECT_EQ(tokenizer.size(), source.size() + 1);
  EXPECT_TRUE(tokenizer.is_special(exported.id));
  EXPECT_EQ(tokenizer.encode("<image><image>", SpecialTokens::Parse),
            (Ids{exported.id, exported.id}));
}

TEST(TokenizerExport, LeavesATokenThatIsThereWhereItIs) {
  const Tokenizer source = Tokenizer::load(kTokenizers / "qwen2-cut");
  const ExportedTokenizer exported = export_tokenizer(kTokenizers / "qwen2-cut", "<|im_start|>");
  EXPECT_EQ(exported.id, source.token_id("<|im_start|>"));
  EXPECT_EQ(reloaded(exported).size(), source.size());
}

TEST(TokenizerExport, KeepsSmollm2sDigitsApart) {
  const test::TemporaryFolder folder;
  const json smollm2 = json::parse(std::ifstream(kTokenizers / "smollm2-cut/tokenizer.json"));
  std::string merges;
  for (const json& merge : smollm2["model"]["merges"]) {
    merges += merge.is_string() ? merge.get<std::string>()
                                : merge[0].get<std::string>() + " " + merge[1].get<std::string>();
    merges += "\n";
  }
  folder.write("merges.txt", merges);
  folder.write("vocab.json", smollm2["model"]["vocab"].dump());
  json added = json::object();
  for (const json& token : smollm2["added_tokens"]) added[token["id"].dump()] = token;
  folder.write("tokenizer_config.json",
               json{{"tokenizer_class", "GPT2Tokenizer"}, {"added_tokens_decoder", added}}.dump());
  expect_the_ids_of("smollm2-cut.vectors.jsonl",
                    reloaded(export_tokenizer(folder.path(), "<unheard of>")));
}

TEST(TokenizerExport, RefusesABrokenFolder) {
  const test::TemporaryFolder folder;
  EXPECT_THAT(test::message_of([&] { export_tokenizer(folder.path(), "<image>"); }),
              HasSubstr("tokenizer_config.json"));
}

}  // namespace
}  // namespace aitqe
