import assert from "node:assert/strict";
import { join } from "node:path";
import { linesOf } from "../../env/child_process.ts";
import { writeNotebook } from "../support/notebooks.ts";
import { testPython, withoutPython } from "../support/python.ts";
import { runTask, taskCommand } from "../support/task_process.ts";
import { inTempDir } from "../support/temp_dir.ts";

/**
 * Returns environment variables that give Jupyter separate directories, so that it neither reads nor writes the user's
 * directories.
 */
function jupyterEnv(dir: string): Record<string, string> {
  return {
    TAULAB_PYTHON: testPython() ?? "",
    VIRTUAL_ENV: "",
    JUPYTER_DATA_DIR: join(dir, "data"),
    JUPYTER_CONFIG_DIR: join(dir, "config"),
    JUPYTER_RUNTIME_DIR: join(dir, "runtime"),
    IPYTHONDIR: join(dir, "ipython"),
  };
}

Deno.test("notebook --help has examples", async () => {
  const { code, stdout } = await runTask("notebook", ["--help"]);
  assert.equal(code, 0);
  assert.match(stdout, /Usage: deno task notebook/);
  assert.match(stdout, /deno task notebook --run\n/);
  assert.match(stdout, /pip install jupyterlab/);
});

Deno.test("notebook reports wrong usage with a hint", async () => {
  await inTempDir(async (dir) => {
    await writeNotebook(dir, "a", ["1"]);
    const missing = join(dir, "none");
    const wrong: [string[], RegExp][] = [
      [
        ["--run", "--check"],
        /--run and --check cannot be used together\nhint: pass only one of them/,
      ],
      [["a"], /names need --run or --check/],
      [["--install", "a"], /--install has no effect on the notebook "a"/],
      [["--run", "--dir", missing], /There is no directory ".*none"/],
      [["--out", dir], /pass --run, or omit --out/],
      [
        ["--run", "aa", "--dir", dir],
        /no notebook "aa" .*\nhint: did you mean "a"\?/,
      ],
      [
        ["--run", "--dir", dir, "--python", Deno.execPath()],
        /is not a Python with .*\nhint: .*pip install jupyterlab/,
      ],
      [["--python", missing], /Cannot run ".*"\nhint: .* --python/],
    ];
    for (const [args, words] of wrong) {
      const { code, stdout, stderr } = await runTask("notebook", args);
      assert.deepEqual([code, stdout], [2, ""], args.join(" "));
      assert.match(stderr, words);
    }
  });
});

Deno.test("notebook --check reports the cells with type errors", async () => {
  await inTempDir(async (dir) => {
    await writeNotebook(dir, "right", ["const a: number = 1;"]);
    await writeNotebook(dir, "wrong", ["const a: string = 1;"]);
    const args = ["--check", "--dir", dir];
    const { code, stdout, stderr } = await runTask("notebook", args);
    assert.equal(code, 1, stderr);
    assert.match(stdout, /right +1 +ok\nwrong +1 +failed/);
    assert.match(stderr, /at wrong, cell 2, line 1/);
    const right = await runTask("notebook", [...args, "right", "--json"]);
    assert.deepEqual([right.code, JSON.parse(right.stdout).problems], [0, ""]);
  });
});

Deno.test({
  name:
    "notebook --run executes all notebooks, names a failing cell, and leaves nothing behind (needs Jupyter)",
  ignore: withoutPython(),
  fn: () =>
    inTempDir(async (dir) => {
      const notebooks = join(dir, "notebooks");
      const out = join(dir, "out");
      await Deno.mkdir(notebooks);
      await writeNotebook(notebooks, "bad", ["1", "throw new Error('oops')"]);
      await writeNotebook(notebooks, "good", ["'fine'"]);
      const env = jupyterEnv(dir);
      const args = ["--run", "--dir", notebooks];
      const all = await runTask("notebook", args, { env });
      assert.equal(all.code, 1, all.stderr);
      assert.match(all.stdout, /bad +2 +1 +[\d.]+ +failed/);
      assert.match(all.stdout, /good +1 +1 +[\d.]+ +ok/);
      assert.match(all.stderr, /^bad, cell 3 \(c1\): Error: oops$/m);
      const one = await runTask(
        "notebook",
        [...args, "good", "--out", out, "--json"],
        { env },
      );
      assert.equal(one.code, 0, one.stderr);
      const [good] = JSON.parse(one.stdout).notebooks;
      assert.equal(good.executed, join(out, "good.ipynb"));
      assert.match(await Deno.readTextFile(good.executed), /fine/);
      const left = (await Array.fromAsync(Deno.readDir(notebooks)))
        .map(({ name }) => name).sort();
      assert.deepEqual(left, ["bad.ipynb", "good.ipynb"]);
    }),
});

Deno.test({
  name:
    "notebook opens JupyterLab with this Deno's kernel, and ends it with its kernels (needs Jupyter)",
  ignore: withoutPython(),
  fn: () =>
    inTempDir(async (dir) => {
      await writeNotebook(dir, "a", ["1"]);
      const args = ["--dir", dir, "--port", "0", "--no-open", "--json"];
      const child = taskCommand("notebook", args, { env: jupyterEnv(dir) })
        .spawn();
      const stderr = new Response(child.stderr).text();
      const lines = linesOf(child.stdout);
      try {
        const ready = await lines.next();
        assert.ok(ready.value !== undefined, "it ended");
        const url = new URL(JSON.parse(ready.value).url);
        assert.equal(url.hostname, "127.0.0.1");
        const token = url.searchParams.get("token")!;
        const headers = { authorization: `token ${token}` };
        const api = (path: string, init = {}) =>
          fetch(new URL(path, url), { headers, ...init });
        const { kernelspecs } = await (await api("/api/kernelspecs")).json();
        assert.deepEqual(
          kernelspecs.deno.spec.argv.slice(0, 2),
          [Deno.execPath(), "jupyter"],
        );
        const contents = await (await api("/api/contents")).json();
        assert.ok(
          contents.content.some((one: { name: string }) =>
            one.name === "a.ipynb"
          ),
        );
        const body = JSON.stringify({ name: "deno" });
        const kernel = await api("/api/kernels", { method: "POST", body });
        assert.equal(kernel.status, 201, await kernel.text());
      } finally {
        child.kill("SIGINT");
      }
      for await (const _ of lines) { /* the result */ }
      assert.equal((await child.status).code, 0);
      assert.match(await stderr, /Shutting down 1 kernel/);
    }),
});

// Only on Linux can the user's directory be moved.
const isLinux = Deno.build.os === "linux";

Deno.test({
  name:
    "notebook --install installs Deno's kernel for the user, and replaces an existing one only if asked",
  ignore: !isLinux,
  fn: () =>
    inTempDir(async (dir) => {
      const env = { XDG_DATA_HOME: dir };
      const first = await runTask("notebook", ["--install"], { env });
      assert.equal(first.code, 0, first.stderr);
      assert.ok(first.stderr.includes(dir), first.stderr);
      const second = await runTask("notebook", ["--install"], { env });
      assert.equal(second.code, 1);
      assert.match(second.stderr, /already exists/);
      const again = ["--install", "--force"];
      const forced = await runTask("notebook", again, { env });
      assert.equal(forced.code, 0, forced.stderr);
    }),
});

Deno.test("notebook --dir reports a missing directory, and a file in its place", () =>
  inTempDir(async (dir) => {
    const file = join(dir, "file");
    await Deno.writeTextFile(file, "");
    for (
      const [path, words] of [
        [
          join(dir, "none"),
          /error: There is no directory ".*none"\nhint: create it/,
        ],
        [file, /error: ".*file" is a file, not a directory\nhint: /],
      ] as const
    ) {
      const { code, stderr } = await runTask("notebook", ["--dir", path]);
      assert.equal(code, 2);
      assert.match(stderr, words);
    }
  }));
