#pragma once

#include <string>
#include <string_view>

namespace aitqe {

/// `http://...` or `https://...`; the scheme in small letters.
bool is_http_url(std::string_view url);
/// `s3://...`
bool is_s3_url(std::string_view url);

/// A text that may be logged and written: of a URL what stands before `@` and behind `?` or `#` is
/// left out, since passwords and signatures stand there (behind `?` of an s3 URL stands a part of
/// the object's name). Of a `pipe:` command the same in every URL, and `***` for what is commonly
/// secret among its arguments: variables called token, secret, password or key, headers of that
/// kind, and `-u NAME:PASSWORD`. Any other text comes out as it is.
std::string without_secrets(std::string_view text);

/// For a path or a query as S3 signs it: all but letters, digits, `-._~` and the bytes of `kept`
/// becomes `%XX`.
std::string percent_encoded(std::string_view text, std::string_view kept = "");

}  // namespace aitqe
