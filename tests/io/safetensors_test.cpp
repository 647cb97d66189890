#include "aitqe/io/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aitqe/base/error.h"
#include "io/io_support.h"

namespace aitqe {
namespace {

using test::TemporaryFolder;
using test::write_bytes;
using testing::ElementsAre;
using testing::HasSubstr;

std::string safetensors(const std::string& header, const std::string& data) {
  std::string bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(header.size() >> (8 * i)));
  return bytes + header + data;
}

std::string tensor(const std::string& name, const std::string& dtype, const std::string& shape,
                   const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + shape +
         "],\"data_offsets\":[" + offsets + "]}";
}

std::map<std::string, TensorInfo> parse(const std::string& file) {
  return parse_safetensors(std::as_bytes(std::span(file)), "m");
}

std::string error_of(const std::string& file) {
  try {
    parse(file);
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::Model);
    return error.what();
  }
  return "no error";
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(ParseSafetensors, ReadsWhatTheFormatAllows) {
  const auto tensors = parse(safetensors(
      "{\"__metadata__\":{\"format\":\"pt\"}," + tensor("b", "F32", "2,1", "2,10") + "," +
          tensor("a", "BF16", "", "0,2") + "," + tensor("none", "I64", "0,5", "10,10") + "}   ",
      "aabbbbbbbb"));

  ASSERT_EQ(tensors.size(), 3);
  EXPECT_EQ(tensors.at("a").dtype, TensorDtype::BF16);
  EXPECT_TRUE(tensors.at("a").shape.empty());
  EXPECT_THAT(tensors.at("b").shape, ElementsAre(2, 1));
  EXPECT_EQ(tensors.at("b").num_bytes, 8);
  EXPECT_EQ(tensors.at("b").offset_bytes - tensors.at("a").offset_bytes, 2);
  EXPECT_EQ(tensors.at("none").num_bytes, 0);
}

TEST(ParseSafetensors, AllowsAFileWithoutTensors) {
  EXPECT_TRUE(parse(safetensors("{}", "")).empty());
}

TEST(ParseSafetensors, RefusesABrokenFrame) {
  EXPECT_THAT(error_of(""), HasSubstr("m: has 0 bytes"));
  EXPECT_THAT(error_of("1234567"), HasSubstr("has 7 bytes"));
  EXPECT_THAT(error_of(safetensors("{}", "").substr(0, 9)),
              HasSubstr("ends at byte 10, file has 9"));
  EXPECT_THAT(error_of(std::string(8, '\xff')), HasSubstr("limit is 100000000"));
  EXPECT_THAT(error_of(std::string("\x01\xe1\xf5\x05\0\0\0\0", 8)),
              HasSubstr("header of 100000001"));
  EXPECT_THAT(error_of(std::string(8, '\0')), HasSubstr("does not begin"));
  EXPECT_THAT(error_of(safetensors(" {}", "")), HasSubstr("does not begin"));
}

TEST(ParseSafetensors, RefusesAHeaderOfAnotherForm) {
  const auto header_error = [](const std::string& header) {
    return error_of(safetensors(header, ""));
  };
  EXPECT_THAT(header_error("{\"a\":"), HasSubstr("not JSON"));
  EXPECT_THAT(header_error("{} x"), HasSubstr("not JSON"));
  EXPECT_THAT(header_error("{\"a\":1}"), HasSubstr("tensor \"a\": unexpected a number"));
  EXPECT_THAT(header_error("{\"a\":[]}"), HasSubstr("unexpected an array"));
  EXPECT_THAT(header_error("{\"a\":{}}"), HasSubstr("needs \"dtype\""));
  EXPECT_THAT(header_error("{\"a\":{\"x\":1}}"), HasSubstr("unknown field \"x\""));
  EXPECT_THAT(header_error("{\"a\":{\"shape\":[[1]]}}"), HasSubstr("unexpected an array"));
  EXPECT_THAT(header_error("{\"a\":{\"shape\":[-1]}}"), HasSubstr("unexpected the number -1"));
  EXPECT_THAT(header_error("{\"a\":{\"shape\":[1.5]}}"), HasSubstr("unexpected the number 1.5"));
  EXPECT_THAT(header_error("{\"a\":{\"shape\":[],\"shape\":[]}}"), HasSubstr("twice"));
  EXPECT_THAT(header_error("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}"), HasSubstr("twice"));
  EXPECT_THAT(header_error("{\"a\":{\"dtype\":null}}"), HasSubstr("unexpected null"));
  EXPECT_THAT(header_error("{\"a\":{\"dtype\":{}}}"), HasSubstr("unexpected an object"));
  EXPECT_THAT(header_error("{\"__metadata__\":{\"a\":1}}"), HasSubstr("unexpected a number"));
  EXPECT_THAT(header_error("{\"__metadata__\":{},\"__metadata__\":{}}"), HasSubstr("twice"));
}

TEST(ParseSafetensors, RefusesTensorsThatDoNotCoverTheData) {
  const auto error = [](const std::string& tensors, const std::string& data) {
    return error_of(safetensors("{" + tensors + "}", data));
  };
  EXPECT_THAT(
      error(tensor("a", "U8", "4", "0,4") + "," + tensor("a", "U8", "4", "4,8"), "12345678"),
      HasSubstr("tensor \"a\" occurs twice"));
  EXPECT_THAT(error(tensor("a", "U8", "4", "0,4") + "," + tensor("b", "U8", "4", "2,6"), "123456"),
              HasSubstr("tensor \"b\": overlaps"));
  EXPECT_THAT(
      error(tensor("a", "U8", "4", "0,4") + "," + tensor("b", "U8", "4", "5,9"), "123456789"),
      HasSubstr("tensor \"b\": 1 bytes before it"));
  EXPECT_THAT(error(tensor("a", "U8", "4", "0,4"), "12345"), HasSubstr("last 1 bytes"));
  EXPECT_THAT(error(tensor("a", "U8", "4", "4,0"), "1234"), HasSubstr("ends before it begins"));
  EXPECT_THAT(error(tensor("a", "U8", "4", "0"), "1234"), HasSubstr("needs two numbers"));
  EXPECT_THAT(error(tensor("a", "F32", "2", "0,4"), "1234"),
              HasSubstr("has 4 bytes, its shape and dtype need 8"));
  EXPECT_THAT(error(tensor("a", "F31", "1", "0,4"), "1234"), HasSubstr("unknown dtype \"F31\""));
  EXPECT_THAT(error(tensor("a", "U8", "4294967296,4294967296", "0,0"), ""), HasSubstr("overflows"));
  EXPECT_THAT(error(tensor("a", "U8", "0,18446744073709551615", "0,0"), ""),
              HasSubstr("overflows"));
  EXPECT_THAT(error(tensor("a", "U8", "1", "0,18446744073709551615"), ""), HasSubstr("file has"));
}

TEST(ParseSafetensors, SaysWhereATensorEndsOutsideTheFile) {
  const std::string header = "{" + tensor("x", "U8", "40", "0,40") + "}";
  const std::size_t begin = header.size() + 8;
  EXPECT_EQ(error_of(safetensors(header, "1234567890")),
            "m: tensor \"x\": ends at byte " + std::to_string(begin + 40) + ", file has " +
                std::to_string(begin + 10));
}

TEST(ParseSafetensors, SurvivesDeepNesting) {
  EXPECT_NE(error_of(safetensors(std::string(100'000, '{'), "")), "no error");
  EXPECT_NE(error_of(safetensors("{\"a\":" + std::string(100'000, '['), "")), "no error");
}

TEST(SafetensorsFile, MapsTensorsAndOutlivesTheFolder) {
  const TemporaryFolder folder;
  write_bytes(folder / "m.safetensors",
              safetensors("{" + tensor("a", "U8", "3", "0,3") + "}", "abc"));
  const auto file = SafetensorsFile::open(folder / "m.safetensors");
  std::filesystem::remove(folder / "m.safetensors");

  EXPECT_EQ(text_of(file->data("a")), "abc");
  EXPECT_THROW(file->data("b"), Error);
  EXPECT_THROW(SafetensorsFile::open(folder / "m.safetensors"), Error);
  EXPECT_THROW(SafetensorsFile::open(folder.path()), Error);
}

class Folder : public testing::Test {
 protected:
  void write_file(const std::string& name, const std::string& tensor_name) {
    write_bytes(folder_ / name,
                safetensors("{" + tensor(tensor_name, "U8", "1", "0,1") + "}", tensor_name));
  }
  void write_index(const std::string& weight_map) {
    write_bytes(folder_ / "model.safetensors.index.json", "{\"weight_map\":{" + weight_map + "}}");
  }
  std::string error() {
    try {
      SafetensorsFolder::open(folder_.path());
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), ErrorCategory::Model);
      return error.what();
    }
    return "no error";
  }
  TemporaryFolder folder_;
};

TEST_F(Folder, OpensASingleFile) {
  write_file("model.safetensors", "a");
  const auto folder = SafetensorsFolder::open(folder_.path());
  EXPECT_THAT(folder.names(), ElementsAre("a"));
  EXPECT_EQ(text_of(folder.data("a")), "a");
  EXPECT_THROW(folder.data("b"), Error);
}

TEST_F(Folder, OpensTheFilesOfAnIndexAndReportsUnlistedTensors) {
  write_file("one.safetensors", "a");
  write_bytes(folder_ / "two.safetensors", safetensors("{" + tensor("b", "U8", "1", "0,1") + "," +
                                                           tensor("c", "U8", "1", "1,2") + "}",
                                                       "bc"));
  write_index("\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"");
  const auto folder = SafetensorsFolder::open(folder_.path());

  EXPECT_THAT(folder.names(), ElementsAre("a", "b"));
  EXPECT_EQ(text_of(folder.data("b")), "b");
  EXPECT_EQ(folder.total_bytes(), 2);
  EXPECT_THAT(folder.unlisted(), ElementsAre("two.safetensors: c"));
}

TEST_F(Folder, RefusesAnIndexThatDoesNotFit) {
  EXPECT_THAT(error(), HasSubstr("holds neither"));
  write_index("\"a\":\"../one.safetensors\"");
  EXPECT_THAT(error(), HasSubstr("\"../one.safetensors\" is not a file name in this folder"));
  write_index("\"a\":\"/etc/passwd\"");
  EXPECT_THAT(error(), HasSubstr("not a file name"));
  write_index("\"a\":\"..\"");
  EXPECT_THAT(error(), HasSubstr("not a file name"));
  write_index("\"a\":1");
  EXPECT_THAT(error(), HasSubstr("not a text"));
  write_index("");
  EXPECT_THAT(error(), HasSubstr("lists no tensor"));
  write_index("\"a\":\"missing.safetensors\"");
  EXPECT_THAT(error(), HasSubstr("missing.safetensors: cannot be opened"));
  write_file("one.safetensors", "b");
  write_index("\"a\":\"one.safetensors\"");
  EXPECT_THAT(error(), HasSubstr("one.safetensors: no tensor \"a\""));
  write_bytes(folder_ / "model.safetensors.index.json", "[1");
  EXPECT_THAT(error(), HasSubstr("expected a JSON object"));
}

}  // namespace
}  // namespace aitqe
