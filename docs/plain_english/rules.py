"""The rules: what a sentence of the project may not be, with what to write instead."""

from collections.abc import Iterator
import re

from .prose import Passage

MOST_WORDS, MOST_WORDS_OF_A_SUMMARY, MOST_LINES_OF_A_SUMMARY = 35, 30, 2

OPENINGS = re.compile(
  "what|where|of|who|whoever|whose|whom|whether|how|which|when|why|that|likewise|so|and|but|or|nor|it|they",
  re.IGNORECASE,
)
# Comments and helps may open with "which" or "when", not with a word that hangs on something else.
LOOSE_OPENINGS = re.compile("of|who|whoever|whose|likewise|nor", re.IGNORECASE)

UNITS = (
  "nats? bits? bytes? [kKMG]i?B [mµn]?s seconds? minutes? hours? points steps? nets blocks updates tokens words symbols "
  "characters sequences numbers floats values sweeps files lines entries exponents GFLOP/?s? percent times"
).replace(" ", "|")
THINGS = "step|update|token|word|symbol|character|point|net|cell|core|process|line|block|file|call|epoch"
UNIT = re.compile(
  rf"(?:\b(?:{UNITS})|%) an? (?:{THINGS}|second|minute|hour|day)\b(?! (?:time|one)\b)"
  rf"|\b(?:one|two|three|\d+) (?!is|or|and|to|in|at|if|where|when|for|with|needs?|takes?|makes?|has)[\w-]+ an? (?:{THINGS})\b",
  re.IGNORECASE,
)

# What is not written -> what is written instead. An entry matches whole words, in any case.
WORDING = {
  r"afresh|anew": "again, or a verb with re-",
  r"(?:go|goes|going|gone|went) on (?:with|from|where)": "continue, resume",
  r"what (?:is|was|it is) told|told (?:what|which)|is told": "what it receives, or the argument's name",
  r"for ever": "forever, indefinitely",
  r"mend(?:s|ed|ing)?": "repair, recompute",
  r"the like": "name the others, or similar",
  r"likewise": "say it again",
  r"of either": "name them",
  r"(?:what|which) (?:is|are) none": "say which",
  r"take[sn]? (?:nobody|no one|none|others|it) along": "affect no other process",
  r"nobody|whoever|whomever|everyone": "name who or what",
  r"he|she|him|his|her|himself|herself": "name the program",
  r"(?:process(?:es)?|launch(?:es|ers?)?|runs?|workers?|programs?|parent|child|whoever|one) (?:dies?|died)": "exits, is killed",
  r"dear|dearer|dearest": "costs more, expensive",
  r"at the (?:most|least)": "at most, at least",
  r"the question (?:why|whether|which|how|what)": "why, whether, …",
  r"the truth is": "the exact value is",
  r"(?<=, )(?:to|in|on|of|for|by) (?:the )?\w+,? neither": "affects neither … nor …",
  r"not even if it is not": "even if it is not",
  r"com(?:es?|ing) to (?:the|an) end|came to (?:the|an) end": "finishes, ends",
  r"its own place": "the original position",
  r"(?<!there )(?:is|are|was|were) no (?!more|longer|less|better|worse|larger|smaller|need|reason|gain|use)": "is not a",
  r"(?<![,;] )but for": "except for",
  r"be it that|as it were": "even if",
  r"needs not": "need not",
  r"bec(?:ame|omes?) of": "happened to",
  r"some (?=\d)": "about",
  r"the (?:former|latter)": "name it",
  r"seldom|hitherto|henceforth|whence|thence|thereof|whereof|wherein|whereby|therewith|whereupon|betimes": "a common word",
  r"all the same": "still, nevertheless",
  r"as much as to": "say it directly",
  r"held against": "compared with, checked against",
  r"of old": "earlier",
  r"comes? about": "arises",
  r"be had": "be obtained",
  r"stand(?:s|ing)? (?:in|for) for": "stand for",
  r"without more ado|all along|once and for all": "say it directly",
}
ANY_PATTERN = re.compile(rf"\b(?:{'|'.join(WORDING)})\b", re.IGNORECASE)
PATTERNS = [(re.compile(rf"\b(?:{phrase})\b", re.IGNORECASE), instead) for phrase, instead in WORDING.items()]

# A full stop that does not end a sentence.
ABBREVIATIONS = re.compile(
  r"\b(?:e\.g|i\.e|cf|vs|approx|resp|al(?=\. \()|(?:eqs?|figs?|secs?|sects?|no|pp?|vol|chap|app)(?=\. ?\d))\.",
  re.IGNORECASE,
)
SENTENCE_END = re.compile(r"(?<=[.!?])[\"”’)\]]*\s+(?=[\"“‘(\[]*[A-Z0-9À-ÞΑ-Ω\x00])")
MASK = "\x00"  # stands for code, an equation, a quotation or an address: one word without letters


def masked(text: str) -> str:
  """The text with code, equations, addresses and quotations masked, and links replaced by their words."""
  text = re.sub(r"!\[[^\]]*\]\([^)]*\)|\{\w+\}(?=`)", "", text)
  text = re.sub(r"``.+?``|`[^`]+`|\$[^$]+\$|\$\$.+?\$\$", MASK, text)
  text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
  return re.sub(r"<?https?://[^\s>)]+>?|\"[^\"]{1,80}\"|“[^”]{1,80}”|《[^》]*》", MASK, text)


def sentences(text: str) -> list[str]:
  """The sentences of a masked text; abbreviations such as "e.g." and "et al." end none."""
  kept = ABBREVIATIONS.sub(lambda match: match[0].replace(".", "\x01"), text)
  return [sentence.replace("\x01", ".").strip() for sentence in SENTENCE_END.split(kept) if sentence.strip()]


def count_words(sentence: str) -> int:
  """Words of a masked sentence. Numbers, symbols of one letter and sources in parentheses do not count."""
  sentence = re.sub(r"\([^()]*\b(?:1[89]|20)\d\d[^()]*\)", "", sentence)
  return len(re.findall(rf"{MASK}|\b[aAI]\b|[^\W\d_][\w'’-]*\w", sentence))


def check(passage: Passage) -> Iterator[tuple[str, str]]:
  """(rule, sentence) for each breach in a passage."""
  text = masked(passage.text)
  found = sentences(text)
  if not found:
    return
  is_docstring = passage.kind in ("module", "docstring")
  is_question = passage.kind == "module" and found[0].endswith("?")
  if passage.opens and passage.kind not in ("error", "guide") and not is_question:
    word = re.sub(r"[^\w\x00]*(\w*).*", r"\1", found[0])
    if (OPENINGS if is_docstring else LOOSE_OPENINGS).fullmatch(word):
      yield f"opening: start with a verb or with the thing, not with {word!r}", found[0]
  if passage.opens and is_docstring and passage.height > MOST_LINES_OF_A_SUMMARY:
    yield f"summary: {passage.height} lines, at most {MOST_LINES_OF_A_SUMMARY}", text
  for i, sentence in enumerate(found):
    most = MOST_WORDS_OF_A_SUMMARY if passage.opens and is_docstring and i == 0 else MOST_WORDS
    if (words := count_words(sentence)) > most:
      yield f"length: {words} words, at most {most}", sentence
    if match := UNIT.search(sentence):
      yield f"units: write 'per' in {match[0]!r}", sentence
    for pattern, instead in PATTERNS if ANY_PATTERN.search(sentence) else []:
      if match := pattern.search(sentence):
        yield f"wording: {match[0]!r}, write: {instead}", sentence
