import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inTempDir } from "./support/temp_dir.ts";

const ROOT = new URL("../", import.meta.url);
const README = await Deno.readTextFile(new URL("README.md", ROOT));

/** The README's scripts, each with what its last line is said to print. */
const SCRIPTS = [...README.matchAll(/^```ts\n(.*?)^```$/gms)].map((
  [, code],
) => ({
  code: code ?? "",
  printed: /\/\/ (.*)\n$/.exec(code ?? "")?.[1],
}));

/** Runs a script as the README says, but in a directory of its own. */
async function run(
  code: string,
  { dir, permissions }: { dir: string; permissions: readonly string[] },
) {
  const file = join(dir, "script.ts");
  const mod = new URL("mod.ts", ROOT).href;
  await Deno.writeTextFile(file, code.replaceAll("./mod.ts", mod));
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      `--config=${fileURLToPath(new URL("deno.json", ROOT))}`,
      ...permissions,
      file,
    ],
    cwd: dir,
    env: { NO_COLOR: "1" },
  }).output();
  const lines = (bytes: Uint8Array) =>
    new TextDecoder().decode(bytes).trimEnd().split("\n");
  return { stdout: lines(stdout), stderr: lines(stderr) };
}

Deno.test("README.md has five scripts, each of twenty lines of code at most", () => {
  assert.equal(SCRIPTS.length, 5);
  for (const { code } of SCRIPTS) {
    assert.ok(code.match(/^.+$/gm)!.length <= 20, code);
  }
});

for (const [i, { code, printed }] of SCRIPTS.entries()) {
  const permissions = i < 4 ? [] : ["--allow-read=runs", "--allow-write=runs"];
  Deno.test(`README.md: script ${i + 1} prints what it says, and nothing on stderr`, async () => {
    await inTempDir(async (dir) => {
      const { stdout, stderr } = await run(code, { dir, permissions });
      assert.deepEqual({ last: stdout.at(-1), stderr }, {
        last: printed,
        stderr: [""],
      });
    });
  });
}
