#include "aitqe/model/tensor_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/temporary_folder.h"
#include "support/write_safetensors.h"

namespace aitqe {
namespace {

using aitqe::test::message_of;
using aitqe::test::safetensors_of_zeros;
using aitqe::test::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TensorTableTest : public ::testing::Test {
 protected:
  TensorTableTest() {
    folder_.write("model.safetensors", safetensors_of_zeros({{"a.weight", "F32", {2, 3}},
                                                             {"a.steps", "I32", {4}},
                                                             {"extra", "BF16", {1}}}));
  }
  TemporaryFolder folder_;
};

TEST_F(TensorTableTest, GivesATensorOfTheExpectedShape) {
  TensorTable tensors(folder_.path());
  const nn::Weight weight = tensors.take("a.weight", {2, 3});
  EXPECT_EQ(weight.to_floats(), std::vector<float>(6, 0.0F));
}

TEST_F(TensorTableTest, NamesWhatIsMissingMisshapedOrNoFloat) {
  TensorTable tensors(folder_.path());
  EXPECT_THAT(message_of([&] {
                tensors.take("b.weight", {2, 3});
              }),
              AllOf(HasSubstr("\"b.weight\""), HasSubstr("missing")));
  EXPECT_THAT(message_of([&] {
                tensors.take("a.weight", {3, 2});
              }),
              AllOf(HasSubstr("model.safetensors: tensor \"a.weight\""),
                    HasSubstr("[2, 3], expected [3, 2]")));
  EXPECT_THAT(message_of([&] { tensors.take("a.steps", {4}); }), HasSubstr("dtype I32"));
}

TEST_F(TensorTableTest, NotesEveryMisfitWhenAskedAndGoesOnWithZeros) {
  TensorTable tensors(folder_.path(), TensorTable::Misfits::Note);
  EXPECT_EQ(tensors.take("b.weight", {2, 2}).to_floats(), std::vector<float>(4, 0.0F));
  EXPECT_EQ(tensors.take("a.weight", {1}).to_floats(), std::vector<float>(1, 0.0F));
  tensors.require_all_used();
  EXPECT_THAT(tensors.misfits(),
              ElementsAre(HasSubstr("missing"), HasSubstr("expected [1]"), HasSubstr("2 tensors")));
}

TEST_F(TensorTableTest, ListsTensorsThatNobodyTook) {
  TensorTable tensors(folder_.path());
  tensors.take("a.weight", {2, 3});
  EXPECT_THAT(message_of([&] { tensors.require_all_used(); }),
              AllOf(HasSubstr("\"extra\""), HasSubstr("2 tensors")));
  tensors.ignore_prefix("extra");
  tensors.ignore_prefix("a.st");
  EXPECT_NO_THROW(tensors.require_all_used());
}

TEST(TensorTableOfShards, ListsTensorsThatTheIndexDoesNotName) {
  const TemporaryFolder folder;
  folder.write("one.safetensors", safetensors_of_zeros({{"a", "F32", {1}}, {"b", "F32", {1}}}));
  folder.write("model.safetensors.index.json", R"({"weight_map": {"a": "one.safetensors"}})");
  TensorTable tensors(folder.path());
  tensors.take("a", {1});
  EXPECT_THAT(message_of([&] { tensors.require_all_used(); }), HasSubstr("one.safetensors: b"));
  tensors.ignore_prefix("b");
  EXPECT_NO_THROW(tensors.require_all_used());
}

}  // namespace
}  // namespace aitqe
