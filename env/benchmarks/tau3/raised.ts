/** Defines the errors that upstream raises in a conversation or an evaluation, with their Python classes. */

/** The Python exception classes that {@linkcode RaisedError} distinguishes. */
export type PythonClass =
  | "ValueError"
  | "KeyError"
  | "TypeError"
  | "AttributeError"
  | "AssertionError"
  | "JSONDecodeError"
  | "ValidationError";

/** An error that ends a conversation or an evaluation and is not shown to the agent or the user. */
export class RaisedError extends Error {
  override readonly name = "RaisedError";
  /** The class of the exception that upstream raises. */
  readonly pythonClass: PythonClass;

  constructor(pythonClass: PythonClass, message: string) {
    super(message);
    this.pythonClass = pythonClass;
  }
}
