/**
 * Displays untrusted text verbatim, except for characters that hide or reorder the text around them, which are shown by
 * name.
 */

import { h } from "./dom.js";

/** The length of the part of a text that is shown initially, in UTF-16 units. */
const SHOWN_AT_FIRST = 20_000;
/** The length added per click, limited so that the page stays responsive. */
const SHOWN_AT_ONCE = 100_000;

/**
 * Matches control characters except tab and newline, and characters that change direction, or join, hide or separate
 * characters.
 */
const HIDDEN =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

/** @type {Readonly<Record<string, string>>} */
const NAMES = {
  "0": "NUL",
  "7": "BEL",
  "8": "BS",
  "d": "CR",
  "1b": "ESC",
  "7f": "DEL",
  "ad": "soft hyphen",
  "200b": "zero-width space",
  "200c": "zero-width non-joiner",
  "200d": "zero-width joiner",
  "200e": "left-to-right mark",
  "200f": "right-to-left mark",
  "2028": "line separator",
  "2029": "paragraph separator",
  "202a": "left-to-right embedding",
  "202b": "right-to-left embedding",
  "202c": "pop directional formatting",
  "202d": "left-to-right override",
  "202e": "right-to-left override",
  "2060": "word joiner",
  "2066": "left-to-right isolate",
  "2067": "right-to-left isolate",
  "2068": "first strong isolate",
  "2069": "pop directional isolate",
  "feff": "byte order mark",
};

/**
 * Creates a block of text with its own direction. A long text is truncated, with a button that shows more of it.
 * @param {string} text
 * @param {{ className?: string }} [options]
 * @returns {HTMLElement}
 */
export function textBlock(text, { className = "said" } = {}) {
  const block = h("div", { class: className, dir: "auto" });
  if (text.length <= SHOWN_AT_FIRST) {
    block.append(visible(text));
    return block;
  }
  let shown = whole(text, SHOWN_AT_FIRST);
  block.append(visible(text.slice(0, shown)));
  const more = h("button", { type: "button", class: "more" });
  const label = () => {
    more.textContent = `Show more (${
      (text.length - shown).toLocaleString("en-US")
    } of ${text.length.toLocaleString("en-US")} characters remaining)`;
  };
  more.addEventListener("click", () => {
    const to = whole(text, shown + SHOWN_AT_ONCE);
    more.before(visible(text.slice(shown, to)));
    shown = to;
    if (shown >= text.length) more.remove();
    else label();
  });
  label();
  block.append(more);
  return block;
}

/**
 * Creates a short inline text, isolated from the surrounding direction.
 * @param {string} text
 * @param {number} [limit]
 */
export function inline(text, limit = 400) {
  const cut = text.length > limit
    ? `${text.slice(0, whole(text, limit))}…`
    : text;
  return h("bdi", visible(cut.replaceAll("\n", " ")));
}

/**
 * Returns the text with invisible characters made visible.
 * @param {string} text
 * @returns {DocumentFragment}
 */
export function visible(text) {
  const fragment = document.createDocumentFragment();
  let from = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (isOfEmoji(text, match.index, match[0])) continue;
    fragment.append(text.slice(from, match.index), named(match[0]));
    from = match.index + match[0].length;
  }
  fragment.append(text.slice(from));
  return fragment;
}

/** @param {string} character */
function named(character) {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  const number = `U+${code.toUpperCase().padStart(4, "0")}`;
  const name = NAMES[code];
  return h("span.hidden-character", {
    title: name === undefined ? number : `${number}, ${name}`,
  }, name ?? number);
}

/**
 * Checks whether a joiner or a variation selector is part of an emoji, as in 👩‍💻 and ❤️.
 * @param {string} text
 * @param {number} index
 * @param {string} character
 */
function isOfEmoji(text, index, character) {
  if (
    character !== "\u200d" && character !== "\ufe0f" && character !== "\ufe0e"
  ) {
    return false;
  }
  const before = [...text.slice(Math.max(0, index - 4), index)].at(-1) ?? "";
  return /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|[#*0-9\ufe0f])/u
    .test(before);
}

/**
 * Returns a position at which the text can be cut without splitting a surrogate pair.
 * @param {string} text
 * @param {number} at
 */
function whole(text, at) {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at + 1 : Math.min(at, text.length);
}

/** The nesting depth above which JSON is not indented, since the indentation alone would exhaust the memory. */
const MAX_DEPTH = 100;

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * Indents JSON without changing its tokens, so `1.0` stays `1.0`. Returns `null` if the text is not a JSON object or
 * array, or is too long or too deep.
 * @param {string} text
 * @returns {string | null}
 */
export function indentJson(text) {
  if (!/^\s*[{[]/.test(text) || text.length > 200_000) return null;
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  /** @type {string[]} */
  const parts = [];
  let depth = 0;
  let last = "";
  for (const [token] of text.matchAll(TOKEN)) {
    const closes = token === "}" || token === "]";
    const isFirst = last === "{" || last === "[";
    if (closes) depth--;
    if (closes ? !isFirst : isFirst || last === ",") {
      parts.push(`\n${"  ".repeat(depth)}`);
    }
    parts.push(token === ":" ? ": " : token);
    if (token === "{" || token === "[") depth++;
    if (depth > MAX_DEPTH) return null;
    last = token;
  }
  return parts.join("");
}
