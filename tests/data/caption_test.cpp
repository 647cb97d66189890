#include "aitqe/data/caption.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aitqe/base/error.h"

namespace aitqe {
namespace {

using testing::HasSubstr;

Sample make_sample(const std::string& text, const std::string& json) {
  Sample sample;
  sample.key = "0";
  sample.members.push_back({"0.jpg", "jpg", "pixels", {}, 0});
  sample.members.push_back({"0.json", "json", json, {}, 0});
  sample.members.push_back({"0.txt", "txt", text, {}, 0});
  return sample;
}

const CaptionSource kText = CaptionSource::parse("txt");
const CaptionSource kJson = CaptionSource::parse("json:caption");

std::string json_caption(const std::string& json) {
  return read_caption(make_sample("", json), kJson);
}

std::string json_error(const std::string& json) {
  try {
    json_caption(json);
  } catch (const SampleError& error) {
    return error.what();
  }
  return "no error";
}

TEST(CaptionSource, NamesTextOrAField) {
  EXPECT_EQ(kText.json_field, "");
  EXPECT_EQ(CaptionSource::parse("json:a:b").json_field, "a:b");
  EXPECT_EQ(kJson.to_string(), "json:caption");
  EXPECT_THROW(CaptionSource::parse("json:"), Error);
  EXPECT_THROW(CaptionSource::parse("jpg"), Error);
}

TEST(ReadCaption, GivesTheBytesOfTheTextAsTheyAre) {
  const std::string bytes = "\xef\xbb\xbf caf\xe9 \r\n";
  EXPECT_EQ(read_caption(make_sample(bytes, ""), kText), bytes);
}

TEST(ReadCaption, SaysWhichMembersThereAre) {
  Sample sample = make_sample("", "");
  sample.members.pop_back();
  try {
    read_caption(sample, kText);
    FAIL();
  } catch (const SampleError& error) {
    EXPECT_THAT(error.what(), HasSubstr("no txt member"));
    EXPECT_THAT(error.what(), HasSubstr("jpg, json"));
  }
}

TEST(ReadCaption, DecodesAFieldOfTheJson) {
  EXPECT_EQ(json_caption(R"({"caption": "a \"b\" \u00e9\n"})"), "a \"b\" \xc3\xa9\n");
  EXPECT_EQ(json_caption(R"({"x": {"caption": "inner"}, "caption":"outer"})"), "outer");
  EXPECT_EQ(json_caption(R"({"x": ["}", {"caption": 1}], "capt\u0069on" : "outer" , "y": 1})"),
            "outer");
  EXPECT_EQ(json_caption(R"({"caption":"first","caption":"last"})"), "last");
  EXPECT_EQ(json_caption("\xef\xbb\xbf\n{\t\"caption\"\r\n: \"a\" }\n"), "a");
  EXPECT_EQ(json_caption(R"({"caption":""})"), "");
}

TEST(ReadCaption, SaysWhatIsWrongWithTheJson) {
  EXPECT_THAT(json_error(""), HasSubstr("not valid JSON"));
  EXPECT_THAT(json_error("{\"caption\": \"a\""), HasSubstr("not valid JSON"));
  EXPECT_THAT(json_error("{\"caption\": \"\xff\"}"), HasSubstr("not valid JSON"));
  EXPECT_THAT(json_error("{}"), HasSubstr("no top-level field \"caption\""));
  EXPECT_THAT(json_error("[\"caption\", \"a\"]"), HasSubstr("no top-level field"));
  EXPECT_THAT(json_error("\"caption\""), HasSubstr("no top-level field"));
  EXPECT_THAT(json_error("{\"x\": {\"caption\": \"a\"}}"), HasSubstr("no top-level field"));
  EXPECT_THAT(json_error("{\"caption\": null}"), HasSubstr("is null, expected a text"));
  EXPECT_THAT(json_error("{\"caption\": [\"a\"]}"), HasSubstr("expected a text"));
  EXPECT_THAT(json_error("{\"caption\": -1.5e3 }"), HasSubstr("is -1.5e3, expected"));
}

TEST(ReadCaption, SurvivesDeepJson) {
  EXPECT_NE(json_error(std::string(200'000, '[')), "no error");
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  EXPECT_EQ(json_caption("{\"x\":" + deep + ",\"caption\":\"a\"}"), "a");
}

TEST(ReplaceCaption, ChangesOnlyTheText) {
  Sample sample = make_sample("a dog", R"({"caption": "a dog"})");
  replace_caption(sample, kText, "two cats");
  EXPECT_EQ(sample.members[0].bytes, "pixels");
  EXPECT_EQ(sample.members[1].bytes, R"({"caption": "a dog"})");
  EXPECT_EQ(sample.members[2].bytes, "two cats");
}

TEST(ReplaceCaption, KeepsTheLineEndOfTheOldText) {
  const auto replaced = [](const std::string& old, const std::string& text) {
    Sample sample = make_sample(old, "");
    replace_caption(sample, kText, text);
    return sample.members[2].bytes;
  };
  EXPECT_EQ(replaced("a\n", "b"), "b\n");
  EXPECT_EQ(replaced("a\r\n", "b"), "b\r\n");
  EXPECT_EQ(replaced("a\n", "b\n"), "b\n");
  EXPECT_EQ(replaced("", "b"), "b");
}

TEST(ReplaceCaption, ChangesOnlyTheFieldOfTheJson) {
  Sample sample = make_sample("a dog", "{ \"n\":1.50,\n \"caption\" :\t\"a dog\" ,\"z\":[1, 2]}\n");
  replace_caption(sample, kJson, "two \"cats\"\n");
  EXPECT_EQ(sample.members[1].bytes,
            "{ \"n\":1.50,\n \"caption\" :\t\"two \\\"cats\\\"\\n\" ,\"z\":[1, 2]}\n");
  EXPECT_EQ(sample.members[2].bytes, "a dog");
  EXPECT_EQ(read_caption(sample, kJson), "two \"cats\"\n");
}

TEST(RestoreCaption, UndoesAReplacementByteForByte) {
  for (const char* text : {"old", "old\n", "old\r\n", "", "\xFF\n"}) {
    Sample sample = make_sample(text, "{}");
    const std::string before = read_caption(sample, kText);
    EXPECT_EQ(caption_as_json(sample, kText), "");
    replace_caption(sample, kText, "new");
    restore_caption(sample, kText, before, "");
    EXPECT_EQ(find_member(sample, "txt")->bytes, text);
  }
}

TEST(RestoreCaption, KeepsTheSpellingOfTheJson) {
  for (const char* json :
       {R"({"caption": "a\/b \u00E9", "x": "\u00e9"})", R"({"caption":"é"})",
        R"({"caption" : "A", "caption": "\u0041"})", R"({"a": "é", "caption": "\u00e9"})"}) {
    Sample sample = make_sample("txt", json);
    const std::string before = read_caption(sample, kJson);
    const std::string as_json = caption_as_json(sample, kJson);
    replace_caption(sample, kJson, "new");
    EXPECT_EQ(read_caption(sample, kJson), "new");
    restore_caption(sample, kJson, before, as_json);
    EXPECT_EQ(find_member(sample, "json")->bytes, json);
  }
}

TEST(SpliceJsonText, LeavesSameNamedFieldsInside) {
  EXPECT_EQ(splice_json_text(R"({"x":{"c":"1"},"c":"2","y":[{"c":"3"}]})", "c", "new"),
            R"({"x":{"c":"1"},"c":"new","y":[{"c":"3"}]})");
}

TEST(SpliceJsonText, ChangesTheLastOfDuplicateFields) {
  EXPECT_EQ(splice_json_text(R"({"c":"1","c":"2"})", "c", "new"), R"({"c":"1","c":"new"})");
}

TEST(SpliceJsonText, IsNotMisledByEscapesAndBraces) {
  EXPECT_EQ(splice_json_text(R"({"a":"\\\"}, \"c\":\"x","c":"\\","d":"}"})", "c", "new"),
            R"({"a":"\\\"}, \"c\":\"x","c":"new","d":"}"})");
}

TEST(SpliceJsonText, EscapesOnlyInDocumentsThatArePureAscii) {
  EXPECT_EQ(splice_json_text(R"({"c":"a"})", "c", "\xc3\xa9"), R"({"c":"\u00e9"})");
  EXPECT_EQ(splice_json_text("{\"c\":\"\xc3\xa4\"}", "c", "\xc3\xa9"), "{\"c\":\"\xc3\xa9\"}");
}

TEST(SpliceJsonText, WritesInvalidUtf8AsReplacementCharacters) {
  EXPECT_EQ(splice_json_text(R"({"c":"a"})", "c", "x\xff"), R"({"c":"x\ufffd"})");
}

}  // namespace
}  // namespace aitqe
