/** What the original raises out of a conversation or an evaluation, where Python's class of it is known. */

/** The classes that are told apart. */
export type PythonClass =
  | "ValueError"
  | "KeyError"
  | "TypeError"
  | "AttributeError"
  | "AssertionError"
  | "JSONDecodeError"
  | "ValidationError";

/** An error that ends a conversation or an evaluation: neither the agent nor the user is told of it. */
export class RaisedError extends Error {
  override readonly name = "RaisedError";
  /** As whose error the original raises it. */
  readonly pythonClass: PythonClass;

  constructor(pythonClass: PythonClass, message: string) {
    super(message);
    this.pythonClass = pythonClass;
  }
}
