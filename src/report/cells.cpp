#include "cells.h"

#include <algorithm>
#include <cstdio>

#include "aitqe/text/unicode.h"

namespace aitqe {

std::string grouped(std::int64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3 && text[at - 4] != '-';) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string fixed(double value, int digits) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  return buffer;
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

std::string name_cell(const std::string& name, std::size_t width) {
  std::string cell = repair_utf8(name);
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; };
  std::replace_if(cell.begin(), cell.end(), is_control, '?');
  if (cell.size() > width) {
    std::size_t end = width - 3;
    while (end > 0 && (cell[end] & 0xC0) == 0x80) --end;
    cell = cell.substr(0, end) + "...";
  }
  return cell + std::string(width - std::min(width, cell.size()), ' ');
}

std::string share(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return "";
  const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  return right(fixed(percent, 1), 7) + " %";
}

}  // namespace aitqe
