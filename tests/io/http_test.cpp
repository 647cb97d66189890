#include "aitqe/io/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "aitqe/base/error.h"
#include "io/io_support.h"
#include "support/errors.h"
#include "support/http_server.h"

namespace aitqe {
namespace {

using test::HttpServer;
using test::ok_head;
using test::part_head;
using test::status_reply;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using End = test::ScriptedReply::End;

const std::string kBytes = "the twenty six bytes here.";

HttpOptions impatient() {
  HttpOptions options;
  options.max_attempts = 3;
  options.first_wait_ms = 1;
  options.longest_wait_ms = 2;
  options.stall_ms = 200;
  return options;
}

std::string read_all(Source& source) {
  std::string bytes;
  std::string buffer(7, '\0');
  while (const std::size_t count = source.read(buffer)) bytes.append(buffer, 0, count);
  return bytes;
}

std::string read_url(const std::string& url, const HttpOptions& options = impatient()) {
  return read_all(*open_http(url, options));
}

ErrorCategory category_of(const std::string& url) {
  try {
    read_url(url);
  } catch (const Error& error) {
    return error.category();
  }
  return ErrorCategory::Bug;
}

std::string failure_of(const std::string& url) {
  try {
    read_url(url);
  } catch (const SourceError& error) {
    return error.what();
  }
  return "no SourceError";
}

TEST(HttpSource, GivesTheBodyAndItsSize) {
  const HttpServer server({{ok_head(26), kBytes}});
  const auto source = open_http(server.url(), impatient());
  EXPECT_EQ(source->size_bytes(), 26);
  EXPECT_EQ(read_all(*source), kBytes);
  std::string more(1, '\0');
  EXPECT_EQ(source->read(more), 0);
  EXPECT_THAT(server.requests()[0], HasSubstr("GET /00000.tar HTTP/1.1"));
}

TEST(HttpSource, GivesABodyOfUnknownSize) {
  const HttpServer server({{"HTTP/1.1 200 OK\r\n", kBytes}});
  const auto source = open_http(server.url(), impatient());
  EXPECT_EQ(source->size_bytes(), std::nullopt);
  EXPECT_EQ(read_all(*source), kBytes);
}

TEST(HttpSource, AsksForTheRestOfTheSameObjectAfterAReset) {
  const HttpServer server({{ok_head(26), kBytes.substr(0, 10), End::Reset},
                           {part_head(10, 26), kBytes.substr(10, 6), End::Reset},
                           {part_head(16, 26), kBytes.substr(16)}});
  // What a reset takes away in flight is asked for again, so the offsets are the server's to say.
  const auto source = open_http(server.url(), impatient());
  std::string first(10, '\0');
  ASSERT_EQ(source->read(first), 10);
  EXPECT_EQ(first + read_all(*source), kBytes);
  const auto requests = server.requests();
  ASSERT_THAT(requests, SizeIs(3));
  EXPECT_THAT(requests[0], Not(HasSubstr("Range:")));
  EXPECT_THAT(requests[1],
              AllOf(HasSubstr("Range: bytes=10-\r\n"), HasSubstr("If-Match: \"v1\"\r\n")));
  EXPECT_THAT(requests[2], HasSubstr("Range: bytes=16-\r\n"));
}

TEST(HttpSource, AsksForTheRestAfterAShortBody) {
  const HttpServer server(
      {{ok_head(26), kBytes.substr(0, 10)}, {part_head(10, 26), kBytes.substr(10)}});
  EXPECT_EQ(read_url(server.url()), kBytes);
}

TEST(HttpSource, AsksForTheRestAfterAStall) {
  const HttpServer server(
      {{ok_head(26), kBytes.substr(0, 10), End::Hang}, {part_head(10, 26), kBytes.substr(10)}});
  EXPECT_EQ(read_url(server.url()), kBytes);
}

TEST(HttpSource, GivesUpAServerThatNeverSendsMore) {
  const HttpServer server({{ok_head(26), kBytes.substr(0, 10), End::Hang},
                           {part_head(10, 26), "", End::Hang},
                           {part_head(10, 26), "", End::Hang}});
  EXPECT_EQ(category_of(server.url()), ErrorCategory::Resumable);
}

TEST(HttpSource, CountsTheTimeOfWaitingAloneAsStall) {
  const HttpServer server({{ok_head(26), kBytes.substr(0, 10), End::Hang}});
  HttpOptions options = impatient();
  options.max_attempts = 1;
  options.min_bytes_per_s = 50;  // 10 bytes in 200 ms are just enough for the first window
  const auto source = open_http(server.url(), options);
  const std::string message = test::message_of([&] { read_all(*source); });
  EXPECT_THAT(message, HasSubstr("0 bytes in 200 ms of waiting at byte 10 of 26"));
}

TEST(HttpSource, TakesABodyThatAlwaysEndsEarlyForDamage) {
  const HttpServer server(
      {{ok_head(26), kBytes.substr(0, 10)}, {part_head(10, 26), ""}, {part_head(10, 26), ""}});
  EXPECT_THAT(failure_of(server.url()),
              AllOf(HasSubstr("/00000.tar: "), HasSubstr("byte 10 of 26")));
}

TEST(HttpSource, SkipsWhatItHasWhereTheServerKnowsNoRange) {
  const HttpServer server({{ok_head(26), kBytes.substr(0, 10)}, {ok_head(26), kBytes}});
  EXPECT_EQ(read_url(server.url()), kBytes);
}

TEST(HttpSource, TakesAPartThatIsCalledTheWhole) {
  const HttpServer server(
      {{ok_head(26), kBytes.substr(0, 10)},
       {ok_head(16, "ETag: \"v1\"\r\nContent-Range: bytes 10-25/26\r\n"), kBytes.substr(10)}});
  EXPECT_EQ(read_url(server.url()), kBytes);
}

TEST(HttpSource, NeverJoinsTwoVersions) {
  const std::string other = "ETag: \"v2\"\r\n";
  const auto changed = status_reply("412 Precondition Failed");
  for (const test::ScriptedReply& second :
       std::vector<test::ScriptedReply>{{part_head(10, 26, other), kBytes.substr(10)},
                                        {ok_head(26, other), kBytes},
                                        {part_head(10, 30), kBytes.substr(10) + "more"},
                                        changed,
                                        status_reply("416 Range Not Satisfiable")}) {
    const HttpServer server({{ok_head(26), kBytes.substr(0, 10)}, second});
    const std::string message = test::message_of([&] { read_url(server.url()); });
    EXPECT_THAT(message, HasSubstr("was replaced while it was read, at byte 10")) << second.head;
  }
  const HttpServer server({{ok_head(26), kBytes.substr(0, 10)}, changed});
  EXPECT_EQ(category_of(server.url()), ErrorCategory::Resumable);
}

TEST(HttpSource, DoesNotJoinWhatHasNoVersion) {
  const HttpServer server({{ok_head(26, ""), kBytes.substr(0, 10)}});
  EXPECT_THAT(test::message_of([&] { read_url(server.url()); }), HasSubstr("neither ETag"));
  EXPECT_THAT(server.requests(), SizeIs(1));
}

TEST(HttpSource, RefusesAnotherPartThanItAskedFor) {
  const HttpServer server(
      {{ok_head(26), kBytes.substr(0, 10)}, {part_head(9, 26), kBytes.substr(9)}});
  EXPECT_EQ(category_of(server.url()), ErrorCategory::NoInput);
}

TEST(HttpSource, TriesAgainWhileTheServerIsBusy) {
  const HttpServer server({status_reply("503 Slow Down", "", "busy"),
                           status_reply("429 Too Many Requests"),
                           {ok_head(26), kBytes}});
  EXPECT_EQ(read_url(server.url()), kBytes);
}

TEST(HttpSource, WaitsAsLongAsTheServerAsks) {
  const HttpServer server(
      {status_reply("503 Slow Down", "Retry-After: 1\r\n"), {ok_head(26), kBytes}});
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(read_url(server.url()), kBytes);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST(HttpSource, GivesUpAServerThatAsksForTooMuch) {
  const HttpServer server({status_reply("429 Too Many Requests", "Retry-After: 3600\r\n")});
  EXPECT_THAT(test::message_of([&] { read_url(server.url()); }),
              HasSubstr("HTTP status 429; asks to wait 3600 s"));
}

TEST(HttpSource, EndsResumablyWhenTheServerStaysAway) {
  const HttpServer server({});
  EXPECT_EQ(category_of(server.url()), ErrorCategory::Resumable);
  EXPECT_THAT(server.requests(), SizeIs(3));
}

TEST(HttpSource, SaysWhatIsNotThereAndWhatIsDenied) {
  const auto answered = [](const std::string& status) {
    const HttpServer server({status_reply(status)});
    const ErrorCategory category = category_of(server.url());
    EXPECT_THAT(server.requests(), SizeIs(1));
    return category;
  };
  EXPECT_EQ(answered("404 Not Found"), ErrorCategory::NoInput);
  EXPECT_EQ(answered("410 Gone"), ErrorCategory::NoInput);
  EXPECT_EQ(answered("400 Bad Request"), ErrorCategory::NoInput);
  EXPECT_EQ(answered("403 Forbidden"), ErrorCategory::Usage);
  EXPECT_EQ(answered("401 Unauthorized"), ErrorCategory::Usage);
}

TEST(HttpSource, FollowsRedirects) {
  const HttpServer there({{ok_head(26), kBytes}});
  const HttpServer here({status_reply("302 Found", "Location: " + there.url() + "\r\n", "not")});
  EXPECT_EQ(read_url(here.url()), kBytes);
}

TEST(HttpSource, RedirectsLeadToNoOtherProtocol) {
  const HttpServer server({status_reply("302 Found", "Location: file:///etc/passwd\r\n")});
  EXPECT_EQ(category_of(server.url()), ErrorCategory::Usage);
}

TEST(HttpSource, ShowsNoSecretOfAUrl) {
  const HttpServer server({status_reply("503 Slow Down", "Retry-After: 999\r\n")});
  std::string url = server.url("/00000.tar?X-Amz-Signature=secret");
  url.insert(url.find("127"), "user:secret@");
  const std::string message = test::message_of([&] { read_url(url); });
  EXPECT_THAT(message, AllOf(HasSubstr("/00000.tar: HTTP status 503"), Not(HasSubstr("secret"))));
  EXPECT_THAT(server.requests()[0], HasSubstr("GET /00000.tar?X-Amz-Signature=secret HTTP/1.1"));
}

TEST(HttpSource, EndsItsWaitWhenNobodyWantsMore) {
  const HttpServer server({{ok_head(26), kBytes.substr(0, 10), End::Hang}});
  HttpOptions patient = impatient();
  patient.stall_ms = 600'000;
  bool may_go_on = true;
  const auto source = open_http(server.url(), patient, [&] { return !may_go_on; });
  std::string first(10, '\0');
  ASSERT_EQ(source->read(first), 10);
  may_go_on = false;
  try {
    source->read(first);
    ADD_FAILURE() << "read on";
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::Resumable);
  }
}

TEST(TarReader, PassesOnThatASourceCannotBeHadNow) {
  const std::string archive =
      test::make_tar({{"0.jpg", "pixels"}, {"0.txt", std::string(600'000, 'a')}});
  const HttpServer server({{ok_head(archive.size()), archive.substr(0, 300'000)}});
  const auto source = open_http(server.url(), impatient());
  LossLog losses;
  TarReader reader(*source, losses);
  EXPECT_THROW(while (reader.next()){}, Error);
}

TEST(TarReader, SeesThatAServerNamedTooSmallASize) {
  const std::string archive = test::make_tar({{"0.jpg", "pixels"}, {"0.txt", "a cat"}});
  const HttpServer server({{ok_head(1300), archive}});  // ends within the second header
  const auto source = open_http(server.url(), impatient());
  LossLog losses;
  TarReader reader(*source, losses);
  EXPECT_EQ(reader.next()->name, "0.jpg");
  EXPECT_FALSE(reader.next().has_value());
  EXPECT_THAT(losses.entries(), testing::ElementsAre(testing::Field(&ArchiveDamage::kind,
                                                                    DamageKind::TruncatedInput)));
}

TEST(Fetch, GivesTheWholeAnswerAfterABrokenOne) {
  const HttpServer server({{ok_head(26), kBytes.substr(0, 10), End::Reset}, {ok_head(26), kBytes}});
  HttpRequest request;
  request.url = server.url();
  request.name = "list";
  EXPECT_EQ(fetch(request, impatient(), refuse_http).body, kBytes);
}

TEST(Fetch, RefusesAnEndlessAnswer) {
  const HttpServer server({{ok_head(17U << 20U), std::string(17U << 20U, 'a')}});
  HttpRequest request;
  request.url = server.url();
  request.name = "list";
  HttpOptions once = impatient();
  once.max_attempts = 1;
  once.stall_ms = 600'000;  // a loaded machine takes its time over so many bytes
  EXPECT_THAT(test::message_of([&] { fetch(request, once, refuse_http); }),
              HasSubstr("an answer of more than"));
}

TEST(Fetch, NamesAUrlThatIsNone) {
  HttpRequest request;
  request.url = "http://host name/?secret";
  request.name = "http://host name/";
  const std::string message = test::message_of([&] { fetch(request, impatient(), refuse_http); });
  EXPECT_THAT(message, AllOf(HasSubstr("http://host name/: "), Not(HasSubstr("secret"))));
}

}  // namespace
}  // namespace aitqe
