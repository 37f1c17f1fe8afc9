/** Finds the regular expression literals in source code without running the code. */

/** A regular expression literal in source code. */
export interface RegexLiteral {
  /** The number of the line where the literal begins, starting at 1. */
  readonly line: number;
  readonly source: string;
  readonly flags: string;
}

/**
 * Matches code that ends with a keyword, such as `return`, after which a slash begins a regular expression. After any
 * other word, a slash is a division.
 */
const BEFORE_REGEX =
  /(?:^|[^\w$.])(?:return|typeof|case|in|of|do|else|yield|await|void|delete|new)$/;

/** Returns the regular expression literals in TypeScript or JavaScript code, in order. */
export function regexLiterals(code: string): RegexLiteral[] {
  const found: RegexLiteral[] = [];
  /** The code before the current position, without strings and comments. The meaning of a slash depends on it. */
  let before = "";
  /** The brace depths at which the enclosing template literals continue. */
  const templates: number[] = [];
  let depth = 0;
  for (let at = 0; at < code.length;) {
    const rest = code.slice(at, at + 2);
    const character = code[at]!;
    if (rest === "//" || rest === "/*") {
      at = afterComment(code, at);
    } else if (character === '"' || character === "'") {
      at = afterQuote(code, at, character);
      before = "x";
    } else if (
      character === "`" || (character === "}" && templates.at(-1) === depth)
    ) {
      if (character === "}") templates.pop();
      const end = templateEnd(code, at + 1);
      if (code[end] === "`") before = "x";
      else {
        templates.push(depth);
        before = "(";
      }
      at = end + (code[end] === "`" ? 1 : 2);
    } else if (character === "/" && beginsRegex(before)) {
      const [source, flags] = literalAt(code, at);
      found.push({ line: code.slice(0, at).split("\n").length, source, flags });
      at += source.length + flags.length + 2;
      before = "x";
    } else {
      if (character === "{") depth++;
      if (character === "}") depth--;
      if (/\s/.test(character)) {
        if (/[\w$]$/.test(before)) before += " ";
      } else before = (before + character).slice(-24);
      at++;
    }
  }
  return found;
}

function beginsRegex(before: string): boolean {
  // After a value, `!` is a non-null assertion.
  const code = before.trimEnd().replace(/(?<=[\w$)\]])!+$/, "");
  return code === "" || /[(,=:[!&|?{};+\-*%<>~^]$/.test(code) ||
    BEFORE_REGEX.test(code);
}

function afterComment(code: string, at: number): number {
  const close = code[at + 1] === "/" ? "\n" : "*/";
  const end = code.indexOf(close, at + 2);
  return end < 0 ? code.length : end + (close === "\n" ? 0 : 2);
}

function afterQuote(code: string, at: number, quote: string): number {
  for (let i = at + 1; i < code.length; i++) {
    if (code[i] === "\\") i++;
    else if (code[i] === quote) return i + 1;
  }
  return code.length;
}

/** Returns the index where a text of a template literal ends: at the closing quote, or at the `$` of a `${`. */
function templateEnd(code: string, at: number): number {
  for (let i = at; i < code.length; i++) {
    if (code[i] === "\\") i++;
    else if (code[i] === "`" || code.startsWith("${", i)) return i;
  }
  return code.length;
}

function literalAt(code: string, at: number): [source: string, flags: string] {
  let isClass = false;
  for (let i = at + 1; i < code.length; i++) {
    const character = code[i];
    if (character === "\\") i++;
    else if (character === "[") isClass = true;
    else if (character === "]") isClass = false;
    else if (character === "/" && !isClass) {
      return [code.slice(at + 1, i), /^[a-z]*/.exec(code.slice(i + 1))![0]];
    }
  }
  return [code.slice(at + 1), ""];
}
