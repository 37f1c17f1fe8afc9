import assert from "node:assert/strict";
import { join } from "node:path";
import { writeBigRun } from "../support/big_run.ts";
import { runTask, taskCommand } from "../support/task_process.ts";
import { inTempDir } from "../support/temp_dir.ts";

Deno.test("view --help has examples", async () => {
  const { code, stdout } = await runTask("view", ["--help"]);
  assert.equal(code, 0);
  assert.match(stdout, /Usage: deno task view/);
  assert.match(stdout, /Examples:\n {2}deno task view\n/);
  assert.match(stdout, /--export <FILE>/);
});

Deno.test("view serves runs on loopback until it is interrupted", async () => {
  await inTempDir(async (dir) => {
    await writeBigRun(join(dir, "a"));
    const child = taskCommand("view", [
      join(dir, "a"),
      "--runs",
      dir,
      "--port",
      "0",
      "--json",
    ]).spawn();
    try {
      const { url } = await firstLine(child.stdout);
      assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/#\/run\/a$/);
      const origin = new URL(url).origin;
      const page = await fetch(`${origin}/`);
      assert.match(await page.text(), /<main id="content"/);
      const answer = await fetch(`${origin}/api/runs/a/episodes?reward=0`);
      const { matched, total } = await answer.json();
      assert.ok(matched > 0 && matched < total);
    } finally {
      child.kill("SIGINT");
      await child.stderr.cancel();
    }
    assert.equal((await child.status).code, 0);
  });
});

Deno.test("view reports wrong usage with a hint", async () => {
  await inTempDir(async (dir) => {
    await writeBigRun(join(dir, "a"));
    const run = join(dir, "a");
    const file = join(dir, "x.html");
    const empty = join(dir, "empty");
    await Deno.mkdir(empty);
    const wrong: [string[], RegExp][] = [
      [["none", "--runs", dir], /no run "none"/],
      [["--host", "0.0.0.0"], /set TAULAB_TOKEN/],
      [[run, "--filter", "reward<1"], /pass --export FILE\.html/],
      [[run, "--export", file, "--filter", "rewrd<1"], /no field "rewrd"/],
      [[run, "--export", file, "--episodes", "9-2"], /such as 1,5-9/],
      [[run, "--export", file, "--episodes", "9999"], /no episode 9999/],
      [[run, "--export", file, "--filter", "step>99"], /No episode matches/],
      [["--runs", empty, "--export", file], /There are no episodes to export/],
      [
        [run, "--export", file, "--filter", "step=1", "--episodes", "1"],
        /pass only one of them/,
      ],
    ];
    for (const [args, words] of wrong) {
      const { code, stdout, stderr } = await runTask("view", args);
      assert.deepEqual([code, stdout], [2, ""], args.join(" "));
      assert.match(stderr, words);
    }
  });
});

Deno.test("view --export writes the chosen episodes to one file", async () => {
  // The task may only write below the repository.
  const dir = await Deno.makeTempDir({ dir: "." });
  try {
    await writeBigRun(join(dir, "a"));
    const file = join(dir, "failed.html");
    const args = [join(dir, "a"), "--export", file, "--json"];
    const { code, stdout, stderr } = await runTask("view", [
      ...args,
      "--filter",
      "reward<1 and step=2",
      "--limit",
      "5",
    ]);
    assert.equal(code, 0, stderr);
    const json = JSON.parse(stdout);
    assert.deepEqual([json.episodes, json.runs], [5, 1]);
    const { size } = await Deno.stat(file);
    assert.equal(size, json.bytes);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** Reads the first line of a stream as JSON, and cancels the rest of the stream. */
async function firstLine(
  stream: ReadableStream<Uint8Array>,
): Promise<{ url: string }> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const piece of stream) {
    text += decoder.decode(piece, { stream: true });
    if (text.includes("\n")) break;
  }
  return JSON.parse(text.split("\n")[0] ?? "");
}
