/** The errors of the Jinja engine, each with the template's line. */

/**
 * What went wrong: `syntax` the template cannot be read, `raised` it called `raise_exception`, `undefined` it used
 * what is not defined, `limit` it takes too much work or memory, `type` everything else that Python refuses.
 */
export type JinjaErrorKind =
  | "syntax"
  | "raised"
  | "undefined"
  | "limit"
  | "type";

/** A template that cannot be read or rendered. */
export class JinjaError extends Error {
  override readonly name = "JinjaError";
  readonly kind: JinjaErrorKind;
  /** The line in the template, from 1; 0 until it is known. */
  line: number;

  constructor(kind: JinjaErrorKind, message: string, line = 0) {
    super(message);
    this.kind = kind;
    this.line = line;
  }
}

/** A template that cannot be read. */
export function syntaxError(message: string, line: number): JinjaError {
  return new JinjaError("syntax", message, line);
}

/** Python's `TypeError`, `ValueError` and their like. */
export function typeError(message: string): JinjaError {
  return new JinjaError("type", message);
}

/** A render that takes more than it may. */
export function limitError(what: string): JinjaError {
  return new JinjaError("limit", `the template exceeds its limit of ${what}`);
}
