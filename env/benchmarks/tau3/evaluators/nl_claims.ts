/**
 * Extracts checkable claims from assertions in natural language: numbers, words or an address that the agent must
 * state, or actions. An assertion of any other form has no claims.
 */

/** A claim of an assertion. `subject` contains the stems of the words that name the claim's subject. */
export type Claim =
  | {
    readonly kind: "number";
    readonly value: number;
    /** The stem of the word after the number, such as `hour`; empty if no word follows. */
    readonly unit: string;
    readonly subject: ReadonlySet<string>;
  }
  | {
    readonly kind: "word";
    /** The word's stem. */
    readonly word: string;
    readonly subject: ReadonlySet<string>;
  }
  | {
    readonly kind: "place";
    /** The parts of the address in lower case, such as `943 maple drive` and `suite 356`. */
    readonly parts: readonly string[];
  }
  | {
    readonly kind: "action";
    readonly words: ReadonlySet<string>;
  };

/** A number in a text. */
export interface NumberMention {
  readonly value: number;
  /** The start index, including a currency sign. */
  readonly start: number;
  /** The end index, exclusive. */
  readonly end: number;
}

const STOP_WORDS = new Set(
  "agent should tell inform provide say mention the user that there are is a an and of to for in their they them was were be will would need get give with on at as it its this other one two both all"
    .split(" ").map(stem),
);

const TELLING = ["tell", "inform", "provide", "say", "mention", "communicate"]
  .map(stem);

/** Words that negate an assertion. A negated assertion has no claims. */
const NEGATIONS = ["not", "never", "no", "refuse", "deny", "without", "cannot"]
  .map(stem);

/** Returns the claims of an assertion, or an empty list if the assertion is negated or has an unknown form. */
export function claimsOf(assertion: string): Claim[] {
  const words = stems(assertion);
  if (NEGATIONS.some((word) => words.has(word))) return [];
  if (!TELLING.some((word) => words.has(word))) {
    return [{ kind: "action", words }];
  }
  const parts = placeIn(assertion);
  if (parts.length > 0) return [{ kind: "place", parts }];
  const numbers = numbersIn(assertion);
  const subject = subjectOf(words, numbers.length);
  if (numbers.length > 0) {
    return numbers.map(({ value, end }) => ({
      kind: "number",
      value,
      unit: firstStem(assertion.slice(end)),
      subject,
    }));
  }
  const said = wordsAtTheEnd(assertion);
  const about = new Set([...subject].filter((word) => !said.includes(word)));
  return said.map((word) => ({ kind: "word", word, subject: about }));
}

/** Finds the numbers in a text. Numbers within ids are excluded: `#W2378156` contains none. */
export function numbersIn(text: string): NumberMention[] {
  return [...text.matchAll(/\$?(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?/g)].map((
    { 0: found, index },
  ) => ({
    value: Number(found.replaceAll(",", "").replace("$", "")),
    start: index,
    end: index + found.length,
  }));
}

/** Returns the stems of a text's words, in lower case and without hyphens or plural endings. */
export function stems(text: string): Set<string> {
  return new Set(wordList(text));
}

/** Returns the stem of a word: `T-shirts` and `tshirt` have the same stem. */
export function stem(word: string): string {
  const plain = word.toLowerCase().replaceAll("-", "");
  return plain.length > 3 && plain.endsWith("s") ? plain.slice(0, -1) : plain;
}

/**
 * Returns the stems of a text's words in order. A hyphenated word is followed by its parts of at least three letters:
 * `fullsize`, `full`, `size`.
 */
export function wordList(text: string): string[] {
  const words = text.replaceAll(/['’]/g, "").match(/[A-Za-z][A-Za-z-]*/g) ?? [];
  return words.flatMap((word) => {
    const parts = word.split("-").filter((part) => part.length > 2);
    return word.includes("-") ? [word, ...parts] : [word];
  }).map(stem);
}

function subjectOf(
  words: ReadonlySet<string>,
  numbers: number,
): ReadonlySet<string> {
  const kept = [...words].filter((word) => !STOP_WORDS.has(word));
  return new Set(numbers > 0 ? kept.filter((word) => word !== "gb") : kept);
}

function firstStem(text: string): string {
  const trimmed = text.trimStart();
  const [word] = wordList(trimmed.slice(0, 40));
  return word !== undefined && /^-?[A-Za-z]/.test(trimmed) ? word : "";
}

/** Returns the comma-separated parts of the address in an assertion, or an empty list if there is no address. */
function placeIn(assertion: string): string[] {
  const at = assertion.lastIndexOf(" to ");
  if (at < 0) return [];
  const phrase = assertion.slice(at + 4).replace(/\.$/, "");
  const parts = phrase.split(",").map((part) => part.trim().toLowerCase());
  return parts.length > 2 && /^\d/.test(phrase) ? parts : [];
}

/**
 * Returns the stems of the words after the last `is`, `are` or `with`, such as `polyester` and `cotton`. Stop words are
 * omitted. Returns an empty list if none of the three occurs, or more than three words remain.
 */
function wordsAtTheEnd(assertion: string): string[] {
  const ends = [" is ", " are ", " with "]
    .filter((verb) => assertion.includes(verb))
    .map((verb) => assertion.lastIndexOf(verb) + verb.length);
  if (ends.length === 0) return [];
  const end = assertion.slice(Math.max(...ends));
  const words = wordList(end).filter((word) => !STOP_WORDS.has(word));
  return words.length > 0 && words.length <= 3 ? words : [];
}
