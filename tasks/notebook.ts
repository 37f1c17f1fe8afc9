/** `deno task notebook`: opens the notebooks in JupyterLab with Deno's kernel, executes them, or type-checks them. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { ConfigError } from "../env/errors.ts";
import { checkNotebooks } from "../notebooks/jupyter/check_cells.ts";
import {
  executeNotebooks,
  type Execution,
} from "../notebooks/jupyter/execute.ts";
import { installKernel } from "../notebooks/jupyter/kernel.ts";
import { openLab } from "../notebooks/jupyter/jupyter_lab.ts";
import {
  codeCells,
  readNotebooks,
} from "../notebooks/jupyter/notebook_file.ts";
import { findJupyter } from "../notebooks/jupyter/python.ts";
import { anyPath, runPathOnly } from "./_caller_paths.ts";
import { EXIT, main, type TaskContext, type TaskResult } from "./_cli.ts";
import { refuseFile } from "./_shared_flags.ts";
import { duration } from "../train/progress/amounts.ts";
import { table } from "../train/progress/text_table.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const NOTEBOOKS = join(ROOT, "notebooks");
const KERNEL_DIR = join(NOTEBOOKS, ".jupyter");

const flags = z.object({
  run: z.boolean().default(false).meta({
    description: "Execute the named notebooks, or all, without a browser",
  }),
  check: z.boolean().default(false).meta({
    description: "Type-check the notebooks' cells",
  }),
  install: z.boolean().default(false).meta({
    description:
      "Install Deno's kernel for this user, for VS Code and other Jupyter clients",
  }),
  force: z.boolean().default(false).meta({
    description: "With --install: replace an existing kernel",
  }),
  python: z.string().min(1).optional().meta({
    description:
      "Python interpreter with Jupyter; default: the one in .venv, else python3",
    value: "PROGRAM",
    isPath: runPathOnly,
    env: "TAULAB_PYTHON",
  }),
  port: z.int().min(0).max(65535).default(8888).meta({
    description: "Port of JupyterLab; 0 takes a free one",
  }),
  noOpen: z.boolean().default(false).meta({
    description: "Print the address without opening a browser",
  }),
  dir: z.string().min(1).optional().meta({
    description: "Directory of the notebooks; default: taulab's own",
    value: "DIR",
    isPath: anyPath,
  }),
  out: z.string().min(1).optional().meta({
    description:
      "With --run: directory to write the executed notebooks to; default: discard them",
    value: "DIR",
    isPath: anyPath,
  }),
  timeout: z.number().gt(0).default(600).meta({
    description: "With --run: timeout of each notebook in seconds",
  }),
});

type Flags = z.infer<typeof flags>;

async function run(flags: Flags, context: TaskContext): Promise<TaskResult> {
  refuseIdleFlags(flags, context);
  if (flags.install) return await install(flags, context);
  await requireDirectory(flags);
  if (flags.check) return await check(flags, context);
  return flags.run ? await execute(flags, context) : await open(flags, context);
}

/**
 * Rejects flags and operands that would have no effect.
 * @throws {ConfigError} If flags cannot be used together, or notebooks or `--out` are given without the flag that they
 * need.
 */
function refuseIdleFlags(
  { run, check, install, out }: Flags,
  { operands }: TaskContext,
): void {
  const ways = [run && "--run", check && "--check", install && "--install"]
    .filter((way) => way !== false);
  if (ways.length > 1) {
    throw new ConfigError(`${ways.join(" and ")} cannot be used together`, {
      hint: "pass only one of them",
    });
  }
  if (operands.length > 0 && install) {
    throw new ConfigError(
      `--install has no effect on the notebook "${operands[0]}"`,
      { hint: "omit the name" },
    );
  }
  if (operands.length > 0 && !run && !check) {
    throw new ConfigError(
      `Cannot open the notebook "${
        operands[0]
      }" by its name: names need --run or --check`,
      { hint: "pass --run or --check, or omit the name" },
    );
  }
  if (out !== undefined && !run) {
    throw new ConfigError(
      "--out needs --run",
      {
        hint: check || install
          ? `omit --out, or pass --run instead of ${ways[0]}`
          : "pass --run, or omit --out",
      },
    );
  }
}

/**
 * Checks that the directory of the notebooks exists.
 * @throws {ConfigError} If `dir` does not exist or is not a directory.
 */
async function requireDirectory({ dir = NOTEBOOKS }: Flags): Promise<void> {
  const stat = await Deno.stat(dir).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
  if (stat?.isDirectory) return;
  throw stat === null
    ? new ConfigError(`There is no directory "${dir}"`, {
      hint: "create it, or pass another --dir",
    })
    : new ConfigError(`"${dir}" is a file, not a directory`, {
      hint: "pass the directory that contains the notebooks as --dir",
    });
}

async function open(
  { python: named, port, noOpen, dir = NOTEBOOKS }: Flags,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  const python = await findJupyter({ named, root: ROOT });
  terminal.note(
    `Writing Deno's kernel (${Deno.execPath()}) to ${KERNEL_DIR}; nothing else is installed`,
  );
  let address: string | null = null;
  const code = await openLab({
    python,
    dir,
    kernelDir: KERNEL_DIR,
    port,
    browser: !noOpen,
    signal,
    onLine: (line) => terminal.note(line),
    onReady: (url) => {
      address = url;
      terminal.ready({ url, pid: Deno.pid });
    },
  });
  return {
    json: { url: address, python, kernel: KERNEL_DIR },
    exitCode: code === 0 ? EXIT.done : EXIT.failed,
  };
}

async function install(
  { force }: Flags,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  const { success, said } = await installKernel({ force, signal });
  terminal.note(said);
  return {
    json: { installed: success, said },
    exitCode: success ? EXIT.done : EXIT.failed,
  };
}

async function check(
  { dir = NOTEBOOKS }: Flags,
  { operands, terminal, signal }: TaskContext,
): Promise<TaskResult> {
  const notebooks = await readNotebooks(dir, operands);
  const { text, failed } = await checkNotebooks(notebooks, {
    config: join(ROOT, "deno.json"),
    signal,
  });
  if (text !== "") terminal.note(text);
  const rows = notebooks.map((notebook) => ({
    notebook: notebook.name,
    cells: codeCells(notebook).length,
    outcome: failed.has(notebook.name) ? "failed" : "ok",
  }));
  terminal.print(table([
    ["notebook", "cells", "outcome"],
    ...rows.map((row) => Object.values(row).map(String)),
  ]));
  return {
    json: { notebooks: rows, problems: text },
    exitCode: text === "" ? EXIT.done : EXIT.failed,
  };
}

async function execute(
  { dir = NOTEBOOKS, python: named, timeout, out }: Flags,
  { operands, terminal, signal }: TaskContext,
): Promise<TaskResult> {
  const notebooks = await readNotebooks(dir, operands);
  if (out !== undefined) await refuseFile(out);
  const python = await findJupyter({ named, root: ROOT });
  const done = await executeNotebooks(notebooks, {
    python,
    out,
    timeoutS: timeout,
    signal,
    onCell: ({ name }, ran, of) =>
      terminal.progress(`${name}: cell ${ran + 1} of ${of}`),
    onEnd: ({ notebook, outcome, seconds }) =>
      terminal.note(`${notebook}: ${outcome} after ${duration(seconds)}`),
  });
  terminal.endProgress();
  for (const execution of done) {
    const text = failureText(execution);
    if (text !== "") terminal.note(text);
  }
  terminal.print(table([
    ["notebook", "cells", "ran", "seconds", "outcome"],
    ...done.map(({ notebook, cells, ran, seconds, outcome }) => [
      notebook,
      String(cells),
      String(ran),
      seconds.toFixed(1),
      outcome,
    ]),
  ]));
  if (out !== undefined) {
    terminal.print(`\nThe executed notebooks are in ${out}`);
  }
  const isDone = done.length === notebooks.length &&
    done.every(({ outcome }) => outcome === "ok");
  return {
    json: { python, notebooks: done },
    ...(isDone || signal.aborted ? {} : { exitCode: EXIT.failed }),
  };
}

/** Describes which cell failed, and where in the cell. Returns an empty string if no cell failed. */
function failureText({ failure, notebook }: Execution): string {
  if (failure === null) return "";
  const { cell, id, name, message, trace } = failure;
  const what = message === "" ? name : `${name}: ${message}`;
  const rest = trace.replace(what, "").trim();
  return `${notebook}, cell ${cell} (${id}): ${what}${
    rest === "" ? "" : `\n  ${rest}`
  }`;
}

export const task = await main(import.meta, {
  name: "notebook",
  summary:
    "Open the notebooks in JupyterLab with Deno's kernel, or execute them without a browser",
  flags,
  operands: {
    name: "NAME...",
    description: "With --run and --check: names of notebooks; default: all",
  },
  examples: [
    {
      command: "deno task notebook",
      does: "open JupyterLab on loopback; Ctrl-C stops it and its kernels",
    },
    {
      command: "deno task notebook --run",
      does: "execute all notebooks, and report the failing cell, if any",
    },
    {
      command:
        "deno task notebook --run analyze_rewards --out executed --python .venv/bin/python",
      does:
        "execute one notebook and write it to executed/analyze_rewards.ipynb",
    },
    {
      command: "deno task notebook --install",
      does: "install Deno's kernel for VS Code",
    },
  ],
  notes:
    "Install Jupyter from PyPI: python3 -m venv .venv && .venv/bin/pip install jupyterlab",
  interruptNote: "Stopping Jupyter and its kernels",
  run,
});
