/** `deno task import`: a τ-bench checkout as the directory of data that the other tasks read. */

import { basename, dirname, join } from "node:path";
import { z } from "zod";
import {
  importTauBench,
  MANIFEST,
} from "../env/benchmarks/tau/import/import_tau_bench.ts";
import { ConfigError } from "../env/errors.ts";
import { readTextIfThere, removeIfThere } from "../train/runs/storage.ts";
import { main, type TaskContext, type TaskResult } from "./_cli.ts";
import { count } from "../train/progress/amounts.ts";
import { table } from "../train/progress/table.ts";

const flags = z.object({
  from: z.string().min(1).optional().meta({
    description: "A checkout of tau-bench, the directory that holds tau_bench/",
    value: "DIR",
  }),
  git: z.string().min(1).optional().meta({
    description: "A repository to clone instead",
    value: "URL",
  }),
  commit: z.string().regex(/^[0-9a-f]{7,40}$/, "a commit's hash").optional()
    .meta({ description: "The commit to clone", value: "SHA" }),
  out: z.string().min(1).default("tau-bench-data").meta({
    description: "Directory to write to",
    value: "DIR",
  }),
  dryRun: z.boolean().default(false).meta({
    description: "Read and count, and write nothing",
  }),
});

type Flags = z.infer<typeof flags>;

async function run(
  flags: Flags,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  await refuseOther(flags.out);
  await using checkout = await openCheckout(flags, signal);
  terminal.progress(`reading ${checkout.root}`);
  const imported = await importTauBench({
    root: checkout.root,
    commit: await headOf(checkout.root),
    read: readTextIfThere,
  });
  if (!flags.dryRun) await writeWhole(flags.out, imported.files);
  terminal.endProgress();
  terminal.print(table([
    ["what", "count"],
    ...Object.entries(imported.counts).map(([what, n]) => [what, count(n)]),
  ]));
  if (!flags.dryRun) {
    terminal.print(
      `\n${flags.out}: ${imported.files.size} files, hashes in ${MANIFEST}; use it by --tau-bench ${flags.out}`,
    );
  }
  return {
    json: {
      out: flags.out,
      written: !flags.dryRun,
      counts: imported.counts,
      files: [...imported.files.keys()],
    },
  };
}

interface OpenCheckout extends AsyncDisposable {
  readonly root: string;
}

async function openCheckout(
  { from, git, commit }: Flags,
  signal: AbortSignal,
): Promise<OpenCheckout> {
  if (git === undefined && from !== undefined && commit === undefined) {
    const stay = () => Promise.resolve();
    return { root: from.replace(/\/+$/, ""), [Symbol.asyncDispose]: stay };
  }
  if (git === undefined || commit === undefined || from !== undefined) {
    throw new ConfigError(
      "There is nothing to import",
      { hint: "pass --from DIR, or --git URL with --commit SHA" },
    );
  }
  const root = await Deno.makeTempDir({ prefix: "tau-bench-" });
  const remove = () => removeIfThere(root);
  try {
    await clone(git, { commit, root, signal });
  } catch (error) {
    await remove();
    throw error;
  }
  return { root, [Symbol.asyncDispose]: remove };
}

/** Fetches the one commit, or all where the server gives none by its hash. */
async function clone(
  url: string,
  { commit, root, signal }: {
    commit: string;
    root: string;
    signal: AbortSignal;
  },
): Promise<void> {
  const git = (...args: string[]) => runGit(["-C", root, ...args], signal);
  await git("init", "--quiet");
  const one = await git("fetch", "--quiet", "--depth=1", "--", url, commit);
  if (one.code !== 0) {
    const all = await git(
      "fetch",
      "--quiet",
      "--tags",
      "--",
      url,
      "+refs/heads/*:refs/remotes/origin/*",
    );
    if (all.code !== 0) {
      throw new ConfigError(
        `Cannot clone "${url}": ${all.error}`,
        { hint: "check the address" },
      );
    }
  }
  const checkout = await git("checkout", "--quiet", "--detach", commit);
  if (checkout.code !== 0) {
    throw new ConfigError(
      `"${url}" has no commit ${commit}: ${checkout.error}`,
      { hint: "check the hash" },
    );
  }
}

async function runGit(
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ code: number; error: string }> {
  const { code, stderr } = await new Deno.Command("git", {
    args: [...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    signal,
  }).output();
  return { code, error: new TextDecoder().decode(stderr).trim() };
}

/** The commit of a checkout; `undefined` where it is none. */
async function headOf(root: string): Promise<string | undefined> {
  const head = (await readTextIfThere(join(root, ".git/HEAD")))?.trim();
  const ref = /^ref: (.+)$/.exec(head ?? "")?.[1];
  if (ref === undefined) return head;
  return (await readTextIfThere(join(root, ".git", ref)))?.trim();
}

/** An import may replace an earlier one and nothing else. @throws {ConfigError} If something else is there. */
async function refuseOther(out: string): Promise<void> {
  const there = await Array.fromAsync(Deno.readDir(out)).catch(() => []);
  const manifest = await readTextIfThere(join(out, MANIFEST));
  if (there.length === 0 || manifest?.includes('"importedBy"')) return;
  throw new ConfigError(
    `"${out}" is there and was not made by an import`,
    { hint: "choose another --out" },
  );
}

/** Writes all files beside the directory and puts them in its place. */
async function writeWhole(
  out: string,
  files: ReadonlyMap<string, string>,
): Promise<void> {
  const target = out.replace(/\/+$/, "");
  const partial = join(dirname(target), `.${basename(target)}.partial`);
  await removeIfThere(partial);
  for (const [path, text] of files) {
    await Deno.mkdir(dirname(join(partial, path)), { recursive: true });
    await Deno.writeTextFile(join(partial, path), text);
  }
  await removeIfThere(target);
  await Deno.rename(partial, target);
}

if (import.meta.main) {
  await main({
    name: "import",
    summary:
      "Read a tau-bench checkout, out of its Python source without running Python",
    flags,
    examples: [
      {
        command: "deno task import --from ../tau-bench --out tau-bench-data",
        does:
          "data, policies, tools, tasks and prompts as the other tasks read them",
      },
      {
        command:
          "deno task import --git https://github.com/sierra-research/tau-bench --commit 59a200c6d575d595120f1cb70fea53cef0632f6b",
        does: "clone that commit first",
      },
    ],
    run,
  });
}
