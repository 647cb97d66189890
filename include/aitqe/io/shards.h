#pragma once

#include <string>
#include <vector>

namespace aitqe {

/// One input shard.
struct ShardRef {
  /// A path, `-` (a tar on standard input), `pipe:CMD`, `http(s)://...` or `s3://BUCKET/KEY`. May
  /// hold secrets: what is logged or written is `without_secrets(url)` (url.h).
  std::string url;
  /// Stem of the output files: `data/00012.tar.gz` -> `00012`, `-` -> `stdin`. A `pipe:` command
  /// takes the stem of its last word that ends like a shard, or else `pipe`.
  std::string name;

  bool operator==(const ShardRef&) const = default;
};

/// True for a name that ends in .tar, .tar.gz, .tgz, .tar.zst or .tzst, in any case.
bool has_shard_suffix(const std::string& path);

/// `data/00012.tar.gz` -> `00012`; of other files the last extension goes: `a.b.bin` -> `a.b`.
std::string shard_stem(const std::string& path);

/// True where the url is a file in a folder (not `-`, not `pipe:`, no `scheme://`).
bool is_local_file(const ShardRef& shard);

/// True for all but `-` and `pipe:`.
bool can_be_read_again(const ShardRef& shard);

/// Turns what a user typed into a list of shards, in this order: inputs as given; the files of a
/// folder or glob sorted by bytes; braces as a shell expands them.
///
/// - a file: any name;  a folder: the shards directly inside, hidden files left out
/// - `*`, `?`, `[...]`: a glob;  `{00000..00099}`, `{a,b}`: braces; a path that exists as typed is
///   taken as it is
/// - `@list.txt`: one input a line, relative to the working folder; blank lines and lines that
///   start with `#` are skipped; lists do not nest
/// - `-`;  `pipe:CMD`, where only number ranges are expanded, so that shell and awk braces survive
/// - `http(s)://...`: braces;  `s3://BUCKET/KEY`: braces; a glob in the part behind the last `/`,
/// or a
///   key that ends in `/` (the shards directly inside), is looked up in the bucket
///
/// @throws Error(NoInput) naming the input that matched nothing or the file that is missing;
///         Error(Usage) for a scheme that is not built in, for too many names, and for two inputs
///         that would write the same output name (both are named); what `list_s3` throws.
std::vector<ShardRef> expand_inputs(const std::vector<std::string>& inputs);

/// `a{1..3}` -> a1 a2 a3, `{x,y}` -> x y, `{01..10}` keeps its zeros, nested and several braces.
/// Text without a complete brace stays as it is.
/// @throws Error(Usage) when more than a million names would come out.
std::vector<std::string> expand_braces(const std::string& pattern);

}  // namespace aitqe
