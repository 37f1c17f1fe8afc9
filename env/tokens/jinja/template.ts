/**
 * Renders chat templates as jinja2 3.1.6 does in the sandbox of Hugging Face's transformers, but in bounded time and
 * memory for any template. See README.md for unsupported features.
 */

import { ToolError } from "../../errors.ts";
import { compileStatements } from "./compile_statement.ts";
import { JinjaError, limitError, typeError } from "./template_error.ts";
import { entrance, Frame } from "./frame.ts";
import { GLOBALS } from "./globals.ts";
import { LIMITS, type Limits, Machine } from "./machine.ts";
import type { Statement } from "./ast.ts";
import { parseTemplate } from "./parser.ts";
import {
  analyzeStatements,
  FunctionLayout,
  Scope,
  undeclared,
} from "./scope.ts";
import { PyObject, type Value } from "./values.ts";

/** Options for {@linkcode JinjaTemplate.render}. */
export interface JinjaRenderOptions {
  /** The time that `strftime_now` formats. Default: the time of the call. */
  readonly now?: Date | undefined;
  /** Limits on the rendering. Default: {@linkcode LIMITS}. */
  readonly limits?: Partial<Limits>;
}

/** A parsed and compiled template. */
export class JinjaTemplate {
  readonly #render: (machine: Machine) => void;

  /**
   * Parses and compiles a template.
   * @throws {JinjaError} If the source is not a valid template. The error contains the line, unless the template
   * exceeds a limit.
   */
  constructor(source: string) {
    this.#render = guarded(() => compile(parseTemplate(source)));
  }

  /**
   * Renders the template.
   * @param variables The variables, keyed by name. A dict must be passed as a `Map`.
   * @throws {JinjaError} If Python would raise an error, or a limit is exceeded. The error contains the line.
   */
  render(
    variables: ReadonlyMap<string, Value>,
    { now = new Date(), limits }: JinjaRenderOptions = {},
  ): string {
    const machine = new Machine({
      context: variables,
      globals: GLOBALS,
      now,
      limits: { ...LIMITS, ...limits },
    });
    return guarded(() => {
      this.#render(machine);
      return machine.out;
    }, machine);
  }
}

function compile(statements: readonly Statement[]): (machine: Machine) => void {
  const layout = new FunctionLayout(null);
  const scope = new Scope(null, layout);
  // Jinja's reference to the template. Calling its blocks is not supported.
  const self = undeclared(statements, ["self"]).size > 0
    ? scope.declareParameter("self").slot
    : null;
  analyzeStatements(statements, scope);
  const run = compileStatements(statements, {
    scope,
    soft: false,
    inLoop: false,
    exports: true,
    blocks: new Set(),
  });
  const enter = entrance(scope);
  return (machine) => {
    const frame = new Frame(layout, { parent: null, machine });
    if (self !== null) frame.slots[self] = new TemplateReference();
    enter?.(frame);
    run(frame);
  };
}

class TemplateReference extends PyObject {
  override readonly typeName = "TemplateReference";

  override repr(): string {
    return "<TemplateReference None>";
  }
}

/**
 * Runs a function, and converts each `RangeError` of the JavaScript engine and each {@linkcode ToolError} to a
 * {@linkcode JinjaError}. If `machine` is passed, errors without a line get the line of the current statement.
 */
function guarded<T>(run: () => T, machine?: Machine): T {
  try {
    return run();
  } catch (error) {
    const known = asJinjaError(error);
    if (known.line === 0 && machine !== undefined) known.line = machine.line;
    throw known;
  }
}

function asJinjaError(error: unknown): JinjaError {
  if (error instanceof JinjaError) return error;
  if (error instanceof ToolError) return typeError(error.message);
  if (error instanceof RangeError) {
    // Thrown by the JavaScript engine: call stack or string length exceeded.
    return limitError(
      /stack/.test(error.message) ? "nesting depth" : "string length",
    );
  }
  throw error;
}
