import assert from "node:assert/strict";
import { join } from "node:path";
import { executeNotebook } from "../../../notebooks/jupyter/execute.ts";
import { readNotebook } from "../../../notebooks/jupyter/notebook_file.ts";
import { findJupyter } from "../../../notebooks/jupyter/python.ts";
import { executeInJupyter } from "../../support/jupyter.ts";
import { writeNotebook } from "../../support/notebooks.ts";
import { withoutPython } from "../../support/python.ts";
import { inTempDir } from "../../support/temp_dir.ts";

/**
 * Registers a test of a notebook that has the given code cells. `check` receives the notebook's path and a function
 * that executes the notebook.
 */
function jupyterTest(
  name: string,
  code: readonly string[],
  check: (
    path: string,
    run: (
      options?: Parameters<typeof executeInJupyter>[1],
    ) => ReturnType<typeof executeInJupyter>,
  ) => Promise<void>,
): void {
  Deno.test({
    name: `${name} (needs Jupyter)`,
    ignore: withoutPython(),
    fn: () =>
      inTempDir(async (dir) => {
        const path = await writeNotebook(dir, "n", code);
        const notebook = await readNotebook(path);
        await check(path, (options) => executeInJupyter(notebook, options));
      }),
  });
}

jupyterTest(
  "executeNotebook() runs cells in the notebook's directory with this Deno, and leaves the file unchanged",
  [
    "const was = [Deno.cwd(), Deno.execPath()];",
    ...Array.from({ length: 12 }, (_, i) => `[${i}, was]`),
  ],
  async (path, run) => {
    const before = await Deno.readTextFile(path);
    const { execution, shown } = await run();
    assert.equal(execution.outcome, "ok", JSON.stringify(execution));
    assert.deepEqual([execution.cells, execution.ran], [13, 13]);
    const place = await Deno.realPath(join(path, ".."));
    for (let i = 0; i < 12; i++) {
      // Late outputs of the kernel are not lost.
      const text = shown!.texts.get(`c${i + 1}`)!.join();
      assert.ok(text.includes(place), `cell ${i + 1}: ${text}`);
      assert.ok(text.includes(Deno.execPath()));
    }
    assert.equal(await Deno.readTextFile(path), before);
  },
);

jupyterTest(
  "executeNotebook() stops at the failing cell and names it",
  ["const a = 1;", "throw new RangeError(`a is ${a}`);", "a"],
  async (_, run) => {
    const { execution: { outcome, ran, failure }, shown } = await run();
    assert.deepEqual([outcome, ran], ["failed", 1]);
    const { cell, id, name, message } = failure!;
    assert.deepEqual([cell, id, name, message], [
      3,
      "c1",
      "RangeError",
      "a is 1",
    ]);
    assert.deepEqual(shown!.texts.get("c2"), []);
  },
);

jupyterTest(
  "executeNotebook() reports that the kernel exited",
  ["Deno.exit(3);"],
  async (_, run) => {
    const { execution: { outcome, failure } } = await run();
    assert.equal(outcome, "failed");
    assert.match(failure!.message, /kernel ended/);
  },
);

/** A cell that writes its process id to a file and then never ends. */
const FOREVER =
  'await Deno.writeTextFile("pid", String(Deno.pid));\nawait new Promise(() => setInterval(() => {}, 1000));';

async function pidIn(path: string): Promise<number | undefined> {
  const text = await Deno.readTextFile(join(path, "../pid")).catch(() => "");
  return text === "" ? undefined : Number(text);
}

function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}

jupyterTest(
  "executeNotebook() ends the kernel when it is aborted",
  [FOREVER],
  async (path, run) => {
    const controller = new AbortController();
    const watcher = Deno.watchFs(join(path, ".."));
    const running = run({ signal: controller.signal });
    for await (const _ of watcher) {
      if (await pidIn(path) !== undefined) break;
    }
    controller.abort();
    const { execution: { outcome } } = await running;
    assert.equal(outcome, "interrupted");
    assert.equal(isAlive((await pidIn(path))!), false);
  },
);

jupyterTest(
  "executeNotebook() ends a notebook that takes too long",
  [FOREVER],
  async (path, run) => {
    const { execution: { outcome } } = await run({ timeoutS: 4 });
    assert.equal(outcome, "timed_out");
    const pid = await pidIn(path);
    assert.equal(pid !== undefined && isAlive(pid), false);
  },
);

Deno.test("executeNotebook() reports the last output of a Python without Jupyter", async () => {
  await inTempDir(async (dir) => {
    const notebook = await readNotebook(await writeNotebook(dir, "n", ["1"]));
    const python = join(dir, "python");
    await Deno.writeTextFile(
      python,
      "#!/bin/sh\necho 'ModuleNotFoundError: nbclient' >&2\nexit 1\n",
    );
    await Deno.chmod(python, 0o755);
    await assert.rejects(
      () =>
        executeNotebook(notebook, {
          python,
          out: dir,
          home: dir,
          timeoutS: 60,
        }),
      { name: "DataError", message: /could not execute .*nbclient/s },
    );
  });
});

Deno.test("findJupyter() says how to install Jupyter", async () => {
  await inTempDir(async (root) => {
    await assert.rejects(
      () => findJupyter({ named: join(root, "none"), root }),
      {
        name: "ConfigError",
        message: /^Cannot run ".*none"$/,
        hint: /Python executable as --python/,
      },
    );
    await assert.rejects(
      () => findJupyter({ named: Deno.execPath(), root }),
      {
        name: "ConfigError",
        message: /deno" is not a Python with /,
        hint: /-m pip install jupyterlab/,
      },
    );
  });
});
