#pragma once

#include <string_view>

#include "aitqe/report/row.h"

namespace aitqe {

/// "scores.overall" -> "scores", "overall"; the first is "" for a column of the row itself.
struct ColumnPath {
  std::string_view group;
  std::string_view field;
};

inline ColumnPath path_of(const Column& column) {
  const std::size_t dot = column.name.find('.');
  if (dot == std::string_view::npos) return {"", column.name};
  return {column.name.substr(0, dot), column.name.substr(dot + 1)};
}

}  // namespace aitqe
