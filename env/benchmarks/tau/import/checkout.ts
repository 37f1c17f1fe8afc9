/** Opens the τ-bench checkout to import: a directory, or one commit of a repository, which is cloned temporarily. */

import { join, relative, resolve, sep } from "node:path";
import { ConfigError, DataError } from "../../../errors.ts";
import { checkoutFiles } from "../../checkout_files.ts";
import type { Checkout } from "./import_tau_bench.ts";

/** The location of a checkout: either `from`, or both `git` and `commit`. */
export interface CheckoutSource {
  /** The directory that contains `tau_bench/`. */
  readonly from?: string | undefined;
  /** The URL of the repository to clone. */
  readonly git?: string | undefined;
  /** The hash of the commit to check out. */
  readonly commit?: string | undefined;
}

/**
 * Opens a checkout. A clone is removed on disposal.
 * @throws {ConfigError} If the location is neither `from` alone nor `git` with `commit`, or if the commit cannot be
 * fetched.
 * @throws {DataError} If the files in `.git` that name the commit are damaged, or lead out of the checkout.
 */
export async function openCheckout(
  { from, git, commit }: CheckoutSource,
  { signal, clone = ".tau-bench.clone" }: {
    readonly signal: AbortSignal;
    /** The directory for the clone. If it exists, it is removed first. */
    readonly clone?: string;
  },
): Promise<Checkout & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  let root = from?.replace(/(?<!\/)\/+$/, "");
  if (git !== undefined && commit !== undefined && root === undefined) {
    await removeClone(clone); // left by an import that was killed
    await Deno.mkdir(clone, { recursive: true });
    stack.defer(() => removeClone(clone));
    await fetchCommit(git, { commit, root: clone, signal });
    root = clone;
  } else if (root === undefined || git !== undefined || commit !== undefined) {
    throw wrongSource({ from, git, commit });
  }
  const read = checkoutFiles(root);
  const head = await headOf(root, read);
  const held = stack.move();
  return {
    root,
    read,
    commit: head,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

function wrongSource({ from, git, commit }: CheckoutSource): ConfigError {
  const given = Object.entries({ from, git, commit })
    .flatMap(([flag, value]) => value === undefined ? [] : [`--${flag}`]);
  const why = from === undefined
    ? git === undefined
      ? commit === undefined
        ? "no checkout is given"
        : "--commit needs a repository"
      : "--git needs a commit"
    : `${given.slice(1).join(" and ")} cannot be used together with --from`;
  return new ConfigError(`Cannot import: ${why}`, {
    hint: "pass either --from DIR, or --git URL with --commit SHA",
  });
}

async function removeClone(clone: string): Promise<void> {
  try {
    await Deno.remove(clone, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Fetches a commit and checks it out. If the commit cannot be fetched by its hash, all branches and tags are fetched.
 */
async function fetchCommit(
  url: string,
  { commit, root, signal }: {
    commit: string;
    root: string;
    signal: AbortSignal;
  },
): Promise<void> {
  const git = (...args: string[]) =>
    runGit(["-C", root, args[0]!, "--quiet", ...args.slice(1)], signal);
  await git("init");
  const one = await git("fetch", "--depth=1", "--", url, commit);
  if (one.code !== 0) {
    const branches = "+refs/heads/*:refs/remotes/origin/*";
    const all = await git("fetch", "--tags", "--", url, branches);
    if (all.code !== 0) {
      throw new ConfigError(`Cannot clone "${url}": ${all.error}`, {
        hint:
          "pass the URL of a git repository as --git, and check the network connection",
      });
    }
  }
  const checkout = await git("checkout", "--detach", commit);
  if (checkout.code !== 0) {
    throw new ConfigError(
      `"${url}" has no commit ${commit}: ${checkout.error}`,
      {
        hint: "pass the full hash of an existing commit as --commit",
      },
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

/**
 * Returns the hash of a checkout's commit, or `undefined` if the checkout is not a git repository or its refs are
 * packed.
 */
async function headOf(
  root: string,
  read: Checkout["read"],
): Promise<string | undefined> {
  const git = await gitDir(root, read);
  const path = join(git, "HEAD");
  const head = await read(path);
  if (head === undefined) return undefined;
  const [, ref] = /^ref: (refs\/[\w./-]{1,250})\s*$/.exec(head) ?? [];
  if (ref === undefined) return commitIn(head, path);
  if (ref.split("/").includes("..")) throw noCommit(path, head);
  const named = await read(join(git, ref));
  return named === undefined ? undefined : commitIn(named, join(git, ref));
}

/**
 * Returns the path of the `.git` directory or, if `.git` is a file, of the directory within the checkout that the file
 * points to.
 * @throws {DataError} If the file does not contain a path within the checkout.
 */
async function gitDir(root: string, read: Checkout["read"]): Promise<string> {
  const path = join(root, ".git");
  const isFile = await Deno.lstat(path).then(
    ({ isDirectory }) => !isDirectory,
    () => false,
  );
  const text = isFile ? await read(path) : undefined;
  if (text === undefined) return path;
  const [, to] = /^gitdir: ([^\n]+)\n*$/.exec(text) ?? [];
  const way = to === undefined
    ? ".."
    : relative(root, resolve(root, to.trim()));
  if (way.split(sep)[0] !== "..") return join(root, way);
  throw new DataError(
    `${path}:1: the file does not name a git directory inside the checkout: ${
      shown(text)
    }`,
    { path, hint: "import a plain clone of the repository, or remove .git" },
  );
}

function commitIn(text: string, path: string): string {
  const commit = text.trim();
  if (/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(commit)) return commit;
  throw noCommit(path, text);
}

function noCommit(path: string, text: string): DataError {
  return new DataError(
    `${path}:1: the file contains neither a commit hash nor a ref: ${
      shown(text)
    }`,
    { path, hint: "import a plain clone of the repository, or remove .git" },
  );
}

function shown(text: string): string {
  return JSON.stringify(text.split("\n", 1)[0]?.slice(0, 60));
}
