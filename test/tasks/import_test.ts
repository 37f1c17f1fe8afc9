import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { checkoutFiles } from "../support/tau_checkout.ts";
import { inTempDir } from "../support/temp_dir.ts";
import { runTask } from "../support/task_process.ts";

function importTask(...args: string[]) {
  return runTask("import", args);
}

async function writeCheckout(root: string): Promise<void> {
  for (const [path, text] of checkoutFiles()) {
    await Deno.mkdir(dirname(join(root, path)), { recursive: true });
    await Deno.writeTextFile(join(root, path), text);
  }
}

Deno.test("import writes a complete directory, and may replace its own", () =>
  inTempDir(async (dir) => {
    const [from, out] = [join(dir, "checkout"), join(dir, "data")];
    await writeCheckout(from);
    const first = await importTask("--from", from, "--out", out, "--json");
    assert.equal(first.code, 0, first.stderr);
    const { counts, files } = JSON.parse(first.stdout);
    assert.equal(counts["retail tools"], 2);
    const manifest = await Deno.readTextFile(join(out, "SOURCE.json"));
    assert.equal(
      Object.keys(JSON.parse(manifest).sha256).length,
      files.length - 1,
    );
    assert.equal((await importTask("--from", from, "--out", out)).code, 0);
    assert.equal(await Deno.readTextFile(join(out, "SOURCE.json")), manifest);

    await Deno.writeTextFile(
      join(from, "tau_bench/envs/retail/rules.py"),
      "RULES = f()\n",
    );
    const broken = await importTask("--from", from, "--out", out);
    assert.equal(broken.code, 1);
    assert.match(
      broken.stderr,
      /rules\.py:1:9: calls of "f" are not supported: f\(\)/,
    );
    assert.equal(await Deno.readTextFile(join(out, "SOURCE.json")), manifest);
  }));

Deno.test("import does not change a directory or file that it did not create", () =>
  inTempDir(async (dir) => {
    const [from, mine] = [join(dir, "checkout"), join(dir, "mine")];
    await writeCheckout(from);
    await Deno.writeTextFile(mine, "mine");
    for (const out of [dir, mine]) {
      const { code, stderr } = await importTask("--from", from, "--out", out);
      assert.equal(code, 2);
      assert.match(stderr, /was not created by an import/);
    }
    assert.equal(await Deno.readTextFile(mine), "mine");
  }));

Deno.test("import --git clones the given commit", () =>
  inTempDir(async (dir) => {
    const repository = join(dir, "repository");
    await writeCheckout(repository);
    const git = async (...args: string[]) => {
      const identity = ["-c", "user.name=t", "-c", "user.email=t@t"];
      const { code, stdout, stderr } = await new Deno.Command("git", {
        args: ["-C", repository, ...identity, ...args],
      }).output();
      assert.equal(code, 0, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout).trim();
    };
    await git("init", "--quiet");
    await git("add", "--all");
    await git("commit", "--quiet", "-m", "first");
    const commit = await git("rev-parse", "HEAD");
    await git("rm", "--quiet", "-r", "tau_bench");
    await git("commit", "--quiet", "-m", "second");
    const out = join(dir, "data");
    const done = await importTask(
      "--git",
      repository,
      "--commit",
      commit,
      "--out",
      out,
    );
    assert.equal(done.code, 0, done.stderr);
    const manifest = JSON.parse(
      await Deno.readTextFile(join(out, "SOURCE.json")),
    );
    assert.equal(manifest.commit, commit);

    const other = "0".repeat(40);
    const none = await importTask(
      "--git",
      repository,
      "--commit",
      other,
      "--out",
      out,
    );
    assert.equal(none.code, 2);
    assert.match(none.stderr, /has no commit 0000/);
    const nowhere = await importTask(
      "--git",
      join(dir, "no"),
      "--commit",
      commit,
      "--out",
      out,
    );
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.stderr, /Cannot clone/);
  }));

Deno.test("import explains how to name the source", async () => {
  for (
    const args of [[], ["--git", "x"], [
      "--from",
      "a",
      "--git",
      "b",
      "--commit",
      "abcdef0",
    ]]
  ) {
    const { code, stderr } = await importTask("--out", "no-such-dir", ...args);
    assert.equal(code, 2);
    assert.match(stderr, /--from DIR, or --git URL with --commit SHA/);
  }
});
