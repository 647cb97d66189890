// tokenizer_cli FOLDER: one JSON string a line in, one line [[ids as text], [ids parsed]] out.
// scripts/check_tokenizer.py compares these with HF `tokenizers`.
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "aitqe/text/tokenizer.h"
#include "aitqe/text/unicode.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: tokenizer_cli FOLDER\n";
    return 2;
  }
  try {
    const aitqe::Tokenizer tokenizer = aitqe::Tokenizer::load(argv[1]);
    std::string line;
    while (std::getline(std::cin, line)) {
      const auto text = nlohmann::json::parse(line).get<std::string>();
      const nlohmann::json ids = {tokenizer.encode(text, aitqe::SpecialTokens::AsText),
                                  tokenizer.encode(text, aitqe::SpecialTokens::Parse)};
      std::cout << ids.dump() << '\n';
    }
  } catch (const std::exception& failure) {
    std::cerr << "tokenizer_cli: " << failure.what() << '\n';
    return 1;
  }
  return 0;
}
