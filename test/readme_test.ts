import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { blocksOf, readDocuments, ROOT } from "./support/documents.ts";
import { inTempDir } from "./support/temp_dir.ts";

const documents = await readDocuments();
const readmes = documents.filter(({ path }) => path.endsWith("README.md"));

/**
 * The TypeScript code blocks of all READMEs. `printed` is the output that a comment on the last line promises, if there
 * is one.
 */
const SCRIPTS = readmes.flatMap((readme) =>
  blocksOf(readme, "ts").map((code, i) => ({
    name: `${readme.path}, script ${i + 1}`,
    code,
    printed: /\/\/ (.*)\n$/.exec(code)?.[1],
  }))
);

/** Runs a script as its README describes, but in a temporary directory. */
async function run(
  code: string,
  { dir, permissions }: { dir: string; permissions: readonly string[] },
) {
  const file = join(dir, "script.ts");
  await Deno.writeTextFile(file, code);
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      `--config=${join(ROOT, "deno.json")}`,
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

Deno.test("READMEs have at least five scripts, each with at most twenty lines of code", () => {
  assert.ok(SCRIPTS.length >= 5);
  for (const { code } of SCRIPTS) {
    assert.ok(code.match(/^.+$/gm)!.length <= 20, code);
  }
});

Deno.test("scripts in READMEs type-check", () =>
  inTempDir(async (dir) => {
    const files = SCRIPTS.map((_, i) => join(dir, `script_${i}.ts`));
    for (const [i, { code }] of SCRIPTS.entries()) {
      await Deno.writeTextFile(files[i]!, code);
    }
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "check",
        "--quiet",
        `--config=${join(ROOT, "deno.json")}`,
        ...files,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  }));

/**
 * Returns the permissions that a README gives to a script: none, or access to the run dirs. A script that trains may
 * read all files, because it loads the kernels.
 */
function permissionsOf(code: string): readonly string[] {
  if (!code.includes('"runs/')) return [];
  const reads = code.includes("taulab/train") ? "" : "=runs";
  return [`--allow-read${reads}`, "--allow-write=runs"];
}

for (const { name, code, printed } of SCRIPTS) {
  Deno.test(`${name} prints the announced output, and nothing on stderr`, async () => {
    await inTempDir(async (dir) => {
      const { stdout, stderr } = await run(code, {
        dir,
        permissions: permissionsOf(code),
      });
      assert.deepEqual({ last: stdout.at(-1), stderr }, {
        last: printed,
        stderr: [""],
      });
    });
  });
}

Deno.test("READMEs have at most 160 lines, and the root's at most 150", () => {
  for (const { path, text } of readmes) {
    const lines = text.split("\n").length - 1;
    assert.ok(lines <= (path === "README.md" ? 150 : 160), `${path}: ${lines}`);
  }
});

Deno.test("links in documents lead to existing files and headings", async () => {
  const broken: string[] = [];
  for (const { path, text } of documents) {
    for (const [, link = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      const [file = "", heading] = link.split("#");
      const target = file === "" ? path : join(dirname(path), file);
      const there = await Deno.stat(join(ROOT, target)).catch(() => null);
      const headings = documents.find((one) => one.path === target)?.text
        .matchAll(/^#+ (.*)$/gm).map(([, words = ""]) => anchor(words));
      const known = heading === undefined ||
        headings?.some((one) => one === heading);
      if (there === null || !known) broken.push(`${path}: ${link}`);
    }
  }
  assert.deepEqual(broken, []);
});

/** Returns the anchor that GitHub generates for a heading. */
function anchor(words: string): string {
  return words.toLowerCase().replace(/[^\p{L}\p{N}\s-]/gu, "")
    .replaceAll(" ", "-");
}
