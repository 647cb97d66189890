// injection_cli: one JSON string a line in, the sign that makes it suspect out, or an empty line.
// scripts/measure_injection.py counts them.
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "aitqe/quality/injection.h"

int main() {
  try {
    const aitqe::AnswerKeys keys;
    std::string line;
    while (std::getline(std::cin, line)) {
      const auto caption = nlohmann::json::parse(line).get<std::string>();
      const auto sign = aitqe::find_injection_sign(caption, keys);
      std::cout << (sign ? aitqe::injection_sign_code(*sign) : "") << '\n';
    }
  } catch (const std::exception& failure) {
    std::cerr << "injection_cli: " << failure.what() << '\n';
    return 1;
  }
  return 0;
}
