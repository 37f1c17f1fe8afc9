/** Defines the errors of the Jinja engine, which contain the line in the template. */

/**
 * The kind of an error. `syntax`: the template is invalid. `raised`: the template called `raise_exception`.
 * `undefined`: the template used an undefined value. `limit`: the template exceeds a limit, for example on work or
 * memory. `type`: any other error that Python raises.
 */
export type JinjaErrorKind =
  | "syntax"
  | "raised"
  | "undefined"
  | "limit"
  | "type";

/** An error that is thrown if a template is invalid or its rendering fails. */
export class JinjaError extends Error {
  override readonly name = "JinjaError";
  readonly kind: JinjaErrorKind;
  /** The one-based line in the template, or 0 if the line is not known. */
  line: number;

  constructor(kind: JinjaErrorKind, message: string, line = 0) {
    super(message);
    this.kind = kind;
    this.line = line;
  }
}

/** Creates an error for invalid syntax. */
export function syntaxError(message: string, line: number): JinjaError {
  return new JinjaError("syntax", message, line);
}

/** Creates an error that corresponds to Python's `TypeError`, `ValueError` or a similar exception. */
export function typeError(message: string): JinjaError {
  return new JinjaError("type", message);
}

/** Creates an error for an exceeded limit. */
export function limitError(what: string): JinjaError {
  return new JinjaError("limit", `the template exceeds the limit on ${what}`);
}
