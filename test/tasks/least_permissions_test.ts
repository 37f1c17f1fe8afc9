/**
 * Tests which permissions a task's work has if the task runs with the permissions in deno.json. A probe replaces the
 * work and reports its permissions.
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import { inTempDir } from "../support/temp_dir.ts";

const ROOT = new URL("../../", import.meta.url);
const PROBE = new URL("test/support/probing_task.ts", ROOT).href;

/** The report of the probe if everything is denied. */
const NOTHING = {
  network: false,
  listen: false,
  shell: false,
  git: false,
  key: false,
  token: false,
  home: false,
  out: false,
  file: false,
  ffi: false,
};

/** Returns the permissions that a task's work has if the task is started in a temporary directory. */
async function probed(
  name: keyof typeof project.tasks,
  args: readonly string[],
): Promise<Record<string, boolean>> {
  let result: Record<string, boolean> = {};
  await inTempDir(async (cwd) => {
    await Deno.mkdir(`${cwd}/out`);
    const flags = project.tasks[name].command.split(" ")
      .filter((word) => /^--(allow|ignore|no-prompt)/.test(word));
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--config", fileURLToPath(new URL("deno.json", ROOT))],
        ...flags,
        `${PROBE}?${name}`,
        ...args,
        "--json",
      ],
      cwd,
      env: {
        OPENAI_API_KEY: "a key",
        TAULAB_TOKEN: "a token",
        // Set by `deno task test`; the task's paths must be relative to `cwd`.
        INIT_CWD: cwd,
      },
    }).output();
    const text = new TextDecoder();
    assert.equal(code, 0, text.decode(stderr));
    result = JSON.parse(text.decode(stdout));
  });
  return result;
}

Deno.test("training on this machine has no network, starts no programs, reads no keys and writes only its runs", async () => {
  assert.deepEqual(
    await probed("train", ["--runs", "out"]),
    { ...NOTHING, out: true },
  );
  assert.deepEqual(await probed("train", ["--dry-run"]), NOTHING);
});

Deno.test("training with a model as user may use the network, and still writes only its runs", async () => {
  const may = await probed("train", [
    ...["--runs", "out", "--user", "llm", "--user-model", "m"],
    ...["--max-tokens", "10"],
  ]);
  assert.ok(may.network && may.key && may.out);
  assert.ok(!may.home && !may.file && !may.ffi);
});

Deno.test("audit, view, mock and import only write to the paths that they were given", async () => {
  const cases: [
    keyof typeof project.tasks,
    args: string[],
    may: Partial<typeof NOTHING>,
  ][] = [
    ["audit", ["--data", "generated"], {}],
    ["audit", ["--data", "generated", "--report", "file"], { file: true }],
    ["view", ["--export", "file"], { file: true, token: true }],
    ["view", [], { listen: true, network: true, token: true }],
    ["mock", ["--out", "out"], { out: true }],
    ["mock", ["--out", "out", "--dry-run"], {}],
    ["import", ["--from", "x", "--out", "out"], { out: true }],
    ["import", ["--from", "x", "--dry-run"], {}],
    [
      "import",
      ["--git", "x", "--commit", "0123456", "--out", "out"],
      { out: true, git: true },
    ],
  ];
  for (const [name, args, may] of cases) {
    const { key, ...found } = await probed(name, args);
    const { key: _, ...expected } = { ...NOTHING, ...may };
    assert.deepEqual(found, expected, `${name} ${args.join(" ")}`);
    assert.equal(key, false, `${name} reads keys`);
  }
});
