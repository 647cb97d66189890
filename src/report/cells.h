#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace aitqe {

// Cells of tables for the terminal.

/// 1234567 -> "1,234,567"
std::string grouped(std::int64_t count);

std::string fixed(double value, int digits);

/// Set flush right.
std::string right(const std::string& text, std::size_t width);

/// A name out of the data, cut between characters and filled up to `width` bytes: no control
/// characters, which could act on the terminal.
std::string name_cell(const std::string& name, std::size_t width);

/// "   12.3 %", or "" of nothing.
std::string share(std::int64_t part, std::int64_t whole);

}  // namespace aitqe
