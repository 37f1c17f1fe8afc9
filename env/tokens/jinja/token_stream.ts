/** A cursor over tokens, for the parsers. */

import { syntaxError } from "./template_error.ts";
import type { Token, TokenType } from "./lexer.ts";
import type { JinjaError } from "./template_error.ts";

/** How deep expressions and blocks may nest. Python's own limit is near. */
const MAX_DEPTH = 180;

/** Tokens in turn. */
export class TokenStream {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  /** @param tokens The last of them is `eof`. */
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** The token that is next. */
  get current(): Token {
    return this.#tokens[this.#at]!;
  }

  /** The token after it. */
  get following(): Token {
    return this.#tokens[this.#at + 1] ?? this.current;
  }

  /** Goes on; gives the token that was next. */
  next(): Token {
    const token = this.current;
    if (token.type !== "eof") this.#at++;
    return token;
  }

  /** Whether the next token is of a type, and for a name which. */
  is(type: TokenType, text?: string): boolean {
    const token = this.current;
    return token.type === type && (text === undefined || token.text === text);
  }

  /** Whether the next token is one of some names. */
  isName(...names: readonly string[]): boolean {
    return this.current.type === "name" && names.includes(this.current.text);
  }

  /** Takes the next token if it is that. */
  skip(type: TokenType, text?: string): boolean {
    if (!this.is(type, text)) return false;
    this.next();
    return true;
  }

  /** Takes the next token. @throws {JinjaError} If it is another. */
  expect(type: TokenType, text?: string): Token {
    if (this.is(type, text)) return this.next();
    const wanted = describe(type, text);
    throw this.current.type === "eof"
      ? this.error(`unexpected end of template, expected '${wanted}'.`)
      : this.error(`expected token '${wanted}', got '${this.shown}'`);
  }

  /** Runs a parser within another. @throws {JinjaError} If there are too many within each other. */
  nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_DEPTH) {
      throw this.error(`nested deeper than ${MAX_DEPTH} levels`);
    }
    const result = parse();
    this.#depth--;
    return result;
  }

  /** The next token as errors show it. */
  get shown(): string {
    const { type, text } = this.current;
    return describe(type, type === "name" ? text : undefined);
  }

  /** An error at the next token. */
  error(message: string, line: number = this.current.line): JinjaError {
    return syntaxError(message, line);
  }
}

const DESCRIPTIONS: Partial<Record<TokenType, string>> = {
  data: "template data / text",
  variable_begin: "begin of print statement",
  variable_end: "end of print statement",
  block_begin: "begin of statement block",
  block_end: "end of statement block",
  eof: "end of template",
};

function describe(type: TokenType, text?: string): string {
  return text ?? DESCRIPTIONS[type] ?? type;
}
