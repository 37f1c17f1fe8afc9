/** `deno task notebook`: Jupyter lab on the notebooks, with Deno's kernel; or all of them executed, or type-checked. */

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
import { duration } from "../train/progress/amounts.ts";
import { table } from "../train/progress/text_table.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const NOTEBOOKS = join(ROOT, "notebooks");
const KERNEL_DIR = join(NOTEBOOKS, ".jupyter");

const flags = z.object({
  run: z.boolean().default(false).meta({
    description: "Execute the notebooks that are named, or all, without a page",
  }),
  check: z.boolean().default(false).meta({
    description: "Check the types of their cells instead",
  }),
  install: z.boolean().default(false).meta({
    description:
      "Install Deno's kernel for this user instead, for VS Code and other Jupyters",
  }),
  force: z.boolean().default(false).meta({
    description: "For --install: replace a kernel of this name",
  }),
  python: z.string().min(1).optional().meta({
    description: "The Python that has Jupyter; default: .venv's, then python3",
    value: "PROGRAM",
    isPath: runPathOnly,
    env: "TAULAB_PYTHON",
  }),
  port: z.int().min(0).max(65535).default(8888).meta({
    description: "Port of Jupyter lab; 0 takes a free one",
  }),
  noOpen: z.boolean().default(false).meta({
    description: "Print the page's address and open no browser",
  }),
  dir: z.string().min(1).optional().meta({
    description: "Other notebooks than taulab's own",
    value: "DIR",
    isPath: anyPath,
  }),
  out: z.string().min(1).optional().meta({
    description: "For --run: where the executed notebooks go; default: nowhere",
    value: "DIR",
    isPath: anyPath,
  }),
  timeout: z.number().gt(0).default(600).meta({
    description: "For --run: seconds that a notebook may take",
  }),
});

type Flags = z.infer<typeof flags>;

async function run(flags: Flags, context: TaskContext): Promise<TaskResult> {
  refuseIdleFlags(flags, context);
  if (flags.install) return await install(flags, context);
  if (flags.check) return await check(flags, context);
  return flags.run ? await execute(flags, context) : await open(flags, context);
}

/** @throws {ConfigError} If flags or names do not go together. */
function refuseIdleFlags(
  { run, check, install, out }: Flags,
  { operands }: TaskContext,
): void {
  const ways = [run && "--run", check && "--check", install && "--install"]
    .filter((way) => way !== false);
  if (ways.length > 1) {
    throw new ConfigError(`${ways.join(" and ")} contradict each other`, {
      hint: "give one of them",
    });
  }
  if (operands.length > 0 && !run && !check) {
    throw new ConfigError(
      `${operands[0]}: names are for --run and --check`,
      { hint: "in Jupyter lab choose a notebook on the left" },
    );
  }
  if (out !== undefined && !run) {
    throw new ConfigError(
      "--out is where executed notebooks go",
      { hint: "add --run" },
    );
  }
}

/** @throws {ConfigError} If it is none. */
async function requireDirectory(dir: string): Promise<void> {
  const stat = await Deno.stat(dir).catch(() => null);
  if (stat?.isDirectory) return;
  throw new ConfigError(
    stat === null
      ? `There is no directory "${dir}"`
      : `"${dir}" is a file, and no directory`,
    { hint: "make it, or name another by --dir" },
  );
}

async function open(
  { python: named, port, noOpen, dir = NOTEBOOKS }: Flags,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  await requireDirectory(dir);
  const python = await findJupyter({ named, root: ROOT });
  terminal.note(
    `Deno's kernel, run by ${Deno.execPath()}, is written to ${KERNEL_DIR}; nothing else is installed`,
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
  if (out !== undefined) terminal.print(`\nWith their outputs in ${out}`);
  const isDone = done.length === notebooks.length &&
    done.every(({ outcome }) => outcome === "ok");
  return {
    json: { python, notebooks: done },
    ...(isDone || signal.aborted ? {} : { exitCode: EXIT.failed }),
  };
}

/** Which cell failed, and where in it; empty where none did. */
function failureText({ failure, notebook }: Execution): string {
  if (failure === null) return "";
  const { cell, id, name, message, trace } = failure;
  const what = `${name}: ${message}`;
  const rest = trace.replace(what, "").trim();
  return `${notebook}, cell ${cell} (${id}): ${what}${
    rest === "" ? "" : `\n  ${rest}`
  }`;
}

export const task = await main(import.meta, {
  name: "notebook",
  summary:
    "Open the notebooks in Jupyter lab with Deno's kernel, or execute them all without a page",
  flags,
  operands: {
    name: "NAME...",
    description: "For --run and --check: which notebooks; default: all",
  },
  examples: [
    {
      command: "deno task notebook",
      does:
        "Jupyter lab on notebooks/, on loopback; Ctrl-C ends it and its kernels",
    },
    {
      command: "deno task notebook --run",
      does: "executes all of them, and says which cell failed if one did",
    },
    {
      command:
        "deno task notebook --run analyze_rewards --out executed --python .venv/bin/python",
      does: "one of them, with its outputs in executed/analyze_rewards.ipynb",
    },
    {
      command: "deno task notebook --install",
      does: "for VS Code: Deno's kernel among those of this user",
    },
  ],
  notes:
    "Jupyter comes from PyPI: python3 -m venv .venv && .venv/bin/pip install jupyterlab",
  interruptNote: "Ending Jupyter and its kernels",
  run,
});
