/**
 * Executes notebooks in Jupyter without a user interface. Each notebook runs in a separate kernel, and its outputs are
 * written to a copy of the file.
 */

import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { DataError } from "../../env/errors.ts";
import { KERNEL, writeKernel } from "./kernel.ts";
import { codeCells, type Notebook } from "./notebook_file.ts";
import { endOf, linesOf } from "../../env/child_process.ts";

/** The failure of a notebook cell. */
export interface CellFailure {
  /** The one-based number of the cell among all cells. */
  readonly cell: number;
  readonly id: string;
  /** The name of the error, such as `TypeError`. */
  readonly name: string;
  readonly message: string;
  readonly trace: string;
}

/** The result of executing a notebook. */
export interface Execution {
  readonly notebook: string;
  /** The number of code cells in the notebook. */
  readonly cells: number;
  /** The number of code cells that completed. */
  readonly ran: number;
  readonly seconds: number;
  readonly outcome: "ok" | "failed" | "timed_out" | "interrupted";
  readonly failure: CellFailure | null;
  /**
   * The path of the notebook with outputs, or `null` if the execution was interrupted or timed out, or if the notebook
   * with outputs was discarded.
   */
  readonly executed: string | null;
}

/** Options for {@linkcode executeNotebook}. */
export interface ExecuteOptions {
  /** The path of a Python executable with Jupyter installed. */
  readonly python: string;
  /** The directory for the notebook with outputs. */
  readonly out: string;
  /** The directory for Jupyter's configuration and data files. See {@linkcode jupyterHome}. */
  readonly home: string;
  /** The time limit for the whole notebook, in seconds. */
  readonly timeoutS: number;
  readonly signal?: AbortSignal | undefined;
  /** Called when a code cell starts, with the number of completed code cells and the total. */
  readonly onCell?: (done: number, of: number) => void;
}

const eventSchema = z.discriminatedUnion("event", [
  z.object({ event: z.literal("kernel"), pid: z.int() }),
  z.object({ event: z.literal("begin"), cell: z.int() }),
  z.object({ event: z.literal("end"), cell: z.int(), seconds: z.number() }),
  z.object({
    event: z.literal("error"),
    cell: z.int(),
    name: z.string(),
    message: z.string(),
    trace: z.string(),
  }),
]);

/**
 * Prepares a directory for Jupyter's configuration and data, separate from the user's, with a kernel that runs the
 * current Deno executable.
 * @returns The environment variables that make Jupyter use this directory.
 */
export async function jupyterHome(
  dir: string,
): Promise<Record<string, string>> {
  await writeKernel(join(dir, "path"));
  return {
    JUPYTER_PATH: join(dir, "path"),
    JUPYTER_DATA_DIR: join(dir, "data"),
    JUPYTER_CONFIG_DIR: join(dir, "config"),
    JUPYTER_RUNTIME_DIR: join(dir, "runtime"),
    IPYTHONDIR: join(dir, "ipython"),
  };
}

/**
 * Executes a notebook until it ends, a cell fails, the time limit is reached or the signal is aborted. Cells run in the
 * notebook's directory, and the notebook file is not modified. Aborting the signal ends the kernel.
 * @throws {DataError} If Jupyter itself fails. The message contains the last lines of its output.
 */
export async function executeNotebook(
  notebook: Notebook,
  options: ExecuteOptions,
): Promise<Execution> {
  const { out, timeoutS, signal } = options;
  const executed = join(resolve(out), `${notebook.name}.ipynb`);
  const timeout = AbortSignal.timeout(timeoutS * 1000);
  const either = AbortSignal.any(signal ? [timeout, signal] : [timeout]);
  const began = performance.now();
  const run = new Run(notebook, options);
  const { code, words } = await run.execute(executed, either);
  const { failure, ran } = run;
  // An aborted cell also reports a dead kernel, so the signals are checked first.
  const outcome = signal?.aborted
    ? "interrupted"
    : timeout.aborted
    ? "timed_out"
    : failure === null
    ? "ok"
    : "failed";
  if (outcome === "ok" && code !== 0) {
    throw new DataError(
      `Jupyter could not execute "${notebook.path}" with ${options.python}: ${
        words.slice(-5).join("\n") || `exit status ${code}`
      }`,
    );
  }
  return {
    notebook: notebook.name,
    cells: codeCells(notebook).length,
    ran,
    seconds: (performance.now() - began) / 1000,
    outcome,
    failure: outcome === "failed" ? failure : null,
    executed: outcome === "ok" || outcome === "failed" ? executed : null,
  };
}

/** Options for {@linkcode executeNotebooks}. */
export interface ExecuteAllOptions
  extends Pick<ExecuteOptions, "python" | "timeoutS" | "signal"> {
  /** The directory for the notebooks with outputs. Default: the notebooks with outputs are discarded. */
  readonly out?: string | undefined;
  /** Called when a code cell of a notebook starts, with the number of completed code cells and the total. */
  readonly onCell?: (notebook: Notebook, done: number, of: number) => void;
  /** Called after each notebook with its result. */
  readonly onEnd?: (execution: Execution) => void;
}

/**
 * Executes notebooks one after the other.
 * @returns The results of all notebooks that were started before the signal was aborted.
 */
export async function executeNotebooks(
  notebooks: readonly Notebook[],
  { out, onCell, onEnd, ...options }: ExecuteAllOptions,
): Promise<Execution[]> {
  const home = await Deno.makeTempDir({ prefix: "taulab-jupyter-" });
  const done: Execution[] = [];
  try {
    if (out !== undefined) await Deno.mkdir(out, { recursive: true });
    for (const notebook of notebooks) {
      if (options.signal?.aborted) break;
      const execution = await executeNotebook(notebook, {
        ...options,
        home,
        out: out ?? home,
        onCell: (ran, of) => onCell?.(notebook, ran, of),
      });
      onEnd?.(execution);
      done.push(
        out === undefined ? { ...execution, executed: null } : execution,
      );
    }
    return done;
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

class Run {
  readonly #notebook: Notebook;
  readonly #options: ExecuteOptions;
  #kernel: number | undefined;
  failure: CellFailure | null = null;
  ran = 0;

  constructor(notebook: Notebook, options: ExecuteOptions) {
    this.#notebook = notebook;
    this.#options = options;
  }

  async execute(executed: string, signal: AbortSignal) {
    const { python, home } = this.#options;
    const { path } = this.#notebook;
    const child = new Deno.Command(python, {
      args: [
        fileURLToPath(new URL("execute.py", import.meta.url)),
        resolve(path),
        executed,
        resolve(dirname(path)),
        KERNEL,
      ],
      env: await jupyterHome(home),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const words: string[] = [];
    const [{ code }] = await Promise.all([
      endOf(child, { signal, onKilled: () => this.#endKernel() }),
      this.#follow(child.stdout),
      (async () => {
        for await (const line of linesOf(child.stderr)) words.push(line);
      })(),
    ]);
    return { code, words };
  }

  async #follow(stdout: ReadableStream<Uint8Array>): Promise<void> {
    const cells = codeCells(this.#notebook).length;
    for await (const line of linesOf(stdout)) {
      const event = eventSchema.parse(JSON.parse(line));
      if (event.event === "kernel") this.#kernel = event.pid;
      if (event.event === "begin") this.#options.onCell?.(this.ran, cells);
      if (event.event === "end") this.ran++;
      if (event.event === "error") this.failure = this.#failureOf(event);
    }
  }

  #failureOf(
    { cell, name, message, trace }: Omit<CellFailure, "id">,
  ): CellFailure {
    const { id } = this.#notebook.cells[cell]!;
    return { cell: cell + 1, id, name, message, trace };
  }

  /** Kills the kernel, in case Jupyter has not shut it down. */
  #endKernel(): void {
    if (this.#kernel === undefined) return;
    try {
      Deno.kill(this.#kernel, "SIGKILL");
    } catch {
      // It has already exited.
    }
  }
}
