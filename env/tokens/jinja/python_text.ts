/** Implements Python's case conversion and line splitting. */

/**
 * Maps all forms of a digraph, such as `Ǆ`, `ǅ` and `ǆ`, to its title-case form `ǅ`, which is neither upper nor lower
 * case. `ŉ` is also listed: its title-case form consists of two characters.
 */
const TITLE_FORMS: ReadonlyMap<string, string> = new Map(
  ["Ǆǅǆ", "Ǉǈǉ", "Ǌǋǌ", "Ǳǲǳ"].flatMap((forms) =>
    [...forms].map((form): [string, string] => [form, forms[1]!])
  ).concat([["ŉ", "ʼN"]]),
);

const GREEK_WITH_IOTA = /^[\u1f80-\u1faf\u1fb3\u1fbc\u1fc3\u1fcc\u1ff3\u1ffc]$/;
const GEORGIAN = /^[\u10d0-\u10fa\u10fd-\u10ff]$/;

/** Converts a character to title case: `ß` to `Ss`, `ǆ` to `ǅ`. */
function titleCase(character: string): string {
  const form = TITLE_FORMS.get(character);
  if (form !== undefined) return form;
  if (GEORGIAN.test(character)) return character;
  if (GREEK_WITH_IOTA.test(character)) return greekTitle(character);
  const [first, ...rest] = character.toUpperCase();
  // An iota subscript becomes a capital iota in upper case, but stays a subscript in title case.
  const others = rest.join("").toLowerCase().replace("ι", "\u0345");
  return (first ?? "") + others;
}

/**
 * Converts a Greek letter with an iota subscript to title case. The code point of the title-case form is eight or nine
 * higher than that of the lower-case form.
 */
function greekTitle(character: string): string {
  const code = character.charCodeAt(0);
  if (code >= 0x1fb0) return String.fromCharCode((code & 0xfff0) | 0xc);
  return String.fromCharCode(code | 8);
}

const CASED = /[\p{Lowercase}\p{Uppercase}\p{Lt}]/u;

/** Checks whether a character is in lower, upper or title case. */
export function isCased(character: string): boolean {
  return CASED.test(character);
}

/** Implements Python's `text.title()`: capitalizes each run of cased characters. */
export function title(text: string): string {
  let out = "";
  let inside = false;
  for (const character of text) {
    out += inside ? character.toLowerCase() : titleCase(character);
    inside = isCased(character);
  }
  return out;
}

/** Implements Python's `text.capitalize()`. */
export function capitalize(text: string): string {
  const [first] = text;
  if (first === undefined) return "";
  return titleCase(first) + text.slice(first.length).toLowerCase();
}

/** Implements Python's `text.swapcase()`. */
export function swapCase(text: string): string {
  return Array.from(text, (character) => {
    const upper = character.toUpperCase();
    return character === upper ? character.toLowerCase() : upper;
  }).join("");
}

const LINE_ENDS = "\\r\\n|[\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029]";
const LINE_END = new RegExp(LINE_ENDS, "g");

/** Implements Python's `text.splitlines(keepends)`. */
export function splitLines(text: string, keepEnds = false): string[] {
  const lines: string[] = [];
  let from = 0;
  for (const { index, 0: end } of text.matchAll(LINE_END)) {
    const to = index + end.length;
    lines.push(text.slice(from, keepEnds ? to : index));
    from = to;
  }
  if (from < text.length) lines.push(text.slice(from));
  return lines;
}
