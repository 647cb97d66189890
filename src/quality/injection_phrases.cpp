#include "injection_phrases.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

#include "aitqe/base/ascii.h"
#include "aitqe/text/lookalike.h"

namespace aitqe {
namespace {

/// Beginnings of words that stand one behind the other within kWindowBytes, `second` perhaps "".
/// With kWordEnd behind it a part is a whole word.
struct Phrase {
  std::string_view first;
  std::string_view second;
};

constexpr std::size_t kWindowBytes = 64;
constexpr char kWordEnd = '|';

constexpr auto kInstructions = std::to_array<Phrase>({
    // English: forget what was asked
    {"ignore", "instruction"},
    {"ignore", "prompt"},
    {"ignore", "rules"},
    {"ignore", "the image"},
    {"ignore", "the picture"},
    {"ignore", "previous"},
    {"ignore", "above"},
    {"ignore", "everything"},
    {"ignore", "guideline"},
    {"disregard", "instruction"},
    {"disregard", "previous"},
    {"disregard", "above"},
    {"disregard", "prompt"},
    {"disregard", "the image"},
    {"disregard", "the picture"},
    {"forget", "instruction"},
    {"forget", "previous"},
    {"forget", "everything"},
    {"forget", "you were told"},
    {"skip", "evaluation"},
    {"stop", "evaluating"},
    {"override", "score"},
    {"override", "rating"},
    {"override", "instruction"},
    {"new instruction", ""},
    {"instead of evaluating", ""},
    {"instead of judging", ""},
    // English: give a score
    {"give", "score of"},
    {"give", "highest score"},
    {"give", "top score"},
    {"give", "maximum score"},
    {"give", "maximum rating"},
    {"give", "maximum points"},
    {"give", "full marks"},
    {"give", "perfect score"},
    {"give it", "10|"},
    {"give this", "10|"},
    {"give this", "ten|"},
    {"rate this", "10"},
    {"rate it", "10"},
    {"rate the caption", ""},
    {"score this", "10"},
    {"score it", "10"},
    {"score the caption", ""},
    {"assign", "score"},
    {"assign", "rating"},
    {"award", "full marks"},
    {"award", "points to this caption"},
    {"set", "score to"},
    {"score must be", ""},
    {"score should be", ""},
    {"score has to be", ""},
    {"score is already", ""},
    {"deserves", "10"},
    {"deserves", "highest"},
    {"deserves", "perfect score"},
    {"deserves", "full marks"},
    {"highest possible", "score"},
    {"highest possible", "rating"},
    {"output", "score"},
    {"output", "10|"},
    {"output only", ""},
    {"print", "score of"},
    {"respond with", ""},
    {"respond only", ""},
    {"reply with", ""},
    {"reply only", ""},
    {"answer with", ""},
    {"answer only", ""},
    {"return", "score of"},
    // English: leave the caption alone
    {"do not", "rewrite"},
    {"don't", "rewrite"},
    {"never rewrite", ""},
    {"do not", "recaption"},
    {"do not", "replace this caption"},
    {"do not", "change this caption"},
    {"keep this caption", ""},
    {"keep the caption", ""},
    {"this caption is", ""},
    {"this caption was", ""},
    {"this caption has", ""},
    {"caption must be kept", ""},
    {"approve this caption", ""},
    {"accept this caption", ""},
    {"perfect caption", ""},
    // French
    {"ignore", "consigne"},
    {"oublie", "consigne"},
    {"oublie", "instruction"},
    {"donne", "note maximale"},
    {"donne", "note de 10"},
    {"note maximale", ""},
    // German
    {"ignorier", "anweisung"},
    {"vergiss", "anweisung"},
    {"missachte", "anweisung"},
    {"gib", "10 punkte"},
    {"gib", "hochste"},
    {"gib", "volle punktzahl"},
    {"bewerte", "mit 10"},
    {"hochste bewertung", ""},
    // Spanish
    {"ignora", "instruccion"},
    {"olvida", "instruccion"},
    {"puntuacion maxima", ""},
    {"maxima puntuacion", ""},
    {"dale", "un 10|"},
    {"otorga", "10|"},
    // Portuguese
    {"ignore", "instrucoes"},
    {"esqueca", "instrucoes"},
    {"nota maxima", ""},
    {"pontuacao maxima", ""},
    // Italian
    {"ignora", "istruzioni"},
    {"dimentica", "istruzioni"},
    {"punteggio massimo", ""},
    {"voto massimo", ""},
    // Dutch, Polish, Turkish, Indonesian, Vietnamese
    {"negeer", "instructies"},
    {"hoogste score", ""},
    {"zignoruj", "instrukcj"},
    {"zignoruj", "polecen"},
    {"najwyzsza ocen", ""},
    {"talimat", "yok say"},
    {"talimat", "gormezden gel"},
    {"en yuksek puan", "ver"},
    {"abaikan", "instruksi"},
    {"abaikan", "perintah"},
    {"beri", "nilai tertinggi"},
    {"bo qua", "huong dan"},
    {"bo qua", "chi dan"},
    {"cho", "diem cao nhat"},
    // Russian, Ukrainian
    {"игнорируй", "инструкци"},
    {"игнорируй", "указани"},
    {"забудь", "инструкци"},
    {"поставь", "10"},
    {"поставь", "максимальн"},
    {"поставь", "высш"},
    {"дай", "максимальн"},
    {"ігноруй", "інструкці"},
    // Chinese
    {"忽略", "指令"},
    {"忽略", "指示"},
    {"忽略", "提示"},
    {"忽略", "说明"},
    {"无视", "指令"},
    {"忘记", "指令"},
    {"给", "满分"},
    {"打", "满分"},
    {"给", "最高分"},
    {"打", "最高分"},
    {"打10分", ""},
    {"给10分", ""},
    // Japanese, Korean
    {"指示", "無視"},
    {"命令", "無視"},
    {"満点", "つけ"},
    {"満点", "評価"},
    {"評価", "満点"},
    {"最高点", "つけ"},
    {"10点", "つけ"},
    {"지시", "무시"},
    {"명령", "무시"},
    {"만점", "주"},
    {"최고 점수", "주"},
    // Arabic, Persian, Hindi
    {"تجاهل", "التعليمات"},
    {"تجاهل", "تعليمات"},
    {"أعط", "10"},
    {"امنح", "الدرجة"},
    {"أعط", "الدرجة"},
    {"نادیده بگیر", ""},
    {"निर्देश", "अनदेखा"},
    {"निर्देश", "नज़रअंदाज"},
    {"पूरे अंक", ""},
});

constexpr auto kRoles = std::to_array<Phrase>({
    {"you are", "assistant"},
    {"you are", "language model"},
    {"you are", "ai|"},
    {"you are", "judge"},
    {"you are", "evaluator"},
    {"you are", "grader"},
    {"you are", "critic"},
    {"you are", "chatbot"},
    {"you are", "developer mode"},
    {"you are no longer", ""},
    {"you must", "score"},
    {"you must", "rate|"},
    {"your task is", ""},
    {"your only task", ""},
    {"your new task", ""},
    {"your instructions", ""},
    {"act as", "assistant"},
    {"act as", "judge"},
    {"act as", "ai|"},
    {"act as", "critic"},
    {"act as", "grader"},
    {"pretend", "you are"},
    {"pretend", "that you"},
    {"imagine you are", ""},
    {"role play", "you"},
    {"roleplay", "you"},
    {"let us play a game", "you"},
    {"let's play a game", "you"},
    {"dear judge", ""},
    {"dear evaluator", ""},
    {"dear grader", ""},
    {"dear model", ""},
    {"note to", "evaluator"},
    {"note to", "judge"},
    {"note to", "grader"},
    {"note to the model", ""},
    {"message to the", "judge"},
    {"message to the model", ""},
    {"attention", "evaluator"},
    {"as an ai|", ""},
    {"as a language model", ""},
    {"system prompt", ""},
    {"system override", ""},
    {"enter", "developer mode"},
    {"enter", "debug mode"},
    {"enter", "maintenance mode"},
    {"admin override", ""},
    {"administrator override", ""},
    {"do anything now", ""},
    {"ты теперь", ""},
    {"你现在是", ""},
    {"あなたは今", ""},
    {"tu es maintenant", ""},
    {"du bist jetzt", ""},
    {"ahora eres", ""},
});

/// A beginning of a word, or with kWordEnd behind it the whole word.
struct Part {
  std::string text;
  bool is_whole_word = false;
};

struct FoldedPhrase {
  Part first;
  Part second;
};

Part folded_part(std::string_view part) {
  const bool is_whole_word = part.ends_with(kWordEnd);
  if (is_whole_word) part.remove_suffix(1);
  return {fold_lookalikes(part), is_whole_word};
}

std::vector<FoldedPhrase> folded_phrases(std::span<const Phrase> phrases) {
  std::vector<FoldedPhrase> folded;
  for (const Phrase& phrase : phrases) {
    folded.push_back({folded_part(phrase.first), folded_part(phrase.second)});
  }
  return folded;
}

bool is_of_word(char c) { return ascii::is_digit(c) || (c >= 'a' && c <= 'z'); }

/// Where `part` stands in `text` from `at` on; where it is of ASCII, not inside a word.
std::size_t find_part(std::string_view text, const Part& part, std::size_t at) {
  for (at = text.find(part.text, at); at != std::string_view::npos;
       at = text.find(part.text, at + 1)) {
    const std::size_t end = at + part.text.size();
    const bool begins_word = at == 0 || !is_of_word(part.text.front()) || !is_of_word(text[at - 1]);
    const bool ends_word = end == text.size() || !is_of_word(text[end]);
    if (begins_word && (ends_word || !part.is_whole_word)) return at;
  }
  return at;
}

bool stands_in(std::string_view text, const FoldedPhrase& phrase) {
  for (std::size_t at = find_part(text, phrase.first, 0); at != std::string_view::npos;
       at = find_part(text, phrase.first, at + 1)) {
    if (phrase.second.text.empty()) return true;
    const std::string_view window =
        text.substr(at + phrase.first.text.size(), kWindowBytes + phrase.second.text.size());
    if (find_part(window, phrase.second, 0) != std::string_view::npos) return true;
  }
  return false;
}

bool any_stands_in(std::string_view text, const std::vector<FoldedPhrase>& phrases) {
  return std::any_of(phrases.begin(), phrases.end(),
                     [text](const FoldedPhrase& phrase) { return stands_in(text, phrase); });
}

}  // namespace

bool has_instruction(std::string_view folded) {
  static const std::vector<FoldedPhrase> folded_list = folded_phrases(kInstructions);
  return any_stands_in(folded, folded_list);
}

bool has_role(std::string_view folded) {
  static const std::vector<FoldedPhrase> folded_list = folded_phrases(kRoles);
  return any_stands_in(folded, folded_list);
}

}  // namespace aitqe
